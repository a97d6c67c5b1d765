import type { Interval } from "../schema.ts";
import { Z_975 } from "./estimate.ts";
import { median } from "./median.ts";
import { varianceOfKendallS } from "./trend.ts";

/** The 95 % quantile of the standard normal distribution. */
const Z_95 = 1.644854;
/** Minimum for the normal approximation of Kendall's tau: Gilbert (1987), section 16.4. */
const MINIMUM_POINTS_FOR_INTERVAL = 10;

export interface TrendPoint {
  x: number;
  y: number;
}

export interface Trend {
  /** Units of y per unit of x. */
  slope: number;
  /** For independent errors; `null` with fewer than ten points. */
  ci95: Interval | null;
  /** One-sided 95 % upper bound, for independent errors; `null` with fewer than ten points. */
  upper95: number | null;
}

/**
 * The Theil-Sen slope: the median of the slopes between all pairs of points, which tolerates up to
 * 29 % of outliers (H. Theil, A Rank-Invariant Method of Linear and Polynomial Regression Analysis,
 * 1950). The bounds are distribution-free: they enclose the slopes that Kendall's tau between x and
 * the residuals does not reject, by the normal approximation with its correction for ties (P. K.
 * Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, JASA 63, 1968; R. O.
 * Gilbert, Statistical Methods for Environmental Pollution Monitoring, 1987, section 16.5), with
 * ranks rounded outwards. Autocorrelated errors make them too narrow.
 *
 * Time and memory grow with the square of the number of points: see {@linkcode binPoints}.
 *
 * @returns `null` with fewer than two different x
 */
export function theilSenTrend(points: readonly TrendPoint[]): Trend | null {
  const slopes = pairwiseSlopes(points);
  if (slopes.length === 0) return null;
  const middle = (slopes.length - 1) / 2;
  const slope = (slopes[Math.floor(middle)] + slopes[Math.ceil(middle)]) / 2;
  if (points.length < MINIMUM_POINTS_FOR_INTERVAL) return { slope, ci95: null, upper95: null };
  const [x, y] = [points.map((point) => point.x), points.map((point) => point.y)];
  const deviation = Math.sqrt(varianceOfKendallS(x, y));
  const boundsOf = (z: number): Interval | null => {
    const rank = Math.floor((slopes.length - z * deviation) / 2);
    return rank < 1 ? null : [slopes[rank - 1], slopes.at(-rank)!];
  };
  return { slope, ci95: boundsOf(Z_975), upper95: boundsOf(Z_95)?.[1] ?? null };
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
