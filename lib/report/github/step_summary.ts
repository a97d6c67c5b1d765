/**
 * The page that GitHub shows as the summary of a step: short, since it stands among those of other steps.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import {
  COMPARISON_HEADINGS,
  comparisonNotes,
  comparisonRows,
  THRESHOLD_HEADINGS,
  thresholdRows,
} from "../comparison_rows.ts";
import { escapeMarkdown } from "../escape.ts";
import { scenarioMark, verdictMark, verdictWord } from "../marks.ts";
import { type Column, list, right, stack, table } from "../markdown/blocks.ts";
import { renderStatus } from "../markdown/head.ts";
import { renderSummary } from "../markdown/summary.ts";
import { SCENARIO_HEADINGS, scenarioCells } from "../scenario_cells.ts";
import { formatCount } from "../units.ts";

/** Tables are cut here. */
const MOST_ROWS = 40;
/** GitHub refuses the summaries of a step beyond 1 MiB; other programs write to it, too. */
const MOST_BYTES = 512 * 1024;
const CUT_NOTE = "\n\nCut here: the reports have the rest.\n";

/** The page, ending with a line break; never over half of what GitHub takes. */
export function renderStepSummary(report: Report): string {
  const { thresholds = [], comparison } = report;
  const page = stack([
    `## ${verdictMark(report)} exai-ws-bench: ${verdictWord(report)}`,
    renderStatus(report),
    renderSummary(report),
    report.scenarios.length === 0 ? "" : scenarioTable(report),
    ...(thresholds.length === 0 ? [] : [
      "### Thresholds",
      rowsTable(THRESHOLD_HEADINGS, thresholdRows(thresholds)),
    ]),
    ...(comparison === undefined ? [] : [
      "### Comparison with the baseline",
      rowsTable(COMPARISON_HEADINGS, comparisonRows(comparison)),
      list(comparisonNotes(comparison).slice(0, MOST_ROWS).map(escapeMarkdown)),
    ]),
  ]);
  return cut(`${page}\n`);
}

function scenarioTable({ scenarios }: Report): string {
  const headings = SCENARIO_HEADINGS.map((heading) => right(heading));
  return limitedTable(
    ["", "Scenario", ...headings],
    scenarios.map((scenario) => [
      scenarioMark(scenario),
      ...[scenario.name, ...scenarioCells(scenario)].map(escapeMarkdown),
    ]),
  );
}

function rowsTable(headings: readonly string[], rows: readonly string[][]): string {
  return limitedTable(
    // Words stand at either end, numbers between.
    headings.map((heading, column) =>
      column === 0 || column === headings.length - 1 ? heading : right(heading)
    ),
    rows.map((cells) => cells.map(escapeMarkdown)),
  );
}

/** A table of escaped cells, with what was left out said under it. */
function limitedTable(headings: (string | Column)[], rows: string[][]): string {
  const more = rows.length - MOST_ROWS;
  return stack([
    table(headings, rows.slice(0, MOST_ROWS)),
    more > 0 ? `and ${formatCount(more)} more, in the reports` : "",
  ]);
}

/** What fits, up to the end of a line. */
function cut(page: string): string {
  const bytes = new TextEncoder().encode(page);
  if (bytes.length <= MOST_BYTES) return page;
  const head = new TextDecoder().decode(bytes.subarray(0, MOST_BYTES - CUT_NOTE.length));
  return head.slice(0, head.lastIndexOf("\n")) + CUT_NOTE;
}
