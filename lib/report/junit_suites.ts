/**
 * A report as suites of test cases, as JUnit has them. Plain text: whoever writes it escapes it.
 *
 * @module
 */

import type { Comparison, Report, ScenarioReport, ThresholdResult } from "../schema.ts";
import { comparisonRows } from "./comparison_rows.ts";
import { formatQuantity } from "./units.ts";

/** One test case: passed where it is neither a failure nor skipped. */
export interface Case {
  name: string;
  failure?: { message: string; body: string };
  /** Why. */
  skipped?: string;
}

/** The cases of one subject. */
export interface Suite {
  name: string;
  seconds: number;
  timestamp: string | null;
  cases: Case[];
}

/**
 * The preflight, each scenario with its checks, the user's bounds, the comparison with the baseline, and the
 * verdict; suites without a case are left out. A run that did not pass has at least one failure.
 */
export function suitesOf(report: Report): Suite[] {
  const { preflight, scenarios, thresholds = [], comparison } = report;
  return [
    timeless("preflight", preflight.map(checkCase)),
    ...scenarios.map(scenarioSuite),
    timeless("thresholds", thresholds.map(thresholdCase)),
    timeless("baseline", comparison === undefined ? [] : baselineCases(comparison)),
    verdictSuite(report),
  ].filter(({ cases }) => cases.length > 0);
}

function timeless(name: string, cases: Case[]): Suite {
  return { name, seconds: 0, timestamp: null, cases };
}

function scenarioSuite(scenario: ScenarioReport): Suite {
  const notMeasured = scenario.notMeasured.map(({ name, reason }) => ({ name, skipped: reason }));
  return {
    name: scenario.name,
    seconds: scenario.durationMs / 1000,
    timestamp: scenario.startedAt,
    cases: [...scenario.checks.map(checkCase), ...notMeasured, ...statusCase(scenario)],
  };
}

function checkCase({ name, passed, expected, observed }: Report["preflight"][number]): Case {
  return passed ? { name } : {
    name,
    failure: {
      message: `observed: ${observed}`,
      body: `expected: ${expected}; observed: ${observed}`,
    },
  };
}

/** The outcome of the scenario itself, where its checks do not tell it. */
function statusCase({ status, reason, checks }: ScenarioReport): Case[] {
  const name = "the scenario ran to its end";
  const message = reason ?? status;
  if (status === "skipped") return [{ name, skipped: message }];
  const told = status === "failed" && checks.some((check) => !check.passed);
  return status === "passed" || told ? [] : [failed(name, message)];
}

function thresholdCase({ expression, observed, unit, passed, reason }: ThresholdResult): Case {
  return passed
    ? { name: expression }
    : failed(expression, reason ?? `observed: ${formatQuantity(observed, unit)}`);
}

/** The rows that decide, and kinds of errors that the earlier run did not have. */
function baselineCases(comparison: Comparison): Case[] {
  const texts = comparisonRows(comparison);
  const rows = comparison.rows.flatMap(({ verdict }, index): Case[] => {
    const [name = "", before, after, change, interval, p, words = ""] = texts[index]!;
    if (verdict === null) return [];
    if (verdict === "too few rounds") return [{ name, skipped: words }];
    const seen = `${before} to ${after}, ${change} (95 %: ${interval}; adjusted p ${p})`;
    return [verdict === "slower" ? failed(name, `slower: ${seen}`) : { name }];
  });
  const errors = comparison.newErrors.map(({ scenario, kind, count }) =>
    failed(`${scenario} ${kind}`, `new: ${count}, the earlier run had none`)
  );
  return [...rows, ...errors];
}

/** The verdict on the whole run, with everything that speaks against it. */
function verdictSuite({ verdict, startedAt }: Report): Suite {
  const name = "verdict";
  const message = `${verdict.status}, exit code ${verdict.exitCode}`;
  const body = verdict.reasons
    .map((reason) => `${reason.scenario === null ? "" : `${reason.scenario}: `}${reason.message}`)
    .join("; ");
  return {
    name: "run",
    seconds: 0,
    timestamp: startedAt,
    cases: [verdict.status === "passed" ? { name } : { name, failure: { message, body } }],
  };
}

function failed(name: string, message: string): Case {
  return { name, failure: { message, body: message } };
}
