/**
 * Confidence intervals by resampling rounds.
 *
 * @module
 */

import type { Interval } from "../contract.ts";
import { randomStream } from "./random.ts";

/** Under this many rounds an interval would promise more than it can keep. */
export const MINIMUM_ROUNDS_FOR_INTERVAL = 5;
const RESAMPLES = 2_000;
const TAIL = 0.025;

export interface BootstrapOptions<T> {
  /** What is estimated. It may not keep the array: the next resample overwrites it. */
  statistic: (resample: readonly T[]) => number;
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
  if (rounds.length < MINIMUM_ROUNDS_FOR_INTERVAL) return null;
  const next = randomStream(options.seed, `bootstrap ${options.label}`);
  const resample = rounds.slice();
  const estimates = new Float64Array(RESAMPLES);
  for (let index = 0; index < RESAMPLES; index++) {
    for (let slot = 0; slot < resample.length; slot++) {
      resample[slot] = rounds[Math.floor(next() * rounds.length)];
    }
    estimates[index] = options.statistic(resample);
  }
  estimates.sort();
  const rank = Math.floor((RESAMPLES + 1) * TAIL);
  return [estimates[rank - 1], estimates[RESAMPLES - rank]];
}
