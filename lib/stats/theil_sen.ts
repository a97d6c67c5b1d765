import type { Interval } from "../schema.ts";
import { median } from "./median.ts";

/** The standard normal quantiles of 97.5 % and 95 %. */
const Z_975 = 1.959964;
const Z_95 = 1.644854;
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
  /** The one-sided upper bound of 95 %, for the same; `null` with fewer than ten points. */
  upper95: number | null;
}

/**
 * The slope of a straight line through points, undisturbed by up to 29 % of outliers: the median of the
 * slopes between all pairs (H. Theil, A Rank-Invariant Method of Linear and Polynomial Regression
 * Analysis, 1950). The bounds need no particular distribution of the errors: they hold the slopes that
 * Kendall's tau between the x and what is left of y does not reject, by the normal approximation
 * with its correction for ties (P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's
 * Tau, JASA 63, 1968; R. O. Gilbert, Statistical Methods for Environmental Pollution Monitoring, 1987,
 * section 16.5), their ranks rounded outwards. Errors that come in runs make them too narrow.
 *
 * Takes time and memory by the square of the number of points: see `binPoints`.
 *
 * `null` with fewer than two different x.
 */
export function theilSenTrend(points: readonly TrendPoint[]): Trend | null {
  const slopes = pairwiseSlopes(points);
  if (slopes.length === 0) return null;
  const middle = (slopes.length - 1) / 2;
  const slope = (slopes[Math.floor(middle)]! + slopes[Math.ceil(middle)]!) / 2;
  if (points.length < MINIMUM_POINTS_FOR_INTERVAL) return { slope, ci95: null, upper95: null };
  const deviation = Math.sqrt(varianceOfKendallS(points));
  /** The slopes at a rank, from 1, that is counted from either end. */
  const boundsOf = (z: number): Interval | null => {
    const rank = Math.floor((slopes.length - z * deviation) / 2);
    return rank < 1 ? null : [slopes[rank - 1]!, slopes.at(-rank)!];
  };
  return { slope, ci95: boundsOf(Z_975), upper95: boundsOf(Z_95)?.[1] ?? null };
}

/** In ascending order; pairs with the same x have none. */
function pairwiseSlopes(points: readonly TrendPoint[]): Float64Array {
  const slopes = new Float64Array(points.length * (points.length - 1) / 2);
  let count = 0;
  points.forEach(({ x, y }, first) => {
    for (let second = first + 1; second < points.length; second++) {
      const dx = points[second]!.x - x;
      if (dx !== 0) slopes[count++] = (points[second]!.y - y) / dx;
    }
  });
  return slopes.subarray(0, count).sort();
}

/** The variance of Kendall's S where there is no trend: Kendall, Rank Correlation Methods (1975). */
function varianceOfKendallS(points: readonly TrendPoint[]): number {
  const term = (count: number) => count * (count - 1) * (2 * count + 5) / 18;
  const tied = (values: readonly number[]) =>
    [...Map.groupBy(values, (value) => value).values()]
      .reduce((sum, { length }) => sum + term(length), 0);
  return term(points.length) - tied(points.map(({ x }) => x)) - tied(points.map(({ y }) => y));
}

/**
 * At most so many points in place of a longer series in ascending order of x: the medians of runs of
 * neighbours, whose lengths differ by at most one.
 */
export function binPoints(
  points: readonly TrendPoint[],
  limit: number,
): readonly TrendPoint[] {
  if (points.length <= limit) return points;
  return Array.from({ length: limit }, (_, bin) => {
    const from = Math.round(bin * points.length / limit);
    const members = points.slice(from, Math.round((bin + 1) * points.length / limit));
    return { x: median(members.map(({ x }) => x)), y: median(members.map(({ y }) => y)) };
  });
}
