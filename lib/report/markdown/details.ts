/**
 * "Detailed test results": every scenario of the report, in its order, whatever its name.
 *
 * @module
 */

import type { Check, NotMeasured, Report, ScenarioReport } from "../../contract.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { mark, scenarioMark } from "../marks.ts";
import {
  DISTRIBUTION_HEADINGS,
  distributionRows,
  SCALAR_HEADINGS,
  scalarRows,
} from "../metric_rows.ts";
import { coreScenarioNames, scenarioTitle } from "../scenario_names.ts";
import { formatCount, formatMilliseconds, formatPercent } from "../units.ts";
import { list, right, stack, table } from "./blocks.ts";

/** The preflight, each scenario with its metrics and checks, and what is missing. */
export function renderDetails(report: Report): string {
  const names = report.scenarios.map(({ name }) => name);
  const absent = coreScenarioNames(report).filter((name) => !names.includes(name));
  return stack([
    "## 🔍 Detailed Test Results",
    preflight(report),
    ...report.scenarios.map(renderScenario),
    absent.length === 0
      ? ""
      : `**Not measured in this run:** ${absent.map(scenarioTitle).join(", ")}.`,
  ]);
}

function preflight({ preflight }: Report): string {
  if (preflight.length === 0) return "";
  const passed = preflight.every((check) => check.passed);
  return stack([`### Preflight ${mark(passed)}`, checkTable(preflight, [])]);
}

function renderScenario(scenario: ScenarioReport, index: number): string {
  const title = escapeMarkdown(scenarioTitle(scenario.name));
  const distributions = distributionRows(scenario);
  const scalars = scalarRows(scenario);
  return stack([
    `### Test ${index + 1}: ${title} ${scenarioMark(scenario)}`,
    `*${escapeMarkdown(scenario.question)}*`,
    statusSentence(scenario),
    "**Metrics:**",
    list(overview(scenario)),
    distributions.length === 0 ? "" : metricTable(DISTRIBUTION_HEADINGS, distributions),
    scalars.length === 0 ? "" : metricTable(SCALAR_HEADINGS, scalars),
    "**Validation:**",
    checkTable(scenario.checks, scenario.notMeasured),
  ]);
}

function statusSentence({ status, reason }: ScenarioReport): string {
  if (status === "passed" || (status === "failed" && reason === null)) return "";
  const word = { failed: "Failed", skipped: "Not measured", interrupted: "Interrupted" }[status];
  return `**${word}**${reason === null ? "" : `: ${escapeMarkdown(reason)}`}`;
}

function overview({ ledger, durationMs, parameters, metrics }: ScenarioReport): string[] {
  const share = ledger.sent === 0 ? "" : ` (${formatPercent(ledger.ok / ledger.sent)} success)`;
  const set = Object.entries(parameters)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => escapeMarkdown(`${name} ${value}`));
  return [
    ledger.sent === 0
      ? "Messages sent: none"
      : `Messages served: ${formatCount(ledger.ok)}/${formatCount(ledger.sent)}${share}`,
    `Total time: ${formatMilliseconds(durationMs)}`,
    ...(set.length === 0 ? [] : [`Parameters: ${set.join(", ")}`]),
    ...(metrics.length === 0 ? ["No metric was measured"] : []),
  ];
}

function metricTable(headings: string[], rows: string[][]): string {
  return table(
    headings.map((heading, column) => column === 0 ? heading : right(heading)),
    rows.map(([name, ...values]) => [markdownCode(name), ...values.map(escapeMarkdown)]),
  );
}

/** Every check with what was expected and observed, and what was not looked at. */
export function checkTable(checks: Check[], notMeasured: NotMeasured[]): string {
  if (checks.length + notMeasured.length === 0) return `${mark(null)} No check was made.`;
  return table(["", "Check", "Expected", "Observed"], [
    ...checks.map(({ name, passed, expected, observed }) => [
      mark(passed),
      ...[name, expected, observed].map(escapeMarkdown),
    ]),
    ...notMeasured.map(({ name, reason }) => [
      mark(null),
      escapeMarkdown(name),
      mark(null),
      `not measured: ${escapeMarkdown(reason)}`,
    ]),
  ]);
}
