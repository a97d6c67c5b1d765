import type { Interval } from "../schema.ts";
import { median } from "./rounds.ts";

/** The standard normal quantile of 97.5 %. */
const Z_975 = 1.959964;
/** With fewer points Kendall's tau is too far from normal: Gilbert (1987), section 16.4. */
const MINIMUM_POINTS_FOR_INTERVAL = 10;

/** One value in a course of values. */
export interface TrendPoint {
  x: number;
  y: number;
}

export interface Trend {
  /** Units of y for each unit of x. */
  slope: number;
  /** Of 95 %, for independent errors; `null` with fewer than ten points. */
  ci95: Interval | null;
}

/**
 * The slope of a straight line through points, undisturbed by up to 29 % of outliers: the median of the
 * slopes between all pairs (H. Theil, A Rank-Invariant Method of Linear and Polynomial Regression
 * Analysis, 1950). The interval needs no particular distribution of the errors: it holds the slopes that
 * Kendall's tau between the x and what is left of y does not reject at 5 %, by the normal approximation
 * with its correction for ties (P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's
 * Tau, JASA 63, 1968; R. O. Gilbert, Statistical Methods for Environmental Pollution Monitoring, 1987,
 * section 16.5), its ranks rounded outwards. Errors that come in runs make it too narrow.
 *
 * `null` with fewer than two different x.
 */
export function theilSenTrend(points: readonly TrendPoint[]): Trend | null {
  const slopes = pairwiseSlopes(points);
  if (slopes.length === 0) return null;
  const slope = median([...slopes]);
  if (points.length < MINIMUM_POINTS_FOR_INTERVAL) return { slope, ci95: null };
  const halfWidth = Z_975 * Math.sqrt(varianceOfKendallS(points));
  const rank = Math.floor((slopes.length - halfWidth) / 2);
  if (rank < 1) return { slope, ci95: null };
  return { slope, ci95: [slopes[rank - 1]!, slopes[slopes.length - rank]!] };
}

/** In ascending order; pairs with the same x have none. */
function pairwiseSlopes(points: readonly TrendPoint[]): Float64Array {
  const slopes: number[] = [];
  points.forEach((first, index) => {
    for (const second of points.slice(index + 1)) {
      if (second.x !== first.x) slopes.push((second.y - first.y) / (second.x - first.x));
    }
  });
  return Float64Array.from(slopes).sort();
}

/** The variance of Kendall's S where there is no trend: Kendall, Rank Correlation Methods (1975). */
function varianceOfKendallS(points: readonly TrendPoint[]): number {
  const term = (count: number) => count * (count - 1) * (2 * count + 5) / 18;
  const tied = (values: readonly number[]) =>
    [...Map.groupBy(values, (value) => value).values()]
      .reduce((sum, { length }) => sum + term(length), 0);
  return term(points.length) - tied(points.map(({ x }) => x)) - tied(points.map(({ y }) => y));
}
