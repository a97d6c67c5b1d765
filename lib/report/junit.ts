/**
 * junit.xml: scenarios as test suites and checks as test cases, for CI systems. What it must look like:
 * https://github.com/jenkinsci/xunit-plugin, junit-10.xsd; https://github.com/testmoapp/junitxml.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { escapeXml } from "./escape.ts";
import { type Case, type Suite, suitesOf } from "./junit_suites.ts";

/**
 * The report as JUnit XML. What was not measured is a skipped case, and a run that did not pass has
 * at least one failure, whatever made it fail.
 */
export function renderJunit(report: Report): string {
  const suites = suitesOf(report);
  const seconds = suites.reduce((sum, suite) => sum + suite.seconds, 0);
  // No attribute of the root says how many were skipped: Jenkins' schema knows none.
  const { skipped: _, ...all } = totals(suites.flatMap(({ cases }) => cases));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: report.suite.name, ...all, time: time(seconds) })}>`,
    ...suites.map((suite) => renderSuite(suite)),
    "</testsuites>",
    "",
  ].join("\n");
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
