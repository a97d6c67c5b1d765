/**
 * Percentiles: the samples that they need, and the effect of calls without an answer.
 *
 * @module
 */

import type { Distribution, EpochSummary } from "../schema.ts";

/** Minimum samples beyond a percentile. */
const SAMPLES_BEYOND = 10;

/** Calls without an answer. They count as longer than every measured call. */
export interface Censored {
  readonly count: number;
  /** A lower bound for each of them, in nanoseconds. */
  readonly atLeastNs: number;
}

/** A histogram or its bins. */
interface Samples {
  readonly count: number;
  /** In nanoseconds. */
  readonly max: number;
  readonly censored: Censored;
  valueAtRank(rank: number): number;
}

/**
 * Minimum samples for a percentile: 10 beyond it in its thinner tail, so 40 for p75, 100 for p90,
 * 200 for p95 and p5, 1,000 for p99 and 10,000 for p99.9. The median needs only one: the interval
 * over epochs shows how much medians of few samples vary.
 */
export function minimumSamples(percentile: number): number {
  if (percentile === 50) return 1;
  const share = Math.min(percentile, 100 - percentile) / 100;
  return Math.ceil(SAMPLES_BEYOND / share - 1e-6);
}

/** Nearest rank: ⌈percentile / 100 × count⌉, at least 1. */
export function rankOf(percentile: number, count: number): number {
  return Math.max(1, Math.ceil(percentile * count / 100 - 1e-7));
}

/** Longest time in nanoseconds, measured or a lower bound; -Infinity without samples. */
export function longestOf({ count, max, censored }: Samples): number {
  return Math.max(
    count > 0 ? max : -Infinity,
    censored.count > 0 ? censored.atLeastNs : -Infinity,
  );
}

/**
 * A percentile in nanoseconds of measured and censored samples together; `null` if they are fewer
 * than `minimum`. If it falls on a censored sample, it is a lower bound.
 */
export function percentileOf(
  samples: Samples,
  percentile: number,
  minimum = minimumSamples(percentile),
): number | null {
  const count = samples.count + samples.censored.count;
  if (count < minimum) return null;
  const rank = rankOf(percentile, count);
  return rank > samples.count ? longestOf(samples) : samples.valueAtRank(rank);
}

/** The epochs with samples; `null` if there are none, or one has too few for the percentile. */
export function epochsWithEnough<E extends { summary: Pick<EpochSummary, "count" | "censored"> }>(
  epochs: readonly E[],
  percentile: number,
): E[] | null {
  const tried = epochs.filter(({ summary }) => summary.count + summary.censored > 0);
  const isEnough = tried.every(({ summary }) =>
    summary.count + summary.censored >= minimumSamples(percentile)
  );
  return tried.length > 0 && isEnough ? tried : null;
}

/** True if calls without an answer make a percentile (100: the maximum) a lower bound. */
export function isAtLeast(distribution: Distribution, percentile: number): boolean {
  const epochs = distribution.epochs.map((summary) => ({ summary }));
  const parts = percentile === 100 ? null : epochsWithEnough(epochs, percentile);
  return (parts ?? [{ summary: distribution }]).some(({ summary: { count, censored } }) =>
    rankOf(percentile, count + censored) > count
  );
}
