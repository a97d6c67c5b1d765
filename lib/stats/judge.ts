import type { ComparisonRow } from "../schema.ts";
import { momentsOf, tQuantile } from "./estimate.ts";

/** With fewer earlier runs the noise between runs cannot be learned. */
export const MINIMUM_BASELINES = 4;
/** Baselines that nobody will measure need not be counted. */
const MOST_BASELINES = 100;

/** How changes are judged. */
export interface JudgeOptions {
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

/** Of a row that nothing can be said of. */
export const UNDECIDED = { ci: null, verdict: "undecided", need: null, smallest: null } as const;

/**
 * Judges a change of one figure from at least one earlier run, all values above 0, by the rule of docs/method.md,
 * "Comparing with earlier runs". The interval of the log ratio is
 * (new - mean) ± t(N-1) s √(1 + 1/N), where mean and s are those of the logarithms of N earlier runs: it is a
 * prediction interval, since the new run has noise of its own (G. Hahn and W. Meeker, Statistical Intervals, 1991,
 * section 4.7). With fewer than 4 of them it is the ratio give or take `noisePercent`, and where that is `null`
 * there is none, and no verdict (`tooFewBaselines`).
 *
 * `need` says how many more earlier runs with the same spread would decide what is undecided.
 */
export function judgeChange(
  { olds, now, better }: { olds: readonly number[]; now: number; better: "higher" | "lower" },
  options: JudgeOptions & { noisePercent: number | null },
): Judgement {
  const { noisePercent, rows } = options;
  const count = olds.length;
  const { mean, sd } = momentsOf(olds.map(Math.log));
  const isConstant = olds.every((value) => value === olds[0]);
  const old = isConstant ? olds[0]! : Math.exp(mean);
  const seen = { old, new: now, ratio: now / old };
  const isLearned = count >= MINIMUM_BASELINES;
  if (!isLearned && noisePercent === null) {
    return { ...seen, ...UNDECIDED, why: "tooFewBaselines", need: MINIMUM_BASELINES - count };
  }
  const spread = isConstant ? 0 : sd;
  const judged = judgeLog(Math.log(seen.ratio), {
    ...options,
    better,
    count,
    most: isLearned ? MOST_BASELINES : count,
    marginAt: (runs) =>
      isLearned
        ? quantileOf(runs, rows) * spread * Math.sqrt(1 + 1 / runs)
        : Math.log1p(noisePercent! / 100),
  });
  return { ...seen, ...judged, need: judged.need === null ? null : judged.need - count };
}

/** Student's t for the interval of 1 - 0.05/m. */
export function quantileOf(count: number, rows: number): number {
  return tQuantile(1 - 0.025 / Math.max(1, rows), count - 1);
}

/**
 * Holds a log ratio against the band. Wholly outside of it the figure is slower or faster, wholly within the same,
 * and otherwise undecided (`noise`): then `need` is the count from which on the margin fits between the ratio and the
 * edge of the band, `null` where none up to `most` does.
 */
export function judgeLog(
  log: number,
  { count, most, marginAt, isSure = true, better, bandPercent }: JudgeOptions & {
    better: "higher" | "lower";
    count: number;
    most: number;
    /** Half the width of the interval with so many repetitions. */
    marginAt: (count: number) => number;
    /** `false`: another test does not agree that there is a change. */
    isSure?: boolean;
  },
): Pick<Judgement, "ci" | "verdict" | "why" | "need" | "smallest"> {
  const band = Math.log1p(bandPercent / 100);
  const size = Math.abs(log);
  const margin = marginAt(count);
  const seen = {
    ci: [Math.exp(log - margin), Math.exp(log + margin)],
    smallest: Math.exp(band + margin),
  } satisfies Partial<Judgement>;
  if (size - margin > band && isSure) {
    const verdict = (log > 0) === (better === "higher") ? "faster" : "slower";
    return { ...seen, verdict, why: null, need: null };
  }
  if (size + margin <= band) return { ...seen, verdict: "same", why: null, need: null };
  const room = Math.abs(size - band);
  let need = count + 1;
  while (need <= most && marginAt(need) >= room) need++;
  return { ...seen, verdict: "undecided", why: "noise", need: need <= most ? need : null };
}
