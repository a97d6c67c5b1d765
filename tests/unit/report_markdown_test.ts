import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report } from "../../lib/schema.ts";
import { validityRows } from "../../lib/report/accounting_rows.ts";
import { findings } from "../../lib/report/findings.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { findDistribution, findScalar, findScenario } from "../../lib/report/lookup.ts";
import { table } from "../../lib/report/markdown/blocks.ts";
import { SAMPLE_KINDS, sampleReport, sampleScenario } from "../support/sample_report.ts";

/** The part of a page below a heading that contains `heading`, up to the next of that level. */
function section(page: string, heading: string): string {
  const found = page.split(/^(?=## )/m).find((part) => part.split("\n")[0].includes(heading));
  assert(found !== undefined, `no section ${heading}`);
  return found;
}

/** Digits in groups of three, made without the code under test. */
function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function scalarValue(report: Report, { scenario, metric }: { scenario: string; metric: string }) {
  const value = findScalar(findScenario(report, scenario), metric)?.value;
  assert(value !== undefined);
  return value;
}

Deno.test("the sections are those of the phase document, in its order", () => {
  for (const kind of SAMPLE_KINDS) {
    const headings = renderMarkdown(sampleReport(kind)).match(/^## .*$/gm)
      ?.map((heading) => heading.replace(/^## (?:[^A-Za-z]+ )?/, "").replace(/:.*/, ""));
    assertEquals(headings, [
      "Summary",
      "Objective",
      "Completed Tasks",
      "Performance Results",
      kind === "phase3" ? "Heavy Tools" : "Key Achievements",
      "Performance Comparison",
      "Detailed Test Results",
      ...(kind === "compared" || kind === "hostile"
        ? ["Thresholds", "Comparison with the baseline"]
        : []),
      "Accounting",
      "Next Steps",
      "Files",
      "Validation Checklist",
      "Success Criteria",
      "Performance Insights",
    ]);
  }
});

Deno.test("the comparison with unit tests is computed from the two rates", () => {
  const report = sampleReport("passed");
  const single = scalarValue(report, { scenario: "message-throughput", metric: "throughput" });
  const all = scalarValue(report, { scenario: "concurrent-connections", metric: "throughput" });
  const unit = report.unitBaseline?.throughput ?? 0;
  const results = section(renderMarkdown(report), "Performance Results");
  assertStringIncludes(
    results,
    `| **Throughput (Single Client)** | ${grouped(single)} msg/s | ` +
      `**${grouped(unit / single)}x slower** than unit tests (3.1M msg/s) | ✅ |`,
  );
  assertStringIncludes(
    results,
    `| **Throughput (5 Concurrent)** | ${grouped(all)} msg/s | ` +
      `**${grouped(unit / all)}x slower** than unit tests (3.1M msg/s) | ✅ |`,
  );
});

Deno.test("average and P95 latency and connection time are those of the report", () => {
  const report = sampleReport("passed");
  const latency = findDistribution(findScenario(report, "message-throughput"), "latency");
  const establish = findDistribution(findScenario(report, "connection-establishment"), "establish");
  const milliseconds = (ns = NaN) => `${(ns / 1e6).toFixed(2)} ms`;
  const results = section(renderMarkdown(report), "Performance Results");
  assertStringIncludes(results, `| **Average Latency** | ${milliseconds(latency?.mean)} |`);
  assertStringIncludes(results, `| **P95 Latency** | ${milliseconds(latency?.p95 ?? NaN)} |`);
  assertStringIncludes(results, `| **Connection Time** | ${milliseconds(establish?.p50)} |`);
});

Deno.test("a measured baseline beside another server is said to be of another server", () => {
  const sentence = "The target is another server, so the ratio compares two implementations.";
  assertStringIncludes(renderMarkdown(sampleReport("failed")), sentence);
  assert(!renderMarkdown(sampleReport("passed")).includes(sentence));
});

Deno.test("a baseline slower than the target is told as such", () => {
  const report = sampleReport("passed");
  report.unitBaseline = { source: "given", throughput: 575.5 };
  const page = renderMarkdown(report);
  assertStringIncludes(page, "**2.0x faster** than unit tests (576 msg/s)");
  assertStringIncludes(page, "does not describe the same call");
  assertStringIncludes(page, "the figure given with --unit-baseline, not measured in this run");
});

Deno.test("without a baseline there is no ratio anywhere", () => {
  const report = sampleReport("passed");
  report.unitBaseline = null;
  const page = renderMarkdown(report);
  assert(!/\d+x slower/.test(page));
  assertStringIncludes(section(page, "Performance Results"), "no unit baseline in this run");
  assertStringIncludes(section(page, "Performance Comparison"), "–  (not measured in this run)");
  assertStringIncludes(page, "- [ ] Performance comparison documented: not measured");
});

Deno.test("the page says which server it is about", () => {
  assertStringIncludes(
    renderMarkdown(sampleReport("passed")),
    "**Target:** the bundled reference server, started and stopped by this run " +
      "(`ws://127.0.0.1:8079/`)",
  );
  assertStringIncludes(
    renderMarkdown(sampleReport("failed")),
    "**Target:** an external server (`ws://bench.example:8079/`)",
  );
});

Deno.test("a metric that is missing is not measured, in every place", () => {
  const report = sampleReport("passed");
  for (const scenario of report.scenarios) scenario.metrics = [];
  const page = renderMarkdown(report);
  const rows = section(page, "Performance Results").split("\n").filter((line) =>
    line.startsWith("| **")
  );
  assertEquals(rows.length, 5);
  for (const row of rows) assert(row.endsWith("| – | not measured | – |"), row);
  assertEquals(section(page, "Key Achievements").match(/^- – .*: not measured$/gm)?.length, 7);
});

Deno.test("a percentile that is null is a dash, with the reason", () => {
  const page = renderMarkdown(sampleReport("failed"));
  assertStringIncludes(
    page,
    "| **P95 Latency** | – | not measured: needs 200 replies, there were 2 | – |",
  );
  assertStringIncludes(
    page,
    "| `latency` | 2 | 0.61 ms | 0.86 ms | 0.82 ms | – | – | 4.02 ms | – |",
  );
});

Deno.test("every mark is that of a check or a scenario", () => {
  const report = sampleReport("passed");
  report.scenarios[4].checks[1].passed = false;
  report.scenarios[4].status = "failed";
  const page = renderMarkdown(report);
  assertStringIncludes(page, "### Test 5: Authentication ❌");
  assertStringIncludes(page, "| ❌ | wrong token | close 4003 unauthorized |");
  assertStringIncludes(page, "| ✅ | valid token | accepted | accepted |");
  assertStringIncludes(page, "- [ ] Authentication validated: 1 of 2 checks passed");
  assertStringIncludes(page, "- [x] Reconnection validated: 1 of 1 checks passed");
  assertStringIncludes(page, "- [ ] All tests passing: 5/6");
});

Deno.test("parameters that are not set are left out", () => {
  const report = sampleReport("passed");
  report.scenarios[1].parameters = { rounds: 5, messages: null };
  assertStringIncludes(renderMarkdown(report), "\n- Parameters: rounds 5\n");
});

Deno.test("a scenario of which too little was seen is neither valid nor invalid", () => {
  const report = sampleReport("passed");
  const judged = (marked: string) =>
    assertStringIncludes(
      renderMarkdown(report),
      `(not bounded by the client or a cache): ${marked}`,
    );
  for (const { validity } of report.scenarios) validity.clientCpu = 0.2;
  judged("6/6 scenarios\n");
  report.scenarios[0].validity.clientCpu = null;
  judged("5/6 scenarios; too little was seen of the others to tell\n");
  assertEquals(validityRows(report).map((row) => row[1]), ["–", "yes", "yes", "yes", "yes", "yes"]);
  report.scenarios[0].validity.valid = false;
  judged("1/6 scenarios are not\n");
  assertEquals(validityRows(report)[0]![1], "no");
});

Deno.test("a throughput that --max-rate capped establishes no baseline", () => {
  const report = sampleReport("passed");
  report.scenarios[1].parameters.maxRatePerSecond = 4;
  const page = renderMarkdown(report);
  assert(/^- – .*, capped by --max-rate 4: not the server's$/m.test(page), page);
  assert(!/^- \[x\] Performance baseline/m.test(page));
});

Deno.test("a client-bound number has a warning for a mark", () => {
  const results = section(renderMarkdown(sampleReport("failed")), "Performance Results");
  assert(/^\| \*\*Throughput \(5 Concurrent\)\*\* .* ⚠️ \|$/m.test(results), results);
});

Deno.test("a baseline is established only by scenarios that passed and are valid", () => {
  const line = (report: Report) =>
    /^- \[.\] Performance baseline .*$/m.exec(renderMarkdown(report))?.[0];
  const report = sampleReport("passed");
  assertEquals(
    line(report),
    "- [x] Performance baseline established: 1,151 msg/s, 1,771 msg/s",
  );
  report.scenarios[2].validity.valid = false;
  assertEquals(
    line(report),
    "- [ ] Performance baseline established: 1,151 msg/s, 1,771 msg/s, but not all of it passed " +
      "and valid",
  );
});

Deno.test("a skipped, an absent and a further scenario are told apart", () => {
  const page = renderMarkdown(sampleReport("skipped"));
  const tasks = section(page, "Completed Tasks");
  assertStringIncludes(
    tasks,
    "– **Reconnection** - disconnect and reconnect validation (not measured",
  );
  assertStringIncludes(tasks, "(skipped: the server accepts any token: its authentication is off)");
  assertStringIncludes(tasks, "7. ✅ **Pipelining** - What do several calls in flight");
  assertStringIncludes(page, "### Test 6: Pipelining ✅");
  assertStringIncludes(page, "| `throughput@8 (inFlight 8)` | 8,000 msg/s | 5 |");
  assertStringIncludes(page, "**Not measured in this run:** Reconnection.");
  assertStringIncludes(page, "- [ ] Authentication validated: not measured: the server accepts");
});

Deno.test("an interrupted run says so and ticks nothing that did not finish", () => {
  const page = renderMarkdown(sampleReport("interrupted"));
  assertStringIncludes(page, "# Phase 2: Real Integration Tests - INTERRUPTED");
  assertStringIncludes(page, "**Interrupted**: interrupted by SIGINT");
  assertStringIncludes(page, "- [ ] Performance baseline established: not measured");
  assertStringIncludes(section(page, "Next Steps"), "1. Run again to the end.");
  const report = sampleReport("passed");
  report.scenarios[2].status = "interrupted";
  assertStringIncludes(
    renderMarkdown(report),
    "- [ ] Concurrent connections tested (5 clients): interrupted; 2 of 2 checks passed",
  );
});

Deno.test("a run that ended in the preflight has no green mark but those of its checks", () => {
  const page = renderMarkdown(sampleReport("preflight_failure"));
  assertStringIncludes(page, "# Phase 2: Real Integration Tests - NOT MEASURED");
  assertStringIncludes(page, "### Preflight ❌");
  assertStringIncludes(page, "try status");
  const green = page.split("\n").filter((line) => line.includes("✅") && !line.startsWith("## "));
  assertEquals(green, ["| ✅ | connect | a WebSocket server | a WebSocket server |"]);
  assert(!page.includes("[x]"));
});

Deno.test("the ledger is that of the report, warm-up apart", () => {
  const accounting = section(renderMarkdown(sampleReport("failed")), "Accounting");
  assertStringIncludes(
    accounting,
    "| message-throughput | 100 | 2 | 0 | 47 | 50 | 1 | 0 | 0 | 0 | " +
      "OVER_CAPACITY × 50, TOOL_NOT_FOUND × 47 | 1000 × 1 |",
  );
  assertStringIncludes(accounting, "| message-throughput, warm-up | 20 | 20 |");
  assertStringIncludes(accounting, "| message-throughput | 101 | 99 | 2 | 0 | 0 | 0 | 0 |");
});

Deno.test("names with a meaning in JavaScript are ordinary scenario names", () => {
  const report = sampleReport("passed");
  report.scenarios.push(sampleScenario("constructor"), sampleScenario("__proto__"));
  assertStringIncludes(renderMarkdown(report), "### Test 7: Constructor ✅");
});

Deno.test("table() refuses a row of another length", () => {
  let message = "";
  try {
    table(["a", "b"], [["1"]]);
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, "Cannot write a table as a row must have 2 cells: it has 1");
});

Deno.test("the protocol's authentication is claimed only where it was measured and passed", () => {
  const report = sampleReport("passed");
  const line = (authentication: "passed" | "failed" | "skipped" | null) => {
    const scenarios = report.scenarios.flatMap((scenario) =>
      scenario.name !== "authentication"
        ? [scenario]
        : authentication === null
        ? []
        : [{ ...scenario, status: authentication }]
    );
    const page = section(renderMarkdown({ ...report, scenarios }), "Validation Checklist");
    return page.split("\n").find((text) => text.includes("WebSocket protocol validated"));
  };
  const measured = "2 of 2 checks passed, no stray or malformed frame, authentication";
  const both = "WebSocket protocol validated (handshake, framing, auth)";
  const opening = "WebSocket protocol validated (handshake, framing)";
  assertEquals(line("passed"), `- [x] ${both}: ${measured} passed`);
  assertEquals(line("failed"), `- [ ] ${both}: ${measured} failed`);
  assertEquals(line("skipped"), `- [x] ${opening}: ${measured} not measured`);
  assertEquals(line(null), `- [x] ${opening}: ${measured} not measured`);
});

Deno.test("the handshake is called what it is in each protocol", () => {
  const report = sampleReport("passed");
  for (
    const [protocol, what] of [
      ["exai", "Authenticate: hello to its answer"],
      ["mcp", "Initialize: request to its answer"],
      ["echo", "Handshake: none beyond WebSocket's own"],
    ] as const
  ) {
    const page = renderMarkdown({ ...report, target: { ...report.target, protocol } });
    assertStringIncludes(section(page, "Performance Results"), what);
  }
});

Deno.test("a skipped authentication has no green mark, though its ledger adds up", () => {
  const report = sampleReport("passed");
  const ledgerCheck = {
    name: "ledger reconciles",
    passed: true,
    expected: "every call and every frame accounted for once",
    observed: "all equations hold",
  };
  const scenarios = report.scenarios.map((scenario) =>
    scenario.name !== "authentication" ? scenario : sampleScenario("authentication", {
      status: "skipped",
      reason: "the echo protocol has no authentication",
      checks: [ledgerCheck],
    })
  );
  const page = section(renderMarkdown({ ...report, scenarios }), "Key Achievements");
  assertStringIncludes(page, "### 3. Authentication & Connection Limits\n");
  assertStringIncludes(
    page,
    "**Authentication:**\n\n- – Authentication: not measured (the echo protocol has no authentication)\n\n" +
      "**Connection limits:**",
  );
  const passed = section(renderMarkdown(report), "Key Achievements");
  assertStringIncludes(passed, "### 3. Authentication & Connection Limits Validated\n");
});

Deno.test("more than five notes are folded up", () => {
  const report = sampleReport("passed");
  const pageWith = (count: number) => {
    report.scenarios[0].notes = Array.from({ length: count }, (_, index) => `note ${index + 1}`);
    return renderMarkdown(report);
  };
  const own = findings(report).filter(({ level }) => level === "note").length;
  assert(own <= 5);
  assertStringIncludes(pageWith(5 - own), "**Worth knowing:**\n\n- ");
  const folded = pageWith(6 - own);
  assertStringIncludes(folded, "<details>\n<summary>Worth knowing (6 notes)</summary>\n\n- ");
  assertStringIncludes(folded, "note 1\n");
  assertEquals(folded.match(/<details>/g)?.length, folded.match(/\n\n<\/details>/g)?.length);
  assertStringIncludes(renderHtml(report), "<details><summary>6 notes</summary>");
});
