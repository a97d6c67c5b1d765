import type { Distribution, Metric, Scalar, SeriesPoint } from "../schema.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { addCensored, NONE_CENSORED } from "../stats/percentiles.ts";
import { summariseInterval } from "../stats/series.ts";
import { mergeEpochs, summariseDistribution, summariseScalar } from "../stats/summary.ts";
import { byEpoch } from "./together.ts";

/** Merged metrics, and those of which the shards' values make no whole. */
export interface MergedMetrics {
  metrics: Metric[];
  unmerged: { name: string; reason: string }[];
}

/**
 * The metrics of shards as those of one client that had done all the work, in the order of the first shard; the seed is
 * that of the intervals.
 *
 * @throws {Error} if a histogram cannot be read, or an epoch or interval has none
 */
export function mergeMetrics(shards: readonly (readonly Metric[])[], seed: number): MergedMetrics {
  const merged: MergedMetrics = { metrics: [], unmerged: [] };
  const keyOf = ({ name, at }: Metric) => JSON.stringify([name, at ?? null]);
  for (const parts of Map.groupBy(shards.flat(), keyOf).values()) {
    const distributions = parts.filter((part) => part.kind === "distribution");
    const scalars = parts.filter((part) => part.kind === "scalar");
    const { name, ...first } = parts[0]!;
    const isWhole = scalars.length === shards.length;
    if (distributions.length > 0) merged.metrics.push(mergeDistributions(distributions, seed));
    else if (first.kind === "scalar" && first.merge !== undefined && isWhole) {
      merged.metrics.push(mergeScalars(scalars, first.merge));
    } else {
      const reason = first.kind === "scalar" && first.merge === undefined
        ? "what shards measure of it makes no whole: see their own reports"
        : "not every shard has measured it";
      merged.unmerged.push({ name, reason });
    }
  }
  return merged;
}

/** The declared part of a metric, which all shards have alike. */
function declared({ name, role, better, at, gates }: Metric) {
  return {
    ...{ name, role, better },
    ...(at === undefined ? {} : { at }),
    ...(gates === undefined ? {} : { gates }),
  };
}

/** The distribution that recording all samples in one histogram would give, exactly: pooled, by epoch and by interval. */
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
  return summariseDistribution({
    ...declared(parts[0]!),
    ...{ seed, pooled, censored },
    epochs: byEpoch(parts).map(mergeEpochs),
    series: mergeSeries(parts.map(({ series }) => series)),
  });
}

/** Intervals by when they begin; none where shards have them of different widths. */
function mergeSeries(shards: readonly (readonly SeriesPoint[])[]): SeriesPoint[] {
  const widths = shards.flatMap((points) =>
    points.length < 2 ? [] : [points[1]!.atMs - points[0]!.atMs]
  );
  if (new Set(widths).size > 1) return [];
  const intervals = Map.groupBy(shards.flat(), ({ atMs }) => atMs);
  return [...intervals].sort(([a], [b]) => a - b).map(([atMs, points]) => {
    using sum = new LatencyHistogram();
    for (const { count, histogram, max } of points) {
      if (count === 0) continue;
      if (histogram === undefined) {
        throw new Error(
          "Cannot merge exactly as an interval has no histogram: is this a shard's report?",
        );
      }
      using part = LatencyHistogram.decode(histogram, { max: max! });
      sum.add(part);
    }
    return summariseInterval(atMs, sum, { mergeable: true });
  });
}

/** Epoch by epoch; the smallest first, so that no order of the shards changes the sum. */
function mergeScalars(parts: readonly Scalar[], merge: NonNullable<Scalar["merge"]>): Metric {
  const epochs = byEpoch(parts).map((values) =>
    values.sort((a, b) => a - b)
      .reduce((sum, value) => merge === "max" ? Math.max(sum, value) : sum + value, 0)
  );
  return summariseScalar({ ...declared(parts[0]!), unit: parts[0]!.unit, merge, epochs });
}
