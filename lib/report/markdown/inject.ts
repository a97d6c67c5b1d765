/**
 * The part of a page of the user's that a run fills in: the summary, and a table and the pictures of
 * each scenario.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import { escapeMarkdown } from "../escape.ts";
import { scenarioMark } from "../marks.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { stack } from "./blocks.ts";
import { renderComparison } from "./comparison.ts";
import { renderMetricTables } from "./details.ts";
import { type Figures, runFigure, scenarioFigures } from "./figures.ts";
import { renderStatus } from "./head.ts";
import { renderSummary } from "./summary.ts";

/** The part, with headings from the third level on, as it stands in a section of another page. */
export function renderInjection(report: Report, figures: Figures): string {
  const { comparison } = report;
  return stack([
    renderStatus(report),
    renderSummary(report),
    runFigure(figures, "testing-pyramid"),
    ...(comparison === undefined ? [] : [
      "### Comparison with the baseline",
      runFigure(figures, "comparison"),
      renderComparison(comparison),
    ]),
    ...report.scenarios.map((scenario) => scenarioPart(scenario, figures)),
  ]);
}

function scenarioPart(scenario: ScenarioReport, figures: Figures): string {
  const { name, question, status, reason } = scenario;
  const tables = renderMetricTables(scenario);
  return stack([
    `### ${escapeMarkdown(scenarioTitle(name))} ${scenarioMark(scenario)}`,
    `*${escapeMarkdown(question)}*`,
    tables === ""
      ? `No metric was measured (${status}${reason === null ? "" : `: ${escapeMarkdown(reason)}`}).`
      : tables,
    scenarioFigures(figures, name),
  ]);
}
