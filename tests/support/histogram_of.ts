import { LatencyHistogram } from "../../lib/stats/histogram.ts";

/** A histogram of these values. */
export function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}
