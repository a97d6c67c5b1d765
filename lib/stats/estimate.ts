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
  /** Are they ratios or differences of what was measured side by side? What changes the machine cancels out of those. */
  paired?: boolean;
}

/**
 * The mean of the epochs' logarithms, taken back, and its interval: exp(mean ± margin), with the margin of
 * {@linkcode marginOf}, or exp(mean ± t(E-1) s/√E) of what is paired. The epoch is the unit of repetition: what slices
 * and calls within one have in common would make an interval over them too narrow. With fewer than 5 epochs there is no interval; epochs that are all
 * equal give exactly that value.
 *
 * `linear` takes the values as they are, for those that can be 0 or negative. The spread is of logarithms,
 * and so not known for those: between epochs, and pooled within them.
 *
 * @throws {RangeError} without epochs, for one that is not finite, and for one of 0 or less on a log scale
 */
export function estimate(epochs: readonly number[], options: EstimateOptions = {}): Estimate {
  const { within = [], confidence = 0.95, paired = false } = options;
  const scale = options.scale ?? (epochs.every((value) => value > 0) ? "log" : "linear");
  const wrong = epochs.find((value) => !Number.isFinite(value) || (scale === "log" && value <= 0));
  if (epochs.length === 0 || wrong !== undefined) {
    const why = wrong === undefined ? "there are no epochs" : `the value of an epoch is ${wrong}`;
    throw new RangeError(`Cannot estimate on a ${scale} scale as ${why}`);
  }
  const [into, back] = scale === "log" ? [Math.log, Math.exp] : [asItIs, asItIs];
  const scaled = epochs.map(into);
  const { mean, sd } = momentsOf(scaled);
  const isConstant = epochs.every((value) => value === epochs[0]);
  const value = isConstant ? epochs[0] : back(mean);
  const hasInterval = epochs.length >= MINIMUM_EPOCHS_FOR_INTERVAL;
  const marginOfMean = paired ? independentMargin : marginOf;
  const margin = hasInterval && !isConstant ? marginOfMean(scaled, confidence) : 0;
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

/** Half the interval of the mean of values that are independent of each other: t(E-1) s/√E. */
export function independentMargin(values: readonly number[], confidence = 0.95): number {
  const { length } = values;
  return tQuantile((1 + confidence) / 2, length - 1) * momentsOf(values).sd / Math.sqrt(length);
}

/**
 * Half the interval of the mean of values in the order of their epochs: the wider of two. {@linkcode independentMargin}
 * is right while epochs are independent. But a shared machine is faster in some minutes than in others: neighbouring
 * epochs resemble each other, and a run knows its mean less well than their spread says. So the other takes the
 * variance from the slow part of the series alone, its first ν cosine terms, with t(ν): ν is 0.4 E^(2/3), at least 2
 * (E. Lazarus, D. Lewis, J. Stock and M. Watson, HAR Inference: Recommendations for Practice, Journal of Business &
 * Economic Statistics 36(4), 2018, section 3: the equal-weighted cosine test).
 */
export function marginOf(values: readonly number[], confidence = 0.95): number {
  const { length } = values;
  const terms = Math.min(length - 1, Math.max(2, Math.round(0.4 * length ** (2 / 3))));
  let squares = 0;
  for (let term = 1; term <= terms; term++) {
    const angle = Math.PI * term / length;
    const projected = values.reduce(
      (sum, value, epoch) => sum + value * Math.cos(angle * (epoch + 0.5)),
      0,
    );
    squares += projected ** 2 * 2 / length;
  }
  const slow = tQuantile((1 + confidence) / 2, terms) * Math.sqrt(squares / terms / length);
  return Math.max(independentMargin(values, confidence), slow);
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
