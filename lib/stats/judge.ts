/**
 * Has a figure changed between earlier runs and this one? The rule is in docs/method.md, "Comparing with earlier runs".
 *
 * @module
 */

import type { Change, ComparisonRow, Interval } from "../schema.ts";
import { momentsOf, tQuantile } from "./estimate.ts";

/** With fewer earlier runs the noise between runs cannot be learned. */
export const MINIMUM_BASELINES = 4;
/** Baselines that nobody will measure need not be counted. */
const MOST_BASELINES = 100;

/** One figure, all of its values above 0. */
export interface JudgedValues {
  /** Of the earlier runs; at least one. */
  olds: readonly number[];
  now: number;
  better: "higher" | "lower";
}

export interface JudgeOptions {
  /** The noise between runs, stated in per cent; `null`: to be learned. */
  noisePercent: number | null;
  /** Changes within so many per cent do not matter. */
  bandPercent: number;
  /** How many figures are judged at once: each interval is of 1 - 0.05/m, so that all hold in 95 %. */
  rows: number;
}

/** What became of one figure. */
export type Judgement = Pick<
  ComparisonRow,
  "old" | "new" | "ratio" | "ci" | "verdict" | "why" | "need" | "smallest"
>;

/**
 * Judges a change of one figure. The interval of the log ratio is (new - mean) ± t(N-1) s √(1 + 1/N), where mean and s
 * are those of the logarithms of N earlier runs: it is a prediction interval, since the new run has noise of
 * its own (G. Hahn and W. Meeker, Statistical Intervals, 1991, section 4.7). With fewer than 4 of them it is
 * the ratio give or take the stated noise, and where none is stated there is none, and no verdict
 * (`tooFewBaselines`).
 *
 * Wholly outside of the band the figure is slower or faster, wholly within the same, and otherwise undecided
 * (`noise`): then `need` says how many more earlier runs with the same spread would decide it, `null` where none would.
 */
export function judgeChange(
  { olds, now, better }: JudgedValues,
  { noisePercent, bandPercent, rows }: JudgeOptions,
): Judgement {
  const { mean, sd } = momentsOf(olds.map(Math.log));
  const isConstant = olds.every((value) => value === olds[0]);
  const old = isConstant ? olds[0] : Math.exp(mean);
  const ratio = now / old;
  const seen = { old, new: now, ratio };
  const count = olds.length;
  const isLearned = count >= MINIMUM_BASELINES;
  if (!isLearned && noisePercent === null) {
    const need = MINIMUM_BASELINES - count;
    return { ...seen, ...UNDECIDED, why: "tooFewBaselines", need };
  }
  const spread = isConstant ? 0 : sd;
  const margin = isLearned
    ? learnedMargin(count, { spread, rows })
    : Math.log1p(noisePercent! / 100);
  const band = Math.log1p(bandPercent / 100);
  const log = Math.log(ratio);
  const ci: Interval = [Math.exp(log - margin), Math.exp(log + margin)];
  const verdict = verdictOf(log, { margin, band, better });
  return {
    ...seen,
    ci,
    verdict,
    why: verdict === "undecided" ? "noise" : null,
    need: verdict === "undecided" && isLearned
      ? moreBaselines(count, { spread, rows, room: Math.abs(Math.abs(log) - band) })
      : null,
    smallest: Math.exp(band + margin),
  };
}

/** Of a row that nothing can be said of. */
export const UNDECIDED = { ci: null, verdict: "undecided", need: null, smallest: null } as const;

function verdictOf(
  log: number,
  { margin, band, better }: { margin: number; band: number; better: "higher" | "lower" },
): Change {
  if (Math.abs(log) - margin > band) {
    return (log > 0) === (better === "higher") ? "faster" : "slower";
  }
  return Math.abs(log) + margin <= band ? "same" : "undecided";
}

/** Half the width of the interval of the log ratio. */
function learnedMargin(
  baselines: number,
  { spread, rows }: { spread: number; rows: number },
): number {
  if (spread === 0) return 0;
  const quantile = tQuantile(1 - 0.025 / Math.max(1, rows), baselines - 1);
  return quantile * spread * Math.sqrt(1 + 1 / baselines);
}

/** How many more it takes until the margin fits between the ratio and the edge of the band. */
function moreBaselines(
  baselines: number,
  { spread, rows, room }: { spread: number; rows: number; room: number },
): number | null {
  for (let count = baselines + 1; count <= MOST_BASELINES; count++) {
    if (learnedMargin(count, { spread, rows }) < room) return count - baselines;
  }
  return null;
}
