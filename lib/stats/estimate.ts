/**
 * One number from the values of epochs, with the interval that they support.
 *
 * @module
 */

import type { Interval, Spread } from "../schema.ts";
import { regularisedBeta } from "./incomplete_beta.ts";

/** With fewer epochs than this an interval would promise more than it can keep. */
export const MINIMUM_EPOCHS_FOR_INTERVAL = 5;

/** A value in the unit of its epochs; see {@linkcode estimate}. */
export interface Estimate {
  value: number;
  ci95: Interval | null;
  epochs: readonly number[];
  spread: Spread;
}

export interface EstimateOptions {
  /** For each epoch the values of its slices. */
  within?: readonly (readonly number[])[];
  /** Left out: `log`, unless an epoch is 0 or less. */
  scale?: "log" | "linear";
  /** 0.95 unless given. */
  confidence?: number;
}

/**
 * The mean of the epochs' logarithms, taken back, and its t interval: exp(mean ± t(E-1) s/√E). The epoch is the
 * unit of repetition: what slices and calls within one have in common would make an interval over them too
 * narrow. With fewer than 5 epochs there is no interval; epochs that are all equal give exactly that value.
 *
 * `linear` takes the values as they are, for those that can be 0 or negative. The spread is of logarithms,
 * and so not known for those: between epochs, and pooled within them.
 *
 * @throws {RangeError} without epochs, for one that is not finite, and for one of 0 or less on a log scale
 */
export function estimate(epochs: readonly number[], options: EstimateOptions = {}): Estimate {
  const { within = [], confidence = 0.95 } = options;
  const scale = options.scale ?? (epochs.every((value) => value > 0) ? "log" : "linear");
  const wrong = epochs.find((value) => !Number.isFinite(value) || (scale === "log" && value <= 0));
  if (epochs.length === 0 || wrong !== undefined) {
    const why = wrong === undefined ? "there are no epochs" : `the value of an epoch is ${wrong}`;
    throw new RangeError(`Cannot estimate on a ${scale} scale as ${why}`);
  }
  const [into, back] = scale === "log" ? [Math.log, Math.exp] : [asItIs, asItIs];
  const { mean, sd } = momentsOf(epochs.map(into));
  const isConstant = epochs.every((value) => value === epochs[0]);
  const value = isConstant ? epochs[0] : back(mean);
  const hasInterval = epochs.length >= MINIMUM_EPOCHS_FOR_INTERVAL;
  const margin = hasInterval && !isConstant
    ? tQuantile((1 + confidence) / 2, epochs.length - 1) * sd / Math.sqrt(epochs.length)
    : 0;
  const interval: Interval = isConstant
    ? [value, value]
    : [back(mean - margin), back(mean + margin)];
  const isLog = scale === "log";
  return {
    value,
    ci95: hasInterval ? interval : null,
    epochs,
    spread: {
      within: isLog ? spreadWithin(within) : null,
      between: isLog && epochs.length > 1 ? isConstant ? 0 : sd : null,
    },
  };
}

function asItIs(value: number): number {
  return value;
}

/** Mean and sample standard deviation; the latter is 0 for a single value. */
export function momentsOf(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}

/**
 * The standard deviation of logarithms within groups, pooled by degrees of freedom; `null` where no group has
 * two values, or a value is 0 or less.
 */
function spreadWithin(groups: readonly (readonly number[])[]): number | null {
  let squares = 0;
  let freedom = 0;
  for (const group of groups) {
    if (group.some((value) => !(value > 0))) return null;
    if (group.length < 2) continue;
    squares += momentsOf(group.map(Math.log)).sd ** 2 * (group.length - 1);
    freedom += group.length - 1;
  }
  return freedom === 0 ? null : Math.sqrt(squares / freedom);
}

/**
 * The quantile of Student's t distribution, exact to 1e-8, by bisection: P(|T| <= t) is
 * I_{t²/(ν + t²)}(1/2, ν/2) (NIST Digital Library of Mathematical Functions 8.17; Abramowitz and Stegun, Handbook
 * of Mathematical Functions, 26.5.27 and 26.7.1).
 *
 * @throws {RangeError} if `probability` is not between 0 and 1 or `degreesOfFreedom` is not above 0
 */
export function tQuantile(probability: number, degreesOfFreedom: number): number {
  if (!(probability > 0 && probability < 1 && degreesOfFreedom > 0)) {
    throw new RangeError(
      `Cannot take a quantile of t at ${probability} with ${degreesOfFreedom} degrees of freedom`,
    );
  }
  if (probability < 0.5) return -tQuantile(1 - probability, degreesOfFreedom);
  const key = `${probability}/${degreesOfFreedom}`;
  const known = knownQuantiles.get(key);
  if (known !== undefined) return known;
  const central = 2 * probability - 1;
  const centralUpTo = (t: number) =>
    regularisedBeta(t * t / (degreesOfFreedom + t * t), 0.5, degreesOfFreedom / 2);
  let [low, high] = [0, 1];
  while (centralUpTo(high) < central && high < Number.MAX_SAFE_INTEGER) {
    [low, high] = [high, 2 * high];
  }
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (centralUpTo(middle) < central) low = middle;
    else high = middle;
  }
  knownQuantiles.set(key, low);
  return low;
}

/** The few that a run needs, over and over. */
const knownQuantiles = new Map<string, number>();
