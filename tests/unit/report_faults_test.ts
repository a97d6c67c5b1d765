import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Check, Report, Scalar, ScenarioReport } from "../../lib/schema.ts";
import { faultTable } from "../../lib/report/fault_rows.ts";
import { findings } from "../../lib/report/findings.ts";
import { renderHtml } from "../../lib/report/html.ts";
import { insights } from "../../lib/report/insights.ts";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { renderTerminalSummary } from "../../lib/report/terminal.ts";
import { sampleReport, sampleScenario } from "../support/sample_report.ts";

function scalar(name: string, rounds: number[], rest: Partial<Scalar> = {}): Scalar {
  const value = rounds.toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)]!;
  return { name, kind: "scalar", unit: "ns", value, ci95: null, better: null, rounds, ...rest };
}

function check(name: string, passed: boolean): Check {
  return { name, passed, expected: "this", observed: passed ? "this" : "that" };
}

const LIMITS = sampleScenario("rate-limit", {
  parameters: { rounds: 1, expectLimits: "session=50/5" },
  overloads: true,
  metrics: [
    scalar("sessionBurst", [50], { unit: "calls", ci95: [49, 51] }),
    scalar("sessionRefill", [5.04], { unit: "calls/s", ci95: [4.9, 5.2] }),
    scalar("ipBurst", [100], { unit: "calls", ci95: [100, 100] }),
  ],
});

const STORM = sampleScenario("reconnect-storm", {
  parameters: { rounds: 3, connections: 8 },
  metrics: [
    ...["DropImmediate", "DropBackoff"].flatMap((phase, index) => [
      scalar(`served99${phase}`, [4e6 + index * 50e6, 5e6 + index * 50e6, 9e6 + index * 50e6]),
      scalar(`handshakes${phase}`, [8 - index, 6, 7 - index], { unit: "handshakes" }),
      scalar(`refused${phase}`, [1, 2, 4], { unit: "attempts" }),
    ]),
  ],
});

const CONDUCT = sampleScenario("malformed-input", {
  checks: [
    check("unknown op", true),
    check("not JSON", true),
    check("every message answered", true),
    check("ledger reconciles", true),
  ],
  notMeasured: [{ name: "rate limit", reason: "see elsewhere" }],
});

function reportOf(...scenarios: ScenarioReport[]): Report {
  const report = sampleReport("passed");
  return { ...report, scenarios: [...report.scenarios, ...scenarios] };
}

function texts(report: Report): string[] {
  return insights(report).filter(({ topic }) => topic === "faults").map(({ text }) => text);
}

Deno.test("budgets are shown with their ranges and what was expected", () => {
  assertEquals(faultTable(LIMITS)?.rows, [
    [
      "One session",
      "50 calls",
      "49 calls to 51 calls",
      "5.04 calls/s",
      "4.9 calls/s to 5.2 calls/s",
      "50/5",
    ],
    ["One IP address", "100 calls", "100 calls to 100 calls", "–", "–", "–"],
  ]);
  assertEquals(texts(reportOf(LIMITS)), [
    "A session may make 50 calls at once, then 5 a second.",
    "An IP address may make 100 calls at once.",
  ]);
});

Deno.test("a storm is shown by its median round, its worst peak and all that was refused", () => {
  assertEquals(faultTable(STORM)?.rows, [
    ["Clients dropped, back at once", "5.00 ms", "–", "–", "8", "7"],
    ["Clients dropped, jittered back-off", "55.0 ms", "–", "–", "7", "7"],
  ]);
  assertEquals(texts(reportOf(STORM)), [
    "When all 8 clients drop at once, 99 % are served again after 5.00 ms if they come back at " +
    "once, and 55.0 ms with jittered back-off.",
  ]);
});

Deno.test("the protocol's rows are counted without the suite's own checks", () => {
  assertEquals(faultTable(CONDUCT)?.rows, [["2", "2", "1", "–", "–"]]);
  const good = insights(reportOf(CONDUCT)).find(({ topic }) => topic === "faults");
  assertEquals([good?.tone, good?.text.includes("all of 2 rows")], ["good", true]);
  const broken = structuredClone(CONDUCT);
  broken.checks[0]!.passed = false;
  broken.status = "failed";
  const bad = insights(reportOf(broken)).find(({ topic }) => topic === "faults");
  assertEquals([bad?.tone, bad?.text], [
    "bad",
    "Of 2 rows of the protocol that were tried, 1 are kept.",
  ]);
});

Deno.test("every format shows the tables or the sentences of what was found", () => {
  const report = reportOf(LIMITS, STORM, CONDUCT);
  const markdown = renderMarkdown(report);
  const html = renderHtml(report);
  for (const scenario of [LIMITS, STORM, CONDUCT]) {
    const { title, rows } = faultTable(scenario)!;
    assertStringIncludes(markdown, `**${title}:**`);
    assertStringIncludes(html, title);
    for (const cell of rows.flat()) assert(html.includes(cell) && markdown.includes(cell), cell);
  }
  const terminal = renderTerminalSummary(report, { color: false, width: 200 });
  for (const text of texts(report)) assertStringIncludes(terminal, text);
});

Deno.test("scenarios that found nothing have neither table nor sentence", () => {
  const none = ["rate-limit", "reconnect-storm", "malformed-input", "soak"]
    .map((name) => sampleScenario(name));
  assertEquals(none.map(faultTable), [null, null, null, null]);
  assertEquals(texts(reportOf(...none)), []);
});

Deno.test("refusals that were looked for are a note, unless the scenario failed", () => {
  const ledger = { ...LIMITS.ledger, sent: 2, ok: 1, rateLimited: 1 };
  const levelOf = (scenario: ScenarioReport) =>
    findings(reportOf(scenario)).find(({ text }) => text.includes("were not served"))?.level;
  assertEquals(levelOf({ ...LIMITS, ledger }), "note");
  assertEquals(levelOf({ ...LIMITS, ledger, status: "failed" }), "failure");
  assertEquals(levelOf({ ...LIMITS, ledger, overloads: false }), "warning");
  const sentenceOf = (scenario: ScenarioReport) =>
    insights(reportOf(scenario)).find(({ text }) => text.includes("were not served"))?.tone;
  assertEquals(sentenceOf({ ...LIMITS, ledger }), undefined);
  assertEquals(sentenceOf({ ...LIMITS, ledger, status: "failed" }), "bad");
  assertEquals(sentenceOf({ ...LIMITS, ledger, overloads: false }), "bad");
});
