/**
 * What the run was held against: the user's bounds, and an earlier run.
 *
 * @module
 */

import type { Comparison, Report } from "../../schema.ts";
import {
  COMPARISON_HEADINGS,
  comparisonNotes,
  comparisonRows,
  THRESHOLD_HEADINGS,
  thresholdRows,
} from "../comparison_rows.ts";
import { escapeMarkdown } from "../escape.ts";
import { list, right, stack, table } from "./blocks.ts";
import { type Figures, runFigure } from "./figures.ts";

/** The sections of a report; empty where it was held against nothing. */
export function renderComparisons(
  { thresholds = [], comparison }: Report,
  figures: Figures,
): string {
  return stack([
    ...(thresholds.length === 0 ? [] : [
      "## 📏 Thresholds",
      table(THRESHOLD_HEADINGS, escaped(thresholdRows(thresholds))),
    ]),
    ...(comparison === undefined ? [] : [
      "## ⚖️ Comparison with the baseline",
      runFigure(figures, "comparison"),
      renderComparison(comparison),
    ]),
  ]);
}

/** The table of a comparison, and the notes that belong to it. */
export function renderComparison(comparison: Comparison): string {
  const last = COMPARISON_HEADINGS.length - 1;
  const headings = COMPARISON_HEADINGS.map((heading, index) =>
    index === 0 || index === last ? heading : right(heading)
  );
  return stack([
    table(headings, escaped(comparisonRows(comparison))),
    list(comparisonNotes(comparison).map(escapeMarkdown)),
  ]);
}

function escaped(rows: string[][]): string[][] {
  return rows.map((cells) => cells.map(escapeMarkdown));
}
