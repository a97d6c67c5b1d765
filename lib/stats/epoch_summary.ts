import type { EpochSummary } from "../schema.ts";
import type { Bins } from "./bins.ts";
import { LatencyHistogram } from "./histogram.ts";
import {
  addCensored,
  type Censored,
  longestOf,
  NONE_CENSORED,
  percentileOf,
} from "./percentiles.ts";

/** An epoch with its samples in compact form. */
export interface EpochPart {
  summary: EpochSummary;
  bins: Bins;
}

/** The calls of an epoch without an answer; they took at least its `max`. */
export function censoredOf({ censored, max }: EpochSummary): Censored {
  return { count: censored, atLeastNs: max ?? 0 };
}

/** Summarises one epoch; `mergeable` adds the histogram, so that shards merge exactly. */
export function summariseEpoch(
  histogram: LatencyHistogram,
  { censored, mergeable }: { censored: Censored; mergeable: boolean },
): EpochPart {
  const bins = histogram.bins();
  const { count } = bins;
  const longest = longestOf(bins, censored);
  const [p5, p50, p95, p99] = [5, 50, 95, 99].map((p) => percentileOf(bins, p, { censored }));
  const summary = {
    count,
    censored: censored.count,
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
  let censored = NONE_CENSORED;
  for (const shard of shards) {
    censored = addCensored(censored, censoredOf(shard));
    if (shard.count === 0) continue;
    if (shard.histogram === undefined) {
      throw new Error(`Cannot merge an epoch of ${shard.count} samples as it has no histogram`);
    }
    const { min, mean, max } = shard;
    using part = LatencyHistogram.decode(shard.histogram, {
      min: min ?? undefined,
      mean: mean ?? undefined,
      max: shard.censored === 0 && max !== null ? max : undefined,
    });
    sum.add(part);
  }
  return summariseEpoch(sum, { censored, mergeable: true });
}
