/**
 * junit.xml: scenarios as test suites and checks as test cases, for CI systems.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../contract.ts";
import { escapeXml } from "./escape.ts";

/** One test case: passed where it is neither a failure nor skipped. Plain text. */
interface Case {
  name: string;
  failure?: { message: string; body: string };
  skipped?: string;
}

interface Suite {
  name: string;
  seconds: number;
  timestamp: string | null;
  cases: Case[];
}

/**
 * The report as JUnit XML. What was not measured is a skipped case, and a run that did not pass has
 * at least one failure, whatever made it fail.
 */
export function renderJunit(report: Report): string {
  const suites = [preflightSuite(report), ...report.scenarios.map(scenarioSuite), runSuite(report)]
    .filter(({ cases }) => cases.length > 0);
  const seconds = suites.reduce((sum, suite) => sum + suite.seconds, 0);
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: report.suite.name, ...totals(all), time: time(seconds) })}>`,
    ...suites.map((suite) => renderSuite(suite)),
    "</testsuites>",
    "",
  ].join("\n");
}

function preflightSuite({ preflight }: Report): Suite {
  return { name: "preflight", seconds: 0, timestamp: null, cases: preflight.map(checkCase) };
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
  return status === "passed" || told ? [] : [{ name, failure: { message, body: message } }];
}

/** The verdict on the whole run: thresholds, regressions and what stopped it are told here alone. */
function runSuite({ verdict, startedAt }: Report): Suite {
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

function renderSuite({ name, seconds, timestamp, cases }: Suite): string {
  const own = attributes({
    name,
    ...totals(cases),
    time: time(seconds),
    ...(timestamp === null ? {} : { timestamp }),
  });
  const body = cases.map((testCase) => renderCase(name, testCase));
  return [`  <testsuite ${own}>`, ...body, "  </testsuite>"].join("\n");
}

function renderCase(suite: string, { name, failure, skipped }: Case): string {
  const own = `    <testcase ${attributes({ name, classname: suite, time: time(0) })}`;
  if (failure !== undefined) {
    const message = attributes({ message: failure.message, type: "check" });
    return `${own}>\n      <failure ${message}>${
      escapeXml(failure.body)
    }</failure>\n    </testcase>`;
  }
  return skipped === undefined
    ? `${own}/>`
    : `${own}>\n      <skipped ${attributes({ message: skipped })}/>\n    </testcase>`;
}

function totals(
  cases: Case[],
): { tests: string; failures: string; errors: string; skipped: string } {
  return {
    tests: String(cases.length),
    failures: String(cases.filter(({ failure }) => failure !== undefined).length),
    errors: "0",
    skipped: String(cases.filter(({ skipped }) => skipped !== undefined).length),
  };
}

/** JUnit counts seconds. */
function time(seconds: number): string {
  return seconds.toFixed(3);
}

function attributes(values: Record<string, string>): string {
  return Object.entries(values).map(([name, value]) => `${name}="${escapeXml(value)}"`).join(" ");
}
