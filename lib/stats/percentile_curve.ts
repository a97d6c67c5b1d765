import type { Distribution } from "../schema.ts";
import { LatencyHistogram } from "./histogram.ts";

const POINTS_PER_DECADE = 16;

/** The quantile function as points [1/(1-q), time in nanoseconds], up to the maximum. */
export function percentileCurve(distribution: Distribution): [number, number][] {
  const { min, p50, p75, p90, p95, p99, p999, max, count } = distribution;
  try {
    using histogram = LatencyHistogram.decode(distribution.histogram, distribution);
    const steps = Math.ceil(Math.log10(count) * POINTS_PER_DECADE);
    const curve = Array.from({ length: steps }, (_, step): [number, number] => {
      const x = 10 ** (step / POINTS_PER_DECADE);
      return [Number(x.toPrecision(6)), histogram.percentile(100 * (1 - 1 / x))];
    });
    return [...curve, [count, max]];
  } catch {
    // The histogram cannot be read: use the stored percentiles.
    const stored = [[1, min], [2, p50], [4, p75], [10, p90], [20, p95], [100, p99], [1000, p999]];
    return [...stored, [count, max]].flatMap(([x, ns]) => ns === null ? [] : [[x!, ns!]]);
  }
}

/** First quartile in nanoseconds; `null` if the histogram cannot be read. */
export function firstQuartile(metric: Distribution): number | null {
  try {
    using histogram = LatencyHistogram.decode(metric.histogram, metric);
    return histogram.percentile(25);
  } catch {
    return null;
  }
}
