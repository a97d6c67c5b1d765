import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startFaultyServer } from "../support/faulty_server.ts";
import {
  makeUserFolder,
  NEEDS_PROCESSES,
  runCli,
  SHORT_RUN,
  startCli,
  startServe,
  type UserFolder,
} from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };
const TOKEN = "a-token-of-the-tests-1234";

/** Asserts that all three reports are complete, and the exit code is in report.json. */
async function assertReports(folder: UserFolder, exitCode: number): Promise<void> {
  const files = await folder.files("reports");
  const page = files.get("reports/report.md")!;
  assertEquals([...files.keys()].sort(), [
    ...[...page.matchAll(/\]\((charts\/[^)]*)\)/g)].map(([, path]) => `reports/${path}`).sort(),
    "reports/report.html",
    "reports/report.json",
    "reports/report.md",
  ]);
  assertEquals((await folder.report()).verdict.exitCode, exitCode);
  assert(files.get("reports/report.html")!.trimEnd().endsWith("</html>"));
  assert(page.endsWith("\n"));
}

Deno.test("cli: a passing run exits 0 with its result on stdout", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli(SHORT_RUN, { folder: folder.path });
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "1 of 1 scenario passed");
  assertStringIncludes(stdout, `${folder.path}/reports/report.json`);
  const [planned, begun, ended, ...more] = stderr.split("\n");
  assertEquals([begun, ...more], ["[epoch 1/1]", ""]);
  assert(planned!.startsWith("Planned: 1 scenario (quick), 1 epoch, "), stderr);
  assert(/^message-throughput: passed after [\d.]+ m?s$/.test(ended!), stderr);
  await assertReports(folder, 0);
  const { verdict, scenarios, target } = await folder.report();
  assertEquals(verdict, { status: "passed", exitCode: 0, reasons: [] });
  assertEquals(scenarios.map(({ name }) => name), ["message-throughput"]);
  assertEquals(target.kind, "embedded");
});

Deno.test("cli: a limiter that sets in while measuring is reported, exit 1", options, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--limits", "default"], { folder: folder.path });
  // The lead-in takes 24 calls of a session's burst of 50.
  const { code, stdout } = await runCli([
    ...[...SHORT_RUN, "--url", server.url, "--timeout", "0.3"],
    ...["--max-rate", "600", "--duration", "0.5"],
  ], { folder: folder.path });
  assertEquals(code, 1, stdout);
  const { rateLimit, scenarios: [scenario] } = await folder.report();
  // On a slow client, some calls come after the first refill.
  const atCall = rateLimit!.atCall!;
  assert(atCall >= 51 && atCall < 60, String(atCall));
  assertStringIncludes(stdout.replace(/\s+/g, " "), `refused call ${atCall} of a session`);
  assertStringIncludes(stdout, "--max-rate");
  await assertReports(folder, 1);
  const { ledger, warmupLedger } = scenario!;
  // Refills while refused calls wait are served too.
  assert(ledger.ok + warmupLedger.ok >= 50);
  // A slow client may meet the limit in the lead-in.
  assert(ledger.ok + warmupLedger.ok < ledger.sent + warmupLedger.sent);
});

/** Kills the server in this epoch and returns the report that the run still wrote. */
async function reportOfKilled(epoch: number, args: readonly string[]) {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--limits", "off"], { folder: folder.path });
  await using running = startCli([
    ...["--profile", "quick", "--warmup", "0", "--epochs", "100", "--url", server.url, ...args],
    ...["--scenarios", "message-throughput,concurrent-connections"],
  ], { folder: folder.path });
  await running.waitFor("stderr", new RegExp(`\\[epoch ${epoch}/100\\]`));
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.kill("SIGKILL");
  const { code, stdout } = await running.result;
  assertEquals(code, 1, stdout);
  await assertReports(folder, 1);
  return { ...await folder.report(), stdout };
}

Deno.test("cli: a server dies mid-epoch: exit 1, complete reports, no hang", options, async () => {
  const { scenarios, epochs } = await reportOfKilled(1, ["--duration", "10"]);
  assertEquals([epochs, ...scenarios.map(({ status }) => status)], [1, "failed", "failed"]);
  for (const { ledger: { sent, ok, connectionLost }, reason, checks } of scenarios) {
    assertEquals(sent, ok + connectionLost);
    assertStringIncludes(reason!, "Cannot connect");
    assertStringIncludes(reason!, "; the server answered before: see its log");
    const slices = checks.find(({ kind }) => kind === "slices")!;
    assert(!slices.passed && slices.seen! < slices.wanted!, slices.observed);
  }
  // The lost call may have been in a lead-in.
  const ledgers = scenarios.flatMap(({ ledger, warmupLedger }) => [ledger, warmupLedger]);
  assert(ledgers.some(({ sent, connectionLost }) => connectionLost > 0 || sent === 0));
});

Deno.test("cli: a server dies after some epochs: exit 1, epochs are kept", options, async () => {
  const { scenarios, epochs, stdout } = await reportOfKilled(3, ["--duration", "0.05"]);
  assert(epochs >= 3 && epochs < 100, String(epochs));
  for (const { name, status, reason, metrics, ledger } of scenarios) {
    assertEquals(status, "failed");
    assertStringIncludes(reason!, "Cannot connect");
    const rate = metrics.find((metric) => metric.name === "throughput")!;
    assert(rate.epochs.length >= 2 && rate.epochs.length < 100, name);
    assert(ledger.ok > 0);
  }
  assertStringIncludes(stdout.replace(/\s+/g, " "), "every slice measured");
});

Deno.test("cli: a bad command line exits 2 with a message and no reports", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write("file", "mine");
  const cases: [string[], string, Record<string, string>?][] = [
    [["--epochs", "x"], 'Cannot use --epochs "x": accepted is a whole number'],
    [["--epcohs", "3"], "Unknown option --epcohs: did you mean --epochs?"],
    [["--url", ""], "--url needs a value"],
    [["--", "stray"], 'Cannot use the argument "stray"'],
    [["--token", "too-short"], "16 characters or more"],
    [["--out", "file"], `Cannot use --out "${folder.path}/file"`],
    [["--out", "file/below"], `Cannot use --out "${folder.path}/file/below"`],
    [[], "Cannot use EXAI_WS_PORT", { EXAI_WS_PORT: "x" }],
    [[], "Cannot use EXAI_WS_TOKEN", { EXAI_WS_TOKEN: "too-short" }],
  ];
  await Promise.all(cases.map(async ([args, message, env = {}]) => {
    const { code, stdout, stderr } = await runCli(args, { folder: folder.path, env });
    assertEquals([code, stdout], [2, ""], `${args}: ${stderr}`);
    assert(stderr.startsWith("error: "), stderr);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trimEnd().split("\n").length, 1, "one line, no stack");
    assert(!stderr.includes("too-short"));
  }));
  assertEquals(await folder.files(), new Map([["file", "mine"]]));
});

Deno.test("cli: an unknown tool counts nothing as served, exit 3", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout } = await runCli(["--tool", "status_EXAI-WS-VSCode1"], {
    folder: folder.path,
  });
  assertEquals(code, 3);
  const text = stdout.replace(/\s+/g, " ");
  assertStringIncludes(text, "TOOL_NOT_FOUND");
  assertStringIncludes(text, "strips a trailing -EXAI-WS, not -EXAI-WS-VSCode1: try status");
  await assertReports(folder, 3);
  const { scenarios, verdict } = await folder.report();
  assertEquals(scenarios.reduce((sum, { ledger }) => sum + ledger.ok, 0), 0);
  assertEquals(scenarios.filter(({ status }) => status === "passed"), []);
  assertEquals(verdict.status, "failed");
});

Deno.test("cli: a port without a server exits 3 with cause and advice", options, async () => {
  await using folder = await makeUserFolder();
  const url = "ws://127.0.0.1:1"; // Nothing listens there.
  const { code, stdout } = await runCli(["--url", url], { folder: folder.path });
  assertEquals(code, 3);
  assertStringIncludes(stdout, `Cannot connect to ${url}`);
  assertStringIncludes(stdout, "--url");
  await assertReports(folder, 3);
});

Deno.test("cli: a wrong and a missing token exit 3 with separate advice", options, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--limits", "off"], {
    folder: folder.path,
    env: { EXAI_WS_TOKEN: TOKEN },
  });
  const run = (env: Record<string, string>) =>
    runCli([...SHORT_RUN, "--url", server.url], { folder: folder.path, env });
  const wrong = await run({ EXAI_WS_TOKEN: "another-token-of-16" });
  assertEquals(wrong.code, 3);
  assertStringIncludes(wrong.stdout.replace(/\s+/g, " "), "token given is not the server's");
  await assertReports(folder, 3);
  const none = await run({});
  assertEquals(none.code, 3);
  assertStringIncludes(none.stdout.replace(/\s+/g, " "), "Give its token in EXAI_WS_TOKEN");
  assertEquals((await run({ EXAI_WS_TOKEN: TOKEN })).code, 0);
});

Deno.test("cli: a server's limits are found and respected, exit 0", options, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--limits", "default"], { folder: folder.path });
  const { code, stdout } = await runCli(
    ["--profile", "quick", "--epochs", "2", "--url", server.url],
    { folder: folder.path },
  );
  assertEquals(code, 0, stdout);
  // A slow machine does not reach the limit of its address.
  assertMatch(
    stdout.replace(/\s+/g, " "),
    /limit: a burst of 50 calls, then 5 a second per session( and 10 a second per address)?. This run stayed at 4/,
  );
  await assertReports(folder, 0);
  const { rateLimit, scenarios } = await folder.report();
  assertEquals([rateLimit?.scenario, rateLimit?.burst], [null, 50]);
  for (const { name, ledger, warmupLedger, parameters } of scenarios) {
    assertEquals([ledger.rateLimited, warmupLedger.rateLimited], [0, 0], name);
    assertEquals(parameters.maxRatePerSecond, 4);
  }
});

Deno.test("cli: --ignore-limits counts refused calls, exit 1", options, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--limits", "default", "--dialect", "nov"], {
    folder: folder.path,
  });
  const { code, stdout } = await runCli(
    [
      ...["--profile", "quick", "--scenarios", "message-throughput", "--url", server.url],
      ...["--epochs", "2", "--tool-args", '{"n":{seq}}', "--ignore-limits", "--messages", "120"],
    ],
    { folder: folder.path },
  );
  assertEquals(code, 1, stdout);
  await assertReports(folder, 1);
  const { rateLimit, scenarios: [scenario] } = await folder.report();
  const atCall = rateLimit!.atCall!;
  assert(atCall >= 51 && atCall < 120, String(atCall));
  assertEquals(stdout.split(`refused call ${atCall} of a session`).length, 2, "said once");
  assert(scenario!.ledger.rateLimited > 0);
});

Deno.test("cli: a limit too tight to measure under exits 3 with its figures", options, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--user-rate", "10:0.1"], { folder: folder.path });
  const { code, stdout } = await runCli([...SHORT_RUN, "--url", server.url], {
    folder: folder.path,
  });
  assertEquals(code, 3, stdout);
  assertStringIncludes(
    stdout.replace(/\s+/g, " "),
    "it served 10 calls at once and then 0.10 a second",
  );
  await assertReports(folder, 3);
});

Deno.test("cli: --strict exits 6 if a cache served calls, and only then", options, async () => {
  await using folder = await makeUserFolder();
  // From its cache whatever the arguments, so it cannot be bypassed.
  await using caching = await startFaultyServer({
    script: (nth) => nth === 1 ? { kind: "ok" } : { kind: "fromCache" },
  });
  // At a capped rate the client's floor, which takes several epochs, does not matter.
  const run = ({ url }: { url: string }, ...args: string[]) =>
    runCli([...SHORT_RUN, "--url", url, "--max-rate", "500", ...args], { folder: folder.path });
  const strict = await run(caching, "--strict");
  assertEquals(strict.code, 6, strict.stdout);
  assertStringIncludes(strict.stdout, "cache");
  await assertReports(folder, 6);
  assertEquals((await run(caching)).code, 0);
  await using server = await startServe(["--limits", "off", "--dialect", "nov"], {
    folder: folder.path,
  });
  const fresh = await run(server, "--strict");
  assertEquals(fresh.code, 0, fresh.stdout);
});
