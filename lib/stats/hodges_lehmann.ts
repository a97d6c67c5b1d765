/**
 * How much greater one sample is than another, as a ratio. J. L. Hodges and E. L. Lehmann,
 * Estimates of Location Based on Rank Tests, Annals of Mathematical Statistics 34 (1963).
 *
 * @module
 */

import type { Interval } from "../schema.ts";
import { lowerTailOfU } from "./mann_whitney.ts";
import { median } from "./rounds.ts";

const TAIL = 0.025;

export interface RatioEstimate {
  /** Second over first. */
  ratio: number;
  /** Of 95 % or, as U is discrete, a little more; `null` where there are too few values for any. */
  ci95: Interval | null;
}

/**
 * The ratio of the second sample to the first: exp of the Hodges-Lehmann shift of logarithms, which
 * is the median of all differences between a value of the second and one of the first. The interval
 * has as its ends the ratios that the two-sided Mann-Whitney test at 5 % just does not reject.
 *
 * Values of 0 (a round without a single good reply) count as the least positive number.
 *
 * @throws {RangeError} if a sample is empty or has more than 100 values
 */
export function estimateRatio(first: readonly number[], second: readonly number[]): RatioEstimate {
  const below = lowerTailOfU([first.length, second.length], TAIL);
  const firstLogs = first.map(logarithm);
  const differences = Float64Array.from(
    second.flatMap((value) => firstLogs.map((log) => logarithm(value) - log)),
  ).sort();
  const ratio = Math.exp(median([...differences]));
  if (below < 0) return { ratio, ci95: null };
  const low = differences[below];
  const high = differences[differences.length - 1 - below];
  return { ratio, ci95: [Math.exp(low), Math.exp(high)] };
}

function logarithm(value: number): number {
  return Math.log(Math.max(value, Number.MIN_VALUE));
}
