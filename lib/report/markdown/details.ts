/**
 * "Detailed test results": every scenario of the report, in its order, whatever its name.
 *
 * @module
 */

import type { Check, NotMeasured, Report, ScenarioReport } from "../../schema.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { faultTable } from "../fault_rows.ts";
import { mark, scenarioMark } from "../marks.ts";
import {
  DISTRIBUTION_HEADINGS,
  distributionRows,
  SCALAR_HEADINGS,
  scalarRows,
} from "../metric_rows.ts";
import { coreScenarioNames, scenarioTitle } from "../scenario_names.ts";
import { sweepTable } from "../sweeps.ts";
import { formatCount, formatMilliseconds, formatPercent } from "../units.ts";
import { list, right, stack, table } from "./blocks.ts";
import { type Figures, scenarioFigures } from "./figures.ts";

/** The preflight, each scenario with its metrics and checks, and what is missing. */
export function renderDetails(report: Report, figures: Figures): string {
  const names = report.scenarios.map(({ name }) => name);
  const absent = coreScenarioNames(report).filter((name) => !names.includes(name));
  return stack([
    "## 🔍 Detailed Test Results",
    preflight(report),
    ...report.scenarios.map((scenario, index) => renderScenario(scenario, { index, figures })),
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

function renderScenario(
  scenario: ScenarioReport,
  { index, figures }: { index: number; figures: Figures },
): string {
  const title = escapeMarkdown(scenarioTitle(scenario.name));
  return stack([
    `### Test ${index + 1}: ${title} ${scenarioMark(scenario)}`,
    `*${escapeMarkdown(scenario.question)}*`,
    statusSentence(scenario),
    "**Metrics:**",
    list(overview(scenario)),
    sweep(scenario),
    renderMetricTables(scenario),
    faults(scenario),
    scenarioFigures(figures, scenario.name),
    "**Validation:**",
    checkTable(scenario.checks, scenario.notMeasured),
  ]);
}

function faults(scenario: ScenarioReport): string {
  const found = faultTable(scenario);
  if (found === null) return "";
  const rows = found.rows.map((row) => row.map(escapeMarkdown));
  const columns = found.headings.map((heading, column) => column === 0 ? heading : right(heading));
  return stack([`**${found.title}:**`, table(columns, rows)]);
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

/** The steps of a sweep side by side, and what they say. */
function sweep(scenario: ScenarioReport): string {
  const found = sweepTable(scenario);
  if (found === null) return "";
  return stack([
    table(found.headings.map(right), found.rows.map((row) => row.map(escapeMarkdown))),
    found.sentences.map(escapeMarkdown).join(" "),
  ]);
}

/** The tables of a scenario's times and of its other numbers; empty where it has none. */
export function renderMetricTables(scenario: ScenarioReport): string {
  const distributions = distributionRows(scenario);
  const scalars = scalarRows(scenario);
  return stack([
    distributions.length === 0 ? "" : metricTable(DISTRIBUTION_HEADINGS, distributions),
    scalars.length === 0 ? "" : metricTable(SCALAR_HEADINGS, scalars),
  ]);
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
