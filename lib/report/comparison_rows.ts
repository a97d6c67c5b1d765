/**
 * Thresholds and comparisons as rows of plain text, the same in every format.
 *
 * @module
 */

import type { Comparison, ComparisonRow, ThresholdResult } from "../schema.ts";
import { type Cell, quantity, textRows, unitQuantity } from "./cells.ts";
import { DASH, formatQuantity } from "./units.ts";

/** The headings of {@linkcode thresholdRows}. */
export const THRESHOLD_HEADINGS = ["Threshold", "Observed", "Met"];

/** Each bound, what was observed and whether it was met. */
export function thresholdRows(thresholds: readonly ThresholdResult[]): string[][] {
  return thresholds.map(({ expression, observed, unit, passed, reason }) => [
    expression,
    reason ?? formatQuantity(observed, unit),
    passed ? "yes" : "no",
  ]);
}

/** The headings of {@linkcode comparisonRows}. */
export const COMPARISON_HEADINGS = [
  "Metric",
  "Old",
  "New",
  "Change",
  "95 %",
  "Adjusted p",
  "Verdict",
];

/** Each metric of both runs: what it was, what it is, and whether the difference counts. */
export function comparisonRows(comparison: Comparison): string[][] {
  return textRows(comparisonCells(comparison));
}

/** The rows of {@linkcode comparisonRows} with their values, each in its own unit. */
export function comparisonCells({ rows }: Comparison): Cell[][] {
  return rows.map((row) => [
    `${row.scenario} ${row.metric}${row.statistic === "value" ? "" : ` ${row.statistic}`}`,
    unitQuantity(row.old, { unit: row.unit, format: formatQuantity }),
    unitQuantity(row.new, { unit: row.unit, format: formatQuantity }),
    { text: formatChange(row.ratio), value: row.ratio },
    row.ci95 === null ? DASH : row.ci95.map(formatChange).join(" to "),
    quantity(row.adjustedP, formatP),
    verdictWords(row),
  ]);
}

/** What is said of a comparison beside its rows: its noise band, and what was in only one report. */
export function comparisonNotes(comparison: Comparison): string[] {
  const { noisePercent, differences, newErrors, onlyInOld, onlyInNew } = comparison;
  const list = (names: readonly string[]) => names.join(", ");
  return [
    `A change counts where its adjusted p is under 0.05 and its interval lies wholly outside ±${noisePercent} %.`,
    ...differences.map((difference) => `Compared although they differ in ${difference}.`),
    ...newErrors.map(({ scenario, kind, count }) => `New errors in ${scenario}: ${count} ${kind}.`),
    ...(onlyInOld.length === 0 ? [] : [`Only in the old report: ${list(onlyInOld)}.`]),
    ...(onlyInNew.length === 0 ? [] : [`Only in the new report: ${list(onlyInNew)}.`]),
  ];
}

/** A ratio as a change in per cent: `+12.3%`. */
function formatChange(ratio: number): string {
  const percent = (ratio - 1) * 100;
  const text = Math.abs(percent) < 1000 ? percent.toFixed(1) : percent.toFixed(0);
  return `${percent >= 0 ? "+" : ""}${text === "-0.0" ? "0.0" : text}%`;
}

function formatP(p: number | null): string {
  if (p === null) return DASH;
  return p < 0.001 ? "<0.001" : p.toFixed(3);
}

function verdictWords({ verdict, roundsNeeded }: ComparisonRow): string {
  if (verdict === null) return "not gating";
  return verdict === "too few rounds" && roundsNeeded !== null
    ? `too few rounds: ${roundsNeeded} needed`
    : verdict;
}
