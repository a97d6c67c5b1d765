import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type CliResult,
  makeUserFolder,
  NEEDS_PROCESSES,
  type RunningCli,
  startCli,
  startServe,
  type UserFolder,
} from "../support/run_cli.ts";

/** Windows has no SIGTERM, and its SIGINT kills outright. */
const options = { ignore: NEEDS_PROCESSES || Deno.build.os === "windows" };

/** Epochs that outlast any test. */
const LONG_RUN = ["--profile", "quick", "--warmup", "0", "--epochs", "2", "--duration", "25"];
const TWO_SCENARIOS = ["--scenarios", "message-throughput,concurrent-connections"];

/** Waits until the run is measuring. */
async function untilMeasuring(running: RunningCli): Promise<void> {
  await running.waitFor("stderr", /\[epoch 1\/2\]/);
  await new Promise((resolve) => setTimeout(resolve, 200));
}

/** Starts a run, sends the signal while it is measuring, and returns how it ended. */
async function runInterrupted(
  { path }: UserFolder,
  { signal = "SIGINT", args = TWO_SCENARIOS, via = "bench" }: {
    signal?: Deno.Signal;
    args?: readonly string[];
    via?: "bench" | "task";
  } = {},
): Promise<CliResult> {
  await using running = startCli([...LONG_RUN, ...args], { folder: path, via });
  await untilMeasuring(running);
  running.kill(signal);
  return await running.result;
}

/** Asserts complete reports, all marked as interrupted, and that the bundled server is gone. */
async function assertInterrupted(folder: UserFolder): Promise<void> {
  const { verdict, scenarios, target } = await folder.report();
  assertEquals(verdict.status, "interrupted");
  assertEquals(verdict.exitCode, 130);
  assert(scenarios.some(({ status }) => status === "interrupted"));
  const files = await folder.files("reports");
  const page = files.get("reports/report.md")!;
  assertEquals([...files.keys()].sort(), [
    ...[...page.matchAll(/\]\((charts\/[^)]*)\)/g)].map(([, path]) => `reports/${path}`).sort(),
    "reports/report.html",
    "reports/report.json",
    "reports/report.md",
  ]);
  for (const name of ["reports/report.md", "reports/report.html"]) {
    assert(/interrupted/i.test(files.get(name)!), name);
  }
  assert(files.get("reports/report.html")!.trimEnd().endsWith("</html>"));
  const { hostname, port } = new URL(target.url);
  await assertRejects(
    () => Deno.connect({ hostname, port: Number(port) }),
    Deno.errors.ConnectionRefused,
  );
}

Deno.test("cli: Ctrl-C while measuring leaves complete reports, exit 130", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runInterrupted(folder);
  assertEquals(code, 130, stderr);
  assertStringIncludes(stderr, "Interrupted: writing what was measured so far");
  assertStringIncludes(stdout, "INTERRUPTED");
  await assertInterrupted(folder);
  const { scenarios, epochs } = await folder.report();
  // They share a case, so they are measured in the same blocks.
  assertEquals(scenarios.map(({ status }) => status), ["interrupted", "interrupted"]);
  assertEquals(epochs, 0);
  for (const { ledger } of scenarios) assertEquals(ledger.sent, ledger.ok + ledger.aborted);
});

Deno.test("cli: Ctrl-C after some epochs keeps them", options, async () => {
  await using folder = await makeUserFolder();
  await using running = startCli([
    ...["--profile", "quick", "--warmup", "0", "--epochs", "200", "--duration", "0.05"],
    ...["--scenarios", "message-throughput,reconnection"],
  ], { folder: folder.path });
  await running.waitFor("stderr", /\[epoch 3\/200\]/);
  // The report already has the earlier epochs, marked as interrupted.
  const partial = await folder.report();
  assertEquals([partial.verdict.status, partial.epochs], ["interrupted", 2]);
  running.kill("SIGINT");
  assertEquals((await running.result).code, 130);
  await assertInterrupted(folder);
  const { scenarios, epochs } = await folder.report();
  assert(epochs >= 2 && epochs < 200, String(epochs));
  for (const { name, status, metrics } of scenarios) {
    assertEquals(status, "interrupted", name);
    const headline = metrics.find(({ role }) => role === "headline")!;
    assert(headline.epochs.length >= 2, name);
  }
});

/** Interrupts a run against a frozen server, so that shutting down takes seconds. */
async function interruptFrozen(folder: UserFolder, after: (running: RunningCli) => Promise<void>) {
  await using server = await startServe(["--limits", "off"], { folder: folder.path });
  await using running = startCli([...LONG_RUN, ...TWO_SCENARIOS, "--url", server.url], {
    folder: folder.path,
  });
  await untilMeasuring(running);
  server.kill("SIGSTOP");
  running.kill("SIGINT");
  await running.waitFor("stderr", /Interrupted:/);
  await after(running);
  return await running.result;
}

Deno.test("cli: a second Ctrl-C within a second counts as the same one", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stderr } = await interruptFrozen(folder, async (running) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    running.kill("SIGINT");
  });
  assertEquals(code, 130, stderr);
  assertEquals(stderr.split("Interrupted:").length - 1, 1, stderr);
  assertEquals((await folder.report()).verdict.status, "interrupted");
});

Deno.test("cli: a later second Ctrl-C quits immediately", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout } = await interruptFrozen(folder, async (running) => {
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    running.kill("SIGINT");
  });
  assertEquals([code, stdout], [130, ""]);
  assertEquals([...(await folder.files()).keys()], []);
});

Deno.test("cli: SIGTERM does the same with exit 143", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stderr } = await runInterrupted(folder, { signal: "SIGTERM" });
  assertEquals(code, 143, stderr);
  await assertInterrupted(folder);
});

Deno.test("workload: an interrupt ends it with the exit code of its signal", options, async () => {
  await using folder = await makeUserFolder();
  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const args = ["--url", "ws://127.0.0.1:9", "--wait", "60"];
    await using running = startCli(args, { folder: folder.path, via: "workload" });
    await running.waitFor("stderr", /waiting up to 60 s/);
    running.kill(signal);
    const { code, stderr } = await running.result;
    assertEquals(code, expected, stderr);
    assertStringIncludes(stderr, "Interrupted: no draft is made");
  }
});

Deno.test("cli: an interrupt is not blamed on the server", options, async () => {
  await using folder = await makeUserFolder();
  const args = ["--scenarios", "concurrent-connections", "--connections", "8"];
  assertEquals((await runInterrupted(folder, { args })).code, 130);
  await assertInterrupted(folder);
  const { verdict: { reasons } } = await folder.report();
  assertEquals(reasons.filter(({ code }) => code !== 130), []);
});

Deno.test("cli: Ctrl-C on the task ends its program too", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stderr } = await runInterrupted(folder, { via: "task" });
  assertEquals(code, 130, stderr);
  await assertInterrupted(folder);
});
