import { type Change, CHANGES, type ComparisonRow } from "../schema.ts";
import { momentsOf, tQuantile } from "./estimate.ts";

/** Minimum earlier runs to learn the noise between runs from. */
export const MINIMUM_BASELINES = 4;
/** Limit of the search for `need`: nobody measures more baselines. */
const MAX_BASELINES = 100;

export interface JudgeOptions {
  /** Changes of at most this many per cent do not matter. */
  bandPercent: number;
  /** The number m of figures judged together: each interval has level 1 - 0.05/m (Bonferroni). */
  rows: number;
}

/** The verdict on one figure. */
export type Judgement = Pick<
  ComparisonRow,
  "old" | "new" | "ratio" | "ci" | "verdict" | "why" | "need" | "smallest"
>;

/** For a row without a verdict. */
export const UNDECIDED = { ci: null, verdict: "undecided", need: null, smallest: null } as const;

/**
 * Judges the change of one figure against at least one earlier run; all values must be above 0. The
 * rule is in docs/method.md, "Comparing with earlier runs". The interval of the log ratio is (new -
 * mean) ± t(N-1) s √(1 + 1/N), with the mean and the standard deviation s of the logarithms of N
 * earlier runs: a prediction interval, since the new run is noisy too (G. Hahn and W. Meeker,
 * Statistical Intervals, 1991, section 4.7). With fewer than 4 earlier runs it is the ratio ±
 * `noisePercent`; if that is `null`, there is no interval and no verdict (`tooFewBaselines`).
 *
 * `need` is how many more earlier runs with the same spread would decide an undecided figure.
 */
export function judgeChange(
  { olds, now, better }: { olds: readonly number[]; now: number; better: "higher" | "lower" },
  options: JudgeOptions & { noisePercent: number | null },
): Judgement {
  const { noisePercent, rows } = options;
  const count = olds.length;
  const { mean, sd } = momentsOf(olds.map(Math.log));
  const isConstant = olds.every((value) => value === olds[0]);
  const old = isConstant ? olds[0] : Math.exp(mean);
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
    most: isLearned ? MAX_BASELINES : count,
    marginAt: (runs) =>
      isLearned
        ? quantileOf(runs, rows) * spread * Math.sqrt(1 + 1 / runs)
        : Math.log1p(noisePercent! / 100),
  });
  return { ...seen, ...judged, need: judged.need === null ? null : judged.need - count };
}

/** The quantile of Student's t for an interval of level 1 - 0.05/m, where m is `rows`. */
export function quantileOf(count: number, rows: number): number {
  return tQuantile(1 - 0.025 / Math.max(1, rows), count - 1);
}

/**
 * Compares the interval of a log ratio with the band: wholly outside it the figure is slower or
 * faster, wholly inside it the same, otherwise undecided (`noise`). `need` is then the first count
 * at which the margin fits between the ratio and the edge of the band, or `null` if that is above
 * `most`.
 */
export function judgeLog(
  log: number,
  { count, most, marginAt, isSure = true, better, bandPercent }: JudgeOptions & {
    better: "higher" | "lower";
    count: number;
    most: number;
    /** Half-width of the interval with `count` repetitions. */
    marginAt: (count: number) => number;
    /** False if another test does not confirm a change. Default: true. */
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

/** `1 slower, 2 same`: rows by verdict, in the order given. */
export function verdictCounts(
  rows: readonly ComparisonRow[],
  order: readonly Change[] = CHANGES,
): string {
  return order.map((verdict) => [rows.filter((row) => row.verdict === verdict).length, verdict])
    .filter(([count]) => count !== 0).map((one) => one.join(" ")).join(", ");
}
