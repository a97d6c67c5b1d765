/**
 * Which percentiles a number of samples can carry.
 *
 * @module
 */

import type { RoundSummary } from "../schema.ts";
import type { LatencyHistogram } from "./histogram.ts";

/** A percentile needs this many samples beyond it. */
const SAMPLES_BEYOND = 10;

/**
 * How many samples a percentile needs: 10 beyond it, so 40 for p75, 100 for p90, 200 for p95,
 * 1,000 for p99 and 10,000 for p99.9. Up to the median, one is enough.
 */
export function minimumSamples(percentile: number): number {
  if (percentile <= 50) return 1;
  const exact = 100 * SAMPLES_BEYOND / (100 - percentile);
  return Math.ceil(exact - 1e-6);
}

/** The percentile in nanoseconds, or `null` where it would rest on too few samples. */
export function percentileOrNull(histogram: LatencyHistogram, percentile: number): number | null {
  return histogram.count < minimumSamples(percentile) ? null : histogram.percentile(percentile);
}

/** What one round measured, in nanoseconds; `mergeable` adds the histogram itself. */
export function summariseRound(
  histogram: LatencyHistogram,
  { mergeable = false } = {},
): RoundSummary {
  const { count } = histogram;
  return {
    count,
    mean: count === 0 ? null : histogram.mean,
    p50: percentileOrNull(histogram, 50),
    p95: percentileOrNull(histogram, 95),
    p99: percentileOrNull(histogram, 99),
    max: count === 0 ? null : histogram.max,
    ...(mergeable && count > 0 ? { histogram: histogram.encode() } : {}),
  };
}
