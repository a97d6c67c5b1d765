import type { Report } from "../../schema.ts";
import type { Chart } from "../charts/chart.ts";
import {
  COMPARISON_HEADINGS,
  comparisonCells,
  comparisonNotes,
  THRESHOLD_HEADINGS,
  thresholdRows,
} from "../comparison_rows.ts";
import { figuresMarkup } from "./figure.ts";
import { items, type Markup, markup, table } from "./markup.ts";

/** What the run was held against: the user's bounds, and an earlier run. */
export function comparisonMarkup(
  { thresholds = [], comparison }: Report,
  charts: readonly Chart[],
): Markup {
  const bounds = thresholds.length === 0 ? "" : markup`<h2>Thresholds</h2>
${table("Thresholds", THRESHOLD_HEADINGS, thresholdRows(thresholds))}`;
  const changes = comparison === undefined ? "" : markup`<h2>Comparison with the baseline</h2>
${figuresMarkup(charts.filter(({ name, scenario }) => scenario === null && name === "comparison"))}
${table("Comparison", COMPARISON_HEADINGS, comparisonCells(comparison))}
<ul>
${items(comparisonNotes(comparison))}
</ul>`;
  return markup`${bounds}
${changes}`;
}
