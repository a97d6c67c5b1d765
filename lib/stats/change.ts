import type { Interval, SeriesPoint } from "../schema.ts";
import { momentsOf, tQuantile } from "./estimate.ts";
import { median } from "./median.ts";

/** What can change over a series; `count` is the throughput. */
export type Changing = "p50" | "p99" | "count";

export interface Change {
  /** End over beginning. */
  ratio: number;
  ci95: Interval;
}

/** A third of the series needs so many intervals. */
const FEWEST = 4;
/** Each third loses level and slope. */
const FITTED = 2;
/** An interval with a smaller share of the usual number of samples has no percentile worth comparing. */
const USUAL_SHARE = 0.5;
/** The correlation of neighbours is taken to be no higher: few values cannot tell it from a change. */
const MOST_CORRELATED = 0.8;

/** The change over the intervals of a series, without the last, which may be unfinished; `null`: too few. */
export function changeOver(series: readonly SeriesPoint[], changing: Changing): Change | null {
  const finished = series.slice(0, -1);
  if (finished.length === 0) return null;
  // A stalled interval has no call at all; half a call keeps its logarithm finite.
  if (changing === "count") return changeOf(finished.map(({ count }) => Math.max(count, 0.5)));
  const usual = median(finished.map(({ count }) => count));
  return changeOf(finished.flatMap((point) => {
    const ns = point[changing];
    return ns === null || ns <= 0 || point.count < USUAL_SHARE * usual ? [] : [ns];
  }));
}

/**
 * The geometric mean of the last third of the values over that of the first third, with a t interval on the
 * logarithms; `null` with fewer than 12 values or one of 0 or less.
 *
 * Neighbouring values resemble each other, so that n of them say no more than n (1 - r) / (1 + r) independent
 * ones, r being the correlation of neighbours (H. von Storch and F. Zwiers, Statistical Analysis in Climate
 * Research, 1999, section 6.6). Noise and r are taken from what straight lines through both thirds leave over, so
 * that the change itself is none of it; r is corrected for its bias by the fit, and is 0.8 at most.
 */
export function changeOf(values: readonly number[]): Change | null {
  const length = Math.floor(values.length / 3);
  if (length < FEWEST || values.some((value) => !(value > 0))) return null;
  const logs = values.map(Math.log);
  const thirds = [logs.slice(0, length), logs.slice(-length)];
  const [first, last] = thirds.map((third) => momentsOf(third).mean);
  const left = thirds.map(residuals);
  const squares = left.reduce((sum, part) => sum + dot(part, part), 0);
  const products = left.reduce((sum, part) => sum + dot(part.slice(1), part), 0);
  const variance = squares / (2 * (length - FITTED));
  const biased = squares > 0 ? products / squares : 0;
  const unbiased = (biased + FITTED / length) / (1 - FITTED / length);
  const correlation = Math.min(MOST_CORRELATED, Math.max(0, unbiased));
  const inflation = (1 + correlation) / (1 - correlation);
  const freedom = Math.max(2, 2 * length / inflation - 2 * FITTED);
  const margin = tQuantile(0.975, freedom) * Math.sqrt(2 * variance * inflation / length);
  const change = last! - first!;
  const ci95: Interval = [Math.exp(change - margin), Math.exp(change + margin)];
  return { ratio: Math.exp(change), ci95 };
}

/** What a straight line through equally spaced values leaves over. */
function residuals(values: readonly number[]): number[] {
  const { mean } = momentsOf(values);
  const x = values.map((_, index) => index - (values.length - 1) / 2);
  const slope = dot(x, values) / dot(x, x);
  return values.map((value, index) => value - mean - slope * x[index]!);
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, index) => sum + value * other[index]!, 0);
}
