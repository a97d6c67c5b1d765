import { median } from "./median.ts";
import { varianceOfKendallS } from "./trend.ts";

/** The 95 % quantile of the standard normal distribution. */
const Z_95 = 1.644854;
/** Minimum for the normal approximation of Kendall's tau: Gilbert (1987), section 16.4. */
const MINIMUM_POINTS = 10;

export interface TrendPoint {
  x: number;
  y: number;
}

/**
 * One-sided 95 % upper bound of the slope of a trend, in units of y per unit of x. The slope is
 * Theil and Sen's: the median of the slopes between all pairs of points, which tolerates up to 29 %
 * of outliers (H. Theil, A Rank-Invariant Method of Linear and Polynomial Regression Analysis,
 * 1950). The bound is distribution-free: it is above the slopes that Kendall's tau between x and
 * the residuals does not reject, by the normal approximation with its correction for ties (P. K.
 * Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, JASA 63, 1968; R. O.
 * Gilbert, Statistical Methods for Environmental Pollution Monitoring, 1987, section 16.5), with
 * the rank rounded outwards. Autocorrelated errors make it too low.
 *
 * Time and memory grow with the square of the number of points: see {@linkcode binPoints}.
 *
 * @returns `null` with fewer than ten points, or too few different x
 */
export function slopeUpperBound(points: readonly TrendPoint[]): number | null {
  if (points.length < MINIMUM_POINTS) return null;
  const slopes = pairwiseSlopes(points);
  const [x, y] = [points.map((point) => point.x), points.map((point) => point.y)];
  const deviation = Math.sqrt(varianceOfKendallS(x, y));
  const rank = Math.floor((slopes.length - Z_95 * deviation) / 2);
  return rank < 1 ? null : slopes.at(-rank)!;
}

/** In ascending order, without pairs of equal x. */
function pairwiseSlopes(points: readonly TrendPoint[]): Float64Array {
  const slopes = new Float64Array(points.length * (points.length - 1) / 2);
  let count = 0;
  points.forEach(({ x, y }, first) => {
    for (let second = first + 1; second < points.length; second++) {
      const dx = points[second].x - x;
      if (dx !== 0) slopes[count++] = (points[second].y - y) / dx;
    }
  });
  return slopes.subarray(0, count).sort();
}

/**
 * Reduces points in ascending order of x to at most `limit`: the medians of consecutive runs whose
 * lengths differ by at most one.
 */
export function binPoints(points: readonly TrendPoint[], limit: number): readonly TrendPoint[] {
  if (points.length <= limit) return points;
  return Array.from({ length: limit }, (_, bin) => {
    const from = Math.round(bin * points.length / limit);
    const members = points.slice(from, Math.round((bin + 1) * points.length / limit));
    return { x: median(members.map(({ x }) => x)), y: median(members.map(({ y }) => y)) };
  });
}
