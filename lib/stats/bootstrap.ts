/**
 * Confidence intervals by resampling rounds.
 *
 * @module
 */

import type { Interval } from "../schema.ts";
import { randomStream } from "./random.ts";

/** Under this many rounds an interval would promise more than it can keep. */
export const MINIMUM_ROUNDS_FOR_INTERVAL = 5;
const RESAMPLES = 2_000;
const TAIL = 0.025;

export interface BootstrapOptions<T, E = number> {
  /** What is estimated. It may not keep the array: the next resample overwrites it. */
  statistic: (resample: readonly T[]) => E;
  seed: number;
  /** Names the metric, so that each has random numbers of its own. */
  label: string;
}

/**
 * The percentile bootstrap interval of a statistic of rounds, from 2,000 resamples (Efron and
 * Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). `null` with fewer than five
 * rounds. The same seed and label give the same interval.
 *
 * Nominally it is of 95 %. Of log-normal rounds it covers a median in 94 % of runs, whatever the
 * number of rounds, but a mean in 84 % with 5 rounds, 90 % with 10 and 92 % with 20.
 */
export function bootstrapInterval<T>(
  rounds: readonly T[],
  options: BootstrapOptions<T>,
): Interval | null {
  const estimates = bootstrapEstimates(rounds, options);
  return estimates === null ? null : percentileInterval(estimates);
}

/**
 * A statistic of each of 2,000 resamples of the rounds, for what estimates several figures at once. `null`
 * with fewer than five rounds.
 */
export function bootstrapEstimates<T, E>(
  rounds: readonly T[],
  options: BootstrapOptions<T, E>,
): E[] | null {
  if (rounds.length < MINIMUM_ROUNDS_FOR_INTERVAL) return null;
  const next = randomStream(options.seed, `bootstrap ${options.label}`);
  const resample = rounds.slice();
  return Array.from({ length: RESAMPLES }, () => {
    for (let slot = 0; slot < resample.length; slot++) {
      resample[slot] = rounds[Math.floor(next() * rounds.length)];
    }
    return options.statistic(resample);
  });
}

/** The middle 95 % of as many estimates as {@linkcode bootstrapEstimates} gives. */
export function percentileInterval(estimates: readonly number[]): Interval {
  const sorted = Float64Array.from(estimates).sort();
  const rank = Math.floor((sorted.length + 1) * TAIL);
  return [sorted[rank - 1], sorted[sorted.length - rank]];
}
