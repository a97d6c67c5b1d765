import type { Distribution, Metric, Scalar, SeriesPoint } from "../schema.ts";
import { changeOver } from "../stats/change.ts";
import { mergeEpochs, summariseDistribution } from "../stats/distribution.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { summariseInterval } from "../stats/series.ts";
import { summariseScalar } from "../stats/summary.ts";
import { byEpoch } from "./together.ts";

/** Merged metrics, and those that cannot be merged. */
export interface MergedMetrics {
  metrics: Metric[];
  unmerged: { name: string; reason: string }[];
}

/**
 * Merges metrics as if one client had done all the work, in the order of the first shard.
 *
 * @param seed For resampling the intervals.
 * @throws {Error} if a histogram is missing or cannot be read
 */
export function mergeMetrics(shards: readonly (readonly Metric[])[], seed: number): MergedMetrics {
  const merged: MergedMetrics = { metrics: [], unmerged: [] };
  const keyOf = ({ name, at }: Metric) => JSON.stringify([name, at ?? null]);
  for (const parts of Map.groupBy(shards.flat(), keyOf).values()) {
    const distributions = parts.filter((part) => part.kind === "distribution");
    if (distributions.length > 0) {
      merged.metrics.push(mergeDistributions(distributions, seed));
      continue;
    }
    const scalars = parts.filter((part) => part.kind === "scalar");
    const { name, merge } = scalars[0]!;
    const leaveOut = (reason: string) => void merged.unmerged.push({ name, reason });
    if (merge === undefined) {
      leaveOut("the values of shards cannot be combined: see their own reports");
    } else if (scalars.length < shards.length) leaveOut("not every shard measured it");
    else if (merge === "sum" || merge === "max") {
      merged.metrics.push(mergeScalars(scalars, merge));
    } else {
      const change = changeOver(seriesOf(merged.metrics), merge);
      if (change === null) leaveOut("the shards have too few intervals in common");
      else {
        const { ratio, ci95 } = change;
        merged.metrics.push(summariseScalar({ ...scalars[0]!, epochs: [ratio], ci95 }));
      }
    }
  }
  return merged;
}

/** The series of the distribution that has one. */
function seriesOf(metrics: readonly Metric[]): readonly SeriesPoint[] {
  return metrics.flatMap((metric) => metric.kind === "distribution" ? metric.series : []);
}

/** Merges distributions exactly, as if all samples had been recorded in one histogram. */
export function mergeDistributions(parts: readonly Distribution[], seed: number): Distribution {
  using pooled = new LatencyHistogram();
  for (const { histogram, min, mean, max, censored, epochs } of parts) {
    // If calls are censored, `max` is theirs; if epochs have samples, the mean is taken from them.
    using part = LatencyHistogram.decode(histogram, {
      min,
      max: censored === 0 ? max : undefined,
      mean: epochs.some(({ count }) => count > 0) ? undefined : mean,
    });
    part.censor(censored, max);
    pooled.add(part);
  }
  return summariseDistribution({
    ...parts[0]!,
    ...{ seed, pooled },
    epochs: byEpoch(parts).map(mergeEpochs),
    series: mergeSeries(parts.map(({ series }) => series)),
  });
}

/** Merges intervals by their start; none if their widths differ between shards. */
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

/** Merges each epoch. Adds the smallest first, so the order of shards does not change the sum. */
function mergeScalars(parts: readonly Scalar[], merge: "sum" | "max"): Metric {
  const epochs = byEpoch(parts).map((values) =>
    values.sort((a, b) => a - b)
      .reduce((sum, value) => merge === "max" ? Math.max(sum, value) : sum + value, 0)
  );
  return summariseScalar({ ...parts[0]!, epochs, ci95: undefined });
}
