/**
 * junit.xml: scenarios as test suites, checks as test cases. The format:
 * https://github.com/jenkinsci/xunit-plugin, junit-10.xsd; https://github.com/testmoapp/junitxml.
 *
 * @module
 */

import type { Check, Comparison, Report, ScenarioReport, ThresholdResult } from "../../schema.ts";
import { escapeHtml } from "../escape.ts";
import { rowLabel } from "../quantities.ts";
import { formatQuantity } from "../units.ts";

/** A test case: passed, unless it has a failure or a reason why it was skipped. */
interface Case {
  name: string;
  failure?: { message: string; body: string };
  skipped?: string;
}

interface Suite {
  name: string;
  cases: Case[];
  seconds?: number;
  timestamp?: string;
}

/**
 * The report as JUnit XML: preflight, scenarios, thresholds, the gates of a comparison that was asked
 * for, and the verdict, so that a failed run always has a failure. What was not measured or is
 * undecided is skipped.
 */
export function renderJunit(report: Report): string {
  const { preflight, scenarios, thresholds = [], comparison, ab } = report;
  const suites: Suite[] = [
    { name: "preflight", cases: preflight.map(checkCase) },
    ...scenarios.map(scenarioSuite),
    { name: "thresholds", cases: thresholds.map(thresholdCase) },
    { name: ab === undefined ? "baseline" : "ab", cases: comparisonCases(comparison) },
    { name: "run", timestamp: report.startedAt, cases: [verdictCase(report)] },
  ].filter(({ cases }) => cases.length > 0);
  const seconds = suites.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
  // Jenkins' schema has no `skipped` on the root.
  const { skipped: _, ...all } = totals(suites.flatMap(({ cases }) => cases));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: report.suite.name, ...all, time: seconds.toFixed(3) })}>`,
    ...suites.flatMap(suiteLines),
    "</testsuites>\n",
  ].join("\n");
}

function scenarioSuite(scenario: ScenarioReport): Suite {
  const { name, status, reason, checks, notMeasured } = scenario;
  const end = "the scenario ran to its end";
  // The scenario's own outcome, unless its checks show it.
  const isSaid = status === "passed" ||
    (status === "failed" && checks.some(({ passed }) => !passed));
  const outcome = status === "skipped"
    ? { name: end, skipped: reason ?? status }
    : failed(end, reason ?? status);
  const cases = [
    ...checks.map(checkCase),
    ...notMeasured.map(({ name, reason }) => ({ name, skipped: reason })),
    ...isSaid ? [] : [outcome],
  ];
  return { name, seconds: scenario.durationMs / 1000, timestamp: scenario.startedAt, cases };
}

function checkCase({ name, passed, expected, observed }: Check): Case {
  if (passed) return { name };
  return failed(name, `observed: ${observed}`, `expected: ${expected}; observed: ${observed}`);
}

function thresholdCase({ expression, observed, unit, passed, reason }: ThresholdResult): Case {
  if (passed) return { name: expression };
  return failed(expression, reason ?? `observed: ${formatQuantity(observed, unit)}`);
}

function comparisonCases(comparison: Comparison | undefined): Case[] {
  if (comparison === undefined || comparison.automatic) return [];
  const { rows, newErrors } = comparison;
  const decided = rows.filter(({ gating }) => gating).map((row): Case => {
    const name = `${row.scenario} ${rowLabel(row, rows)}`;
    const { verdict, why, need, unit } = row;
    if (verdict === "undecided") {
      return { name, skipped: `undecided: ${why ?? ""}${need === null ? "" : `, ${need} needed`}` };
    }
    if (verdict !== "slower") return { name };
    const bounds = row.ci?.map((bound) => formatQuantity(bound, "x")).join(" to ") ?? "not known";
    const [before, now] = [row.old, row.new].map((value) => formatQuantity(value, unit));
    const ratio = formatQuantity(row.ratio, "x");
    return failed(name, `slower: ${before} to ${now}, ${ratio} (${bounds})`);
  });
  const errors = newErrors.map(({ scenario, kind, old, new: now }) =>
    failed(`${scenario} ${kind}`, `more errors: ${old} before, ${now} now`)
  );
  return [...decided, ...errors];
}

function verdictCase({ verdict: { status, exitCode, reasons } }: Report): Case {
  if (status === "passed") return { name: "verdict" };
  const body = reasons
    .map(({ scenario, message }) => (scenario === null ? "" : `${scenario}: `) + message);
  return failed("verdict", `${status}, exit code ${exitCode}`, body.join("; "));
}

function failed(name: string, message: string, body = message): Case {
  return { name, failure: { message, body } };
}

function suiteLines({ name, cases, seconds = 0, timestamp }: Suite): string[] {
  const own = attributes({ name, ...totals(cases), time: seconds.toFixed(3), timestamp });
  return [
    `  <testsuite ${own}>`,
    ...cases.flatMap((one) => caseLines(name, one)),
    "  </testsuite>",
  ];
}

function caseLines(suite: string, { name, failure, skipped }: Case): string[] {
  const own = `    <testcase ${attributes({ name, classname: suite, time: "0.000" })}`;
  if (failure === undefined && skipped === undefined) return [`${own}/>`];
  const inner = failure === undefined
    ? `<skipped ${attributes({ message: skipped! })}/>`
    : `<failure ${attributes({ message: failure.message, type: "check" })}>${
      escapeHtml(failure.body)
    }</failure>`;
  return [`${own}>`, `      ${inner}`, "    </testcase>"];
}

function totals(cases: readonly Case[]) {
  const count = (has: (one: Case) => unknown) => String(cases.filter(has).length);
  return {
    tests: String(cases.length),
    failures: count(({ failure }) => failure),
    errors: "0",
    skipped: count(({ skipped }) => skipped !== undefined),
  };
}

function attributes(values: Record<string, string | undefined>): string {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}="${escapeHtml(value)}"`
  ).join(" ");
}
