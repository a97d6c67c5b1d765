/**
 * Percentiles: the samples that they need, and the effect of calls without an answer.
 *
 * @module
 */

import type { Distribution } from "../schema.ts";

/** Minimum samples beyond a percentile. */
const SAMPLES_BEYOND = 10;

/** Measured times, and calls without an answer, which rank as longer than every measured call. */
interface Counts {
  readonly count: number;
  readonly censored: number;
}

/** A histogram or its bins. */
interface Samples extends Counts {
  /** In nanoseconds, measured or a lower bound. */
  readonly longest: number;
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

/**
 * A percentile in nanoseconds of measured and censored samples together; `null` if they are fewer
 * than `minimum`. If it falls on a censored sample, it is a lower bound.
 */
export function percentileOf(
  samples: Samples,
  percentile: number,
  minimum = minimumSamples(percentile),
): number | null {
  const count = samples.count + samples.censored;
  if (count < minimum) return null;
  const rank = rankOf(percentile, count);
  return rank > samples.count ? samples.longest : samples.valueAtRank(rank);
}

/** The epochs with samples; none if one of them has too few for the percentile. */
export function epochsWithEnough<E extends Counts>(epochs: readonly E[], percentile: number): E[] {
  const tried = epochs.filter(({ count, censored }) => count + censored > 0);
  const minimum = minimumSamples(percentile);
  return tried.every(({ count, censored }) => count + censored >= minimum) ? tried : [];
}

/** True if calls without an answer make a percentile (100: the maximum) a lower bound. */
export function isAtLeast(distribution: Distribution, percentile: number): boolean {
  const epochs = percentile === 100 ? [] : epochsWithEnough(distribution.epochs, percentile);
  const parts: readonly Counts[] = epochs.length > 0 ? epochs : [distribution];
  return parts.some(({ count, censored }) => rankOf(percentile, count + censored) > count);
}
