/**
 * The metrics of shards as those of one client that had done all the work.
 *
 * @module
 */

import type { At, Distribution, Metric, Scalar, SeriesPoint } from "../schema.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { addCensored, NONE_CENSORED } from "../stats/percentiles.ts";
import { summariseInterval } from "../stats/series.ts";
import { mergeEpochs, summariseDistribution, summariseScalar } from "../stats/summary.ts";

/** Merged metrics, and those of which the shards' values make no whole. */
export interface MergedMetrics {
  metrics: Metric[];
  unmerged: { name: string; reason: string }[];
}

/** Merges metrics by name and place, in the order of the first shard; the seed is that of the intervals. */
export function mergeMetrics(shards: readonly (readonly Metric[])[], seed: number): MergedMetrics {
  const keys = [...new Set(shards.flatMap((metrics) => metrics.map(keyOf)))];
  const merged: MergedMetrics = { metrics: [], unmerged: [] };
  for (const key of keys) {
    const parts = shards.flatMap((metrics) => metrics.find((one) => keyOf(one) === key) ?? []);
    const distributions = parts.filter((part) => part.kind === "distribution");
    const scalars = parts.filter((part) => part.kind === "scalar");
    if (distributions.length > 0) merged.metrics.push(mergeDistributions(distributions, seed));
    else mergeScalars(merged, scalars, shards.length);
  }
  return merged;
}

function keyOf({ name, at }: { name: string; at?: At }): string {
  return JSON.stringify([name, at ?? null]);
}

/** The declared part of a metric, which all shards have alike. */
function declared({ name, role, better, at, gates }: Metric) {
  return {
    name,
    role,
    better,
    ...(at === undefined ? {} : { at }),
    ...(gates === undefined ? {} : { gates }),
  };
}

/**
 * The distribution that recording all samples in one histogram would give, exactly: pooled, epoch by epoch
 * and interval by interval. Of the epochs, those that all parts have.
 *
 * @throws {Error} if a histogram cannot be read, or an epoch or interval has none
 */
export function mergeDistributions(parts: readonly Distribution[], seed: number): Distribution {
  using pooled = new LatencyHistogram();
  let censored = NONE_CENSORED;
  for (const { histogram, min, mean, max, censored: count, epochs } of parts) {
    // With calls without an answer the longest time is theirs; with epochs the mean is that of theirs.
    using part = LatencyHistogram.decode(histogram, {
      min,
      max: count === 0 ? max : undefined,
      mean: epochs.some(({ count }) => count > 0) ? undefined : mean,
    });
    pooled.add(part);
    censored = addCensored(censored, { count, atLeastNs: max });
  }
  const count = Math.min(...parts.map(({ epochs }) => epochs.length));
  return summariseDistribution({
    ...declared(parts[0]!),
    seed,
    pooled,
    censored,
    epochs: Array.from(
      { length: count },
      (_, index) => mergeEpochs(parts.map(({ epochs }) => epochs[index]!)),
    ),
    series: mergeSeries(parts.map(({ series }) => series)),
  });
}

/** Intervals by when they begin; none where shards have them of different widths. */
function mergeSeries(shards: readonly (readonly SeriesPoint[])[]): SeriesPoint[] {
  const widths = shards.flatMap((points) =>
    points.length < 2 ? [] : [points[1]!.atMs - points[0]!.atMs]
  );
  if (new Set(widths).size > 1) return [];
  const times = [...new Set(shards.flatMap((points) => points.map(({ atMs }) => atMs)))];
  return times.sort((a, b) => a - b).map((atMs) => {
    using sum = new LatencyHistogram();
    for (const point of shards.flatMap((points) => points.filter((one) => one.atMs === atMs))) {
      if (point.count === 0) continue;
      if (point.histogram === undefined) {
        throw new Error(
          "Cannot merge exactly as an interval has no histogram: is this a shard's report?",
        );
      }
      using part = LatencyHistogram.decode(point.histogram, { max: point.max! });
      sum.add(part);
    }
    return summariseInterval(atMs, sum, { mergeable: true });
  });
}

/** Epoch by epoch, those that all have; smallest first, so that no order of the shards changes the sum. */
function mergeScalars(merged: MergedMetrics, parts: readonly Scalar[], shards: number): void {
  const [first] = parts;
  const { name, unit, merge } = first!;
  if (merge === undefined || parts.length < shards) {
    const reason = merge === undefined
      ? "what shards measure of it makes no whole: see their own reports"
      : "not every shard has measured it";
    return void merged.unmerged.push({ name, reason });
  }
  const count = Math.min(...parts.map(({ epochs }) => epochs.length));
  const epochs = Array.from(
    { length: count },
    (_, index) =>
      parts.map((part) => part.epochs[index]!).sort((a, b) => a - b)
        .reduce((sum, value) => merge === "max" ? Math.max(sum, value) : sum + value, 0),
  );
  merged.metrics.push(summariseScalar({ ...declared(first!), unit, merge, epochs }));
}
