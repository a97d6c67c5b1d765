import type { Interval, SeriesPoint } from "../schema.ts";
import { centred, dot, momentsOf, tQuantile } from "./estimate.ts";
import { median } from "./median.ts";

/** What can change over a series; `count` stands for throughput. */
export type Changing = "p50" | "p99" | "count";

export interface Change {
  /** Last third over first third. */
  ratio: number;
  ci95: Interval;
}

/** Minimum values per third. */
const MINIMUM_LENGTH = 4;
/** Parameters fitted to each third: level and slope. */
const FITTED = 2;
/**
 * Intervals with a smaller share of the usual number of samples have no percentile worth comparing.
 */
const USUAL_SHARE = 0.5;
/** Upper limit of the autocorrelation: so few values cannot tell a higher one from a change. */
const MAX_CORRELATION = 0.8;

/** The change over a series without its last interval, which may be unfinished; `null` if short. */
export function changeOver(series: readonly SeriesPoint[], changing: Changing): Change | null {
  const finished = series.slice(0, -1);
  if (finished.length === 0) return null;
  // A stalled interval has no calls; half a call keeps its logarithm finite.
  if (changing === "count") return changeOf(finished.map(({ count }) => Math.max(count, 0.5)));
  const usual = median(finished.map(({ count }) => count));
  return changeOf(finished.flatMap((point) => {
    const ns = point[changing];
    return ns === null || ns <= 0 || point.count < USUAL_SHARE * usual ? [] : [ns];
  }));
}

/**
 * The geometric mean of the last third of the values over that of the first third, with a t
 * interval on the log scale; `null` with fewer than 12 values or if one is not above 0.
 *
 * Successive values are autocorrelated: with a lag-1 autocorrelation of r, n of them are worth n (1
 * - r) / (1 + r) independent ones (H. von Storch and F. Zwiers, Statistical Analysis in Climate
 * Research, 1999, section 6.6). The variance and r are estimated from the residuals of straight
 * lines through the two thirds, so the change itself does not count as noise. r is corrected for
 * the bias that the fit causes, and clamped to 0 to 0.8.
 */
export function changeOf(values: readonly number[]): Change | null {
  const length = Math.floor(values.length / 3);
  if (length < MINIMUM_LENGTH || values.some((value) => !(value > 0))) return null;
  const logs = values.map(Math.log);
  const thirds = [logs.slice(0, length), logs.slice(-length)];
  const [first, last] = thirds.map((third) => momentsOf(third).mean);
  const left = thirds.map(residuals);
  const squares = left.reduce((sum, part) => sum + dot(part, part), 0);
  const products = left.reduce((sum, part) => sum + dot(part.slice(1), part), 0);
  const variance = squares / (2 * (length - FITTED));
  const biased = squares > 0 ? products / squares : 0;
  const unbiased = (biased + FITTED / length) / (1 - FITTED / length);
  const correlation = Math.min(MAX_CORRELATION, Math.max(0, unbiased));
  const inflation = (1 + correlation) / (1 - correlation);
  const freedom = Math.max(2, 2 * length / inflation - 2 * FITTED);
  const margin = tQuantile(0.975, freedom) * Math.sqrt(2 * variance * inflation / length);
  const change = last - first;
  return {
    ratio: Math.exp(change),
    ci95: [Math.exp(change - margin), Math.exp(change + margin)],
  };
}

/** Residuals of a straight line through equally spaced values. */
function residuals(values: readonly number[]): number[] {
  const x = centred([...values.keys()]);
  const y = centred(values);
  const slope = dot(x, y) / dot(x, x);
  return y.map((value, index) => value - slope * x[index]);
}
