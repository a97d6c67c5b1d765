import type { EpochSummary } from "../schema.ts";
import type { Bins } from "./bins.ts";
import { LatencyHistogram } from "./histogram.ts";
import { percentileOf } from "./percentiles.ts";

/** An epoch with its samples in compact form. */
export interface EpochPart {
  summary: EpochSummary;
  bins: Bins;
}

/** Summarises one epoch; `mergeable` adds the histogram, so that shards merge exactly. */
export function summariseEpoch(histogram: LatencyHistogram, mergeable: boolean): EpochPart {
  const bins = histogram.bins();
  const { count, censored, longest } = bins;
  const [p5, p50, p95, p99] = [5, 50, 95, 99].map((percentile) => percentileOf(bins, percentile));
  const summary = {
    ...{ count, censored },
    min: count === 0 ? null : histogram.min,
    mean: count === 0 ? null : histogram.mean,
    ...{ p5, p50, p95, p99 },
    max: longest === -Infinity ? null : longest,
    ...(mergeable && count > 0 ? { histogram: histogram.encode() } : {}),
  };
  return { summary, bins };
}

/**
 * Merges the same epoch of several shards.
 *
 * @throws {Error} if a shard has samples but no histogram
 */
export function mergeEpochs(shards: readonly EpochSummary[]): EpochPart {
  using sum = new LatencyHistogram();
  for (const { count, censored, min, mean, max, histogram } of shards) {
    sum.censor(censored, max ?? 0);
    if (count === 0) continue;
    if (histogram === undefined) {
      throw new Error(`Cannot merge an epoch of ${count} samples as it has no histogram`);
    }
    // If calls are censored, `max` may be theirs.
    const exact = { min, mean, max: censored === 0 ? max : null };
    using part = LatencyHistogram.decode(histogram, exact);
    sum.add(part);
  }
  return summariseEpoch(sum, true);
}
