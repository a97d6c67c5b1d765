import type { Report } from "../../contract.ts";
import {
  COMPARISON_HEADINGS,
  comparisonNotes,
  comparisonRows,
  THRESHOLD_HEADINGS,
  thresholdRows,
} from "../comparison_rows.ts";
import { items, type Markup, markup, table } from "./markup.ts";

/** What the run was held against: the user's bounds, and an earlier run. */
export function comparisonMarkup({ thresholds = [], comparison }: Report): Markup {
  const bounds = thresholds.length === 0 ? "" : markup`<h2>Thresholds</h2>
${table("Thresholds", THRESHOLD_HEADINGS, thresholdRows(thresholds))}`;
  const changes = comparison === undefined ? "" : markup`<h2>Comparison with the baseline</h2>
${table("Comparison", COMPARISON_HEADINGS, comparisonRows(comparison))}
<ul>
${items(comparisonNotes(comparison))}
</ul>`;
  return markup`${bounds}
${changes}`;
}
