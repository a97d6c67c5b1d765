/**
 * One value from the values of all epochs, with its confidence interval.
 *
 * @module
 */

import type { Interval, Spread } from "../schema.ts";
import { regularisedBeta } from "./incomplete_beta.ts";

/** Minimum epochs for a meaningful interval. */
export const MINIMUM_EPOCHS_FOR_INTERVAL = 5;

/** A value in the unit of its epochs; see {@linkcode estimate}. */
export interface Estimate {
  value: number;
  ci95: Interval | null;
  spread: Spread;
}

export interface EstimateOptions {
  /** The values of each epoch's slices. */
  within?: readonly (readonly number[])[];
  /** Default: logarithmic, or `linear` if an epoch is 0 or less. */
  scale?: "linear";
  /** True for ratios or differences measured side by side, where changes of the machine cancel. */
  paired?: boolean;
}

/**
 * The geometric mean of the epochs with its 95 % interval: exp(mean ± margin) of their logarithms,
 * where the margin is {@linkcode marginOf}, or {@linkcode independentMargin} if the values are
 * paired. The epoch is the unit of repetition: slices and calls of one epoch are correlated, so an
 * interval over them would be too narrow. Fewer than 5 epochs have no interval. If all epochs are
 * equal, value and bounds are exactly that value.
 *
 * A `linear` scale takes the arithmetic mean instead, for values that can be 0 or negative. The
 * spread is the standard deviation of the logarithms, between epochs and pooled within them, and
 * `null` on a linear scale.
 *
 * @throws {RangeError} if there are no epochs, or one is not finite
 */
export function estimate(epochs: readonly number[], options: EstimateOptions = {}): Estimate {
  const { within = [], scale, paired = false } = options;
  const wrong = epochs.find((value) => !Number.isFinite(value));
  if (epochs.length === 0 || wrong !== undefined) {
    const why = wrong === undefined ? "there are no epochs" : `the value of an epoch is ${wrong}`;
    throw new RangeError(`Cannot estimate a value as ${why}`);
  }
  const isLog = scale !== "linear" && epochs.every((value) => value > 0);
  const scaled = isLog ? epochs.map(Math.log) : epochs;
  const back = (mean: number) => isLog ? Math.exp(mean) : mean;
  const { mean, sd } = momentsOf(scaled);
  const isConstant = epochs.every((value) => value === epochs[0]);
  const value = isConstant ? epochs[0] : back(mean);
  const hasInterval = epochs.length >= MINIMUM_EPOCHS_FOR_INTERVAL;
  const marginOfMean = paired ? independentMargin : marginOf;
  const margin = hasInterval && !isConstant ? marginOfMean(scaled) : 0;
  const interval: Interval = isConstant
    ? [value, value]
    : [back(mean - margin), back(mean + margin)];
  return {
    value,
    ci95: hasInterval ? interval : null,
    spread: {
      within: isLog ? spreadWithin(within) : null,
      between: isLog && epochs.length > 1 ? isConstant ? 0 : sd : null,
    },
  };
}

/** Half-width of the interval of a mean of independent values: t(E-1) s/√E. */
export function independentMargin(values: readonly number[], confidence = 0.95): number {
  const { length } = values;
  return tQuantile((1 + confidence) / 2, length - 1) * momentsOf(values).sd / Math.sqrt(length);
}

/**
 * Half-width of the interval of a mean of values in epoch order: the wider of two.
 * {@linkcode independentMargin} holds if epochs are independent. On a shared machine neighbouring
 * epochs are correlated, so the mean is less certain than their spread suggests. The other one
 * therefore estimates the long-run variance from low frequencies only, the first ν cosine terms of
 * the series, with t(ν); ν is 0.4 E^(2/3), at least 2 (E. Lazarus, D. Lewis, J. Stock and M.
 * Watson, HAR Inference: Recommendations for Practice, Journal of Business & Economic Statistics
 * 36(4), 2018, section 3: the equal-weighted cosine test).
 */
export function marginOf(values: readonly number[]): number {
  const { length } = values;
  const terms = Math.min(length - 1, Math.max(2, Math.round(0.4 * length ** (2 / 3))));
  let squares = 0;
  for (let term = 1; term <= terms; term++) {
    const angle = Math.PI * term / length;
    const cosines = values.map((_, epoch) => Math.cos(angle * (epoch + 0.5)));
    squares += dot(values, cosines) ** 2 * 2 / length;
  }
  const slow = tQuantile(0.975, terms) * Math.sqrt(squares / terms / length);
  return Math.max(independentMargin(values), slow);
}

/** Mean and sample standard deviation, which is 0 for a single value. */
export function momentsOf(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}

/** Deviations from the mean. */
export function centred(values: readonly number[]): number[] {
  const { mean } = momentsOf(values);
  return values.map((value) => value - mean);
}

/** Dot product of two vectors of equal length. */
export function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, index) => sum + value * other[index], 0);
}

/**
 * Standard deviation of the logarithms within groups, pooled by degrees of freedom; `null` if no
 * group has two values or one is 0 or less.
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

/** A run needs the same few quantiles repeatedly. */
const knownQuantiles = new Map<string, number>();

/**
 * Quantile of Student's t distribution, accurate to 1e-8, by bisection of its distribution function
 * P(|T| <= t) = I_{t²/(ν + t²)}(1/2, ν/2) (NIST Digital Library of Mathematical Functions 8.17;
 * Abramowitz and Stegun, Handbook of Mathematical Functions, 26.5.27 and 26.7.1).
 *
 * @param probability above 0 and below 1
 * @param degreesOfFreedom above 0, not necessarily whole
 */
export function tQuantile(probability: number, degreesOfFreedom: number): number {
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
