import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };

Deno.test("cli: a run is compared with the last; failed runs replace none", options, async () => {
  await using folder = await makeUserFolder();
  const run = (...args: string[]) =>
    runCli([...SHORT_RUN, "--quiet", ...args], { folder: folder.path });
  await run();
  const first = await folder.report();
  assertEquals(first.comparison, undefined);
  const wrong = await run("--url", "ws://127.0.0.1:1");
  assertEquals(wrong.code, 3);
  assertStringIncludes(wrong.stdout, "Kept the earlier report of ");
  assertEquals((await folder.report()).startedAt, first.startedAt);
  assertEquals((await folder.report("reports/failed")).verdict.exitCode, 3);
  const second = await run();
  assertEquals(second.code, 0);
  assertStringIncludes(second.stdout, " since the last run");
  const { comparison } = await folder.report();
  assertEquals([comparison?.automatic, comparison?.baselines], [true, 1]);
  const kept = `reports/history/${first.startedAt.replaceAll(":", "-")}.json`;
  assertEquals((await folder.files("reports/history")).has(kept), true);
  // An explicit baseline wins, and skips runs that measured nothing.
  const asked = await run("--baseline", "reports", "--baseline", kept, "--out", "other");
  assertEquals(asked.code, 0, asked.stderr);
  const { comparison: wanted } = await folder.report("other");
  assertEquals([wanted?.automatic, wanted?.baselines], [undefined, 2]);
});

Deno.test("cli: bench:open opens the page, bench may not", {
  ignore: NEEDS_PROCESSES || Deno.build.os !== "linux",
}, async () => {
  await using folder = await makeUserFolder();
  const opener = `${folder.path}/xdg-open`;
  await folder.write("xdg-open", `#!/bin/sh\nprintf %s "$1" > '${folder.path}/opened'\n`);
  await Deno.chmod(opener, 0o755);
  const env = { PATH: `${folder.path}:${Deno.env.get("PATH")}` };
  const url = `file://${folder.path}/reports/report.html`;
  const opened = await runCli(SHORT_RUN, { folder: folder.path, env, via: "bench:open" });
  assertEquals(opened.code, 0, opened.stderr);
  assertEquals(opened.stdout.trimEnd().split("\n").at(-1), url);
  assertEquals((await folder.files()).get("opened"), url);
  await folder.write("xdg-open", "#!/bin/sh\nexit 3\n");
  const failing = await runCli(SHORT_RUN, { folder: folder.path, env, via: "bench:open" });
  assertEquals(failing.code, 0);
  assertStringIncludes(failing.stderr, `Cannot open ${url}: xdg-open exited with code 3`);
  const refused = await runCli(["--open"], { folder: folder.path });
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "Cannot use --open, as this task may not start xdg-open");
  const pageless = await runCli(["--format", "json"], { folder: folder.path, via: "bench:open" });
  assertEquals(pageless.code, 2);
  assertStringIncludes(pageless.stderr, "accepted is a --format that includes html");
});
