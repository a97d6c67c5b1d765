import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };

/** Lines that GitHub's runner takes as commands. */
function commandLines(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line.startsWith("::"));
}

Deno.test("cli: GitHub Actions gets annotations and a summary by default", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write("summary.md", "before\n");
  const { code, stdout } = await runCli([...SHORT_RUN, "--threshold", "errors>0"], {
    folder: folder.path,
    env: { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: `${folder.path}/summary.md` },
  });
  assertEquals(code, 4);
  const [error, ...others] = commandLines(stdout);
  assert(error!.startsWith("::error title=exai-ws-bench::threshold errors>0 missed"), stdout);
  assert(
    others.at(-1)!.startsWith(
      "::notice title=exai-ws-bench::FAILED: a threshold was missed: 1 of 1",
    ),
    stdout,
  );
  const files = await folder.files();
  const summary = files.get("summary.md")!;
  assert(
    summary.startsWith("before\n# Bundled server, tool `status`\n\n**❌ FAILED: a threshold"),
    summary,
  );
  assertEquals(summary.split("# Bundled server").length, 2, "added once, at the end");
  assertStringIncludes(summary, "❌ errors&gt;0: 0");
  assert(!files.has("reports/github-summary.md"));
});

Deno.test("cli: --format github and benchmark write their files anywhere", options, async () => {
  await using folder = await makeUserFolder();
  const args = [...SHORT_RUN, "--format", "github,benchmark"];
  const { code, stdout } = await runCli(args, { folder: folder.path });
  assertEquals(code, 0);
  assertEquals(commandLines(stdout).length > 0, true);
  const files = await folder.files();
  assertEquals([...files.keys()].sort(), [
    "reports/benchmark-bigger.json",
    "reports/benchmark-smaller.json",
    "reports/github-summary.md",
  ]);
  const [bigger, smaller] = ["bigger", "smaller"].map((kind): { name: string }[] =>
    JSON.parse(files.get(`reports/benchmark-${kind}.json`)!)
  );
  assertEquals(bigger!.map(({ name }) => name), ["message-throughput throughput"]);
  assertEquals(smaller![0]!.name, "message-throughput latency p50");
});

Deno.test("cli: a summary that cannot be written does not hide the verdict", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli(SHORT_RUN, {
    folder: folder.path,
    env: { GITHUB_STEP_SUMMARY: `${folder.path}/none/summary.md` },
  });
  assertEquals(code, 0);
  assertStringIncludes(stderr, `warning: Cannot append the summary to ${folder.path}/none/`);
  assertStringIncludes(stdout, "\nReports:\n");
  assertEquals(commandLines(stdout), []);
});

Deno.test("cli: text from a user or server is never a workflow command", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli(["--scenarios", "x\n::add-mask::y ##[error]z"], {
    folder: folder.path,
    env: { GITHUB_ACTIONS: "true" },
  });
  assertEquals([code, stdout], [2, ""]);
  assert(stderr.includes("add-mask"), stderr);
  assert(!/^\s*::/m.test(stderr) && !stderr.includes("##["), stderr);
});
