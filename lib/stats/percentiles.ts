/**
 * Percentiles: how many samples one needs, and what calls without an answer do to it.
 *
 * @module
 */

import type { Distribution, EpochSummary } from "../schema.ts";

/** A percentile needs this many samples beyond it. */
const SAMPLES_BEYOND = 10;

/** Calls without an answer. They count as longer than every measured one, and took at least `atLeastNs`. */
export interface Censored {
  count: number;
  /** In nanoseconds, of the one of which the least is known. */
  atLeastNs: number;
}

export const NONE_CENSORED: Censored = { count: 0, atLeastNs: 0 };

/** Adds calls without an answer to others. */
export function addCensored(one: Censored, other: Censored): Censored {
  if (one.count === 0 || other.count === 0) return one.count === 0 ? other : one;
  const atLeastNs = Math.min(one.atLeastNs, other.atLeastNs);
  return { count: one.count + other.count, atLeastNs };
}

/** Samples that know the value of a rank: a histogram, or its bins. */
export interface Ranked {
  readonly count: number;
  /** In nanoseconds. */
  readonly max: number;
  valueAtRank(rank: number): number;
}

/**
 * How many samples a percentile needs: 10 beyond it, on its thinner side, so 40 for p75, 100 for p90, 200 for
 * p95 and p5, 1,000 for p99 and 10,000 for p99.9. For the median, one is enough: how far medians of few
 * samples vary is what the interval over the epochs shows.
 */
export function minimumSamples(percentile: number): number {
  if (percentile === 50) return 1;
  const share = Math.min(percentile, 100 - percentile) / 100;
  return Math.ceil(SAMPLES_BEYOND / share - 1e-6);
}

/** The nearest rank ⌈percentile / 100 × count⌉, from 1. */
export function rankOf(percentile: number, count: number): number {
  return Math.max(1, Math.ceil(percentile * count / 100 - 1e-7));
}

/** The longest time in nanoseconds, measured or known to have been exceeded; -Infinity where there is none. */
export function longestOf(samples: Ranked, censored: Censored): number {
  return Math.max(
    samples.count > 0 ? samples.max : -Infinity,
    censored.count > 0 ? censored.atLeastNs : -Infinity,
  );
}

/**
 * The percentile in nanoseconds, ranked over measured and censored samples together; `null` where they are fewer
 * than `minimum`. A rank among the censored ones gives the time that they took at least.
 */
export function percentileOf(
  samples: Ranked,
  percentile: number,
  options: { censored?: Censored; minimum?: number } = {},
): number | null {
  const { censored = NONE_CENSORED, minimum = minimumSamples(percentile) } = options;
  const count = samples.count + censored.count;
  if (count < minimum) return null;
  const rank = rankOf(percentile, count);
  return rank > samples.count ? longestOf(samples, censored) : samples.valueAtRank(rank);
}

/** The percentile of measured samples alone, or `null` where they are too few. */
export function percentileOrNull(samples: Ranked, percentile: number): number | null {
  return percentileOf(samples, percentile);
}

/** The epochs that a percentile can be made from one by one; `null`: some have too few samples for it. */
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

/** Does a percentile, to 100 (the maximum), mean "at least", as calls without an answer go into it? */
export function isAtLeast(distribution: Distribution, percentile: number): boolean {
  const epochs = distribution.epochs.map((summary) => ({ summary }));
  const parts = percentile === 100 ? null : epochsWithEnough(epochs, percentile);
  return (parts ?? [{ summary: distribution }]).some(({ summary: { count, censored } }) =>
    rankOf(percentile, count + censored) > count
  );
}
