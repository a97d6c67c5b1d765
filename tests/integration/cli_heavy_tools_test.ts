import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli, startServe } from "../support/run_cli.ts";

const ignore = NEEDS_PROCESSES;
const TOOLS = JSON.stringify([{ tool: "chat", arguments: { prompt: "{unique}" }, repetitions: 2 }]);
/** One epoch of 5 calls: 2 alone, one by each of two clients, and one more by the first. */
const SMALL = ["--epochs", "1", "--connections", "2", "--unit-baseline", "1000"];
/** A server with quick tools. */
const QUICK = [
  ...["--limits", "off"],
  ...["chat", "analyze", "debug"].flatMap((tool) => ["--think", `${tool}=5:0`]),
];

Deno.test({ name: "cli: too many heavy calls are refused up front", ignore }, async () => {
  await using folder = await makeUserFolder();
  // Nothing listens there.
  const url = ["--url", "ws://127.0.0.1:9"];
  await folder.write("tools.json", TOOLS);
  const named = ["--scenarios", "heavy-tools", "--heavy-tools", "tools.json", ...SMALL];
  const { code, stderr } = await runCli([...url, ...named, "--max-calls", "4"], {
    folder: folder.path,
  });
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /--max-calls "4".*fewer calls of heavy tools than the 5 planned \(heavy-tools 5\): accepted is --max-calls 5 or more/,
  );
  assertEquals([...(await folder.files()).keys()], ["tools.json"], "no report is written");
  const allowed = await runCli([...url, ...named, "--max-calls", "5"], { folder: folder.path });
  assertEquals(allowed.code, 3);
  assertStringIncludes(
    allowed.stderr,
    "heavy tools: at most 5 calls (heavy-tools 5), --max-calls 5",
  );
});

Deno.test({ name: "cli: a bad file of heavy tools exits 2", ignore }, async () => {
  await using folder = await makeUserFolder();
  await folder.write("tools.json", '[{"tool":"chat","weight":0}]');
  const { code, stderr } = await runCli(["--heavy-tools", "tools.json"], { folder: folder.path });
  assertEquals(code, 2);
  assertStringIncludes(stderr, '--heavy-tools "tools.json": [0].weight is 0: accepted is');
});

Deno.test({ name: "cli: heavy tools run on an external server only by name", ignore }, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(QUICK, { folder: folder.path });
  await folder.write("tools.json", TOOLS);
  const url = ["--url", server.url, "--quiet", ...SMALL];
  const both = ["--scenarios", "heavy-tools,head-of-line"];
  const file = ["--heavy-tools", "tools.json"];
  for (const args of [both, ["--profile", "phase3"]]) {
    const { code, stderr } = await runCli([...url, ...args], { folder: folder.path });
    assertEquals([code, stderr], [1, ""], "nothing was measured");
    const { scenarios } = await folder.report();
    const skipped = ["heavy-tools", "head-of-line"].map((name) => [name, "skipped", 0]);
    assertEquals(
      scenarios.map(({ name, status, ledger }) => [name, status, ledger.sent]),
      args === both ? skipped : [...skipped, ["session-capacity", "skipped", 0]],
    );
    for (const { name, reason } of scenarios) {
      const file = name === "session-capacity" ? "--workload FILE" : "--heavy-tools FILE";
      assertStringIncludes(reason!, file);
    }
  }
  for (const args of [["--scenarios", "heavy-tools"], ["--profile", "phase3"]]) {
    const { code, stderr } = await runCli([...url, ...args, ...file], { folder: folder.path });
    assertEquals(code, 0);
    assertMatch(stderr, /^heavy tools: at most \d+ calls \(heavy-tools 5/);
    const { scenarios } = await folder.report();
    assertEquals([scenarios[0]!.status, scenarios[0]!.ledger.ok], ["passed", 5]);
    assertStringIncludes(String(scenarios[0]!.parameters.heavyTools), 'chat {"prompt":"{unique}"}');
  }
});

Deno.test({ name: "cli: heavy tools have their own report page", ignore }, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(QUICK, { folder: folder.path });
  await folder.write("tools.json", TOOLS);
  const { code } = await runCli([
    ...["--url", server.url, "--profile", "phase3", "--heavy-tools", "tools.json", ...SMALL],
  ], { folder: folder.path });
  assertEquals(code, 0);
  const files = await folder.files("reports");
  const page = files.get("reports/report.md")!;
  assertStringIncludes(page, "# Phase 3: End-to-End Load Tests - COMPLETE");
  assert(!page.includes("Phase 2") && !page.includes("not measured in this run;"));
  assert(!page.includes("heavy tools: not measured"));
  const html = files.get("reports/report.html")!;
  assertStringIncludes(html, "<title>Phase 3: End-to-End Load Tests - COMPLETE</title>");
});
