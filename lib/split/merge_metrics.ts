/**
 * The metrics of shards as those of one client that had done all the work.
 *
 * @module
 */

import type { Distribution, Metric, RoundSummary, Scalar, SeriesPoint } from "../schema.ts";
import { medianDrift } from "../stats/drift.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { summariseRound } from "../stats/percentiles.ts";
import { summariseInterval } from "../stats/series.ts";
import { summariseDistribution, summariseScalar } from "../stats/summary.ts";

/** Merged metrics, and those of which the shards' values make no whole. */
export interface MergedMetrics {
  metrics: Metric[];
  unmerged: { name: string; reason: string }[];
}

/** Merges metrics by name, in the order of the first shard; the seed is that of the intervals. */
export function mergeMetrics(shards: readonly (readonly Metric[])[], seed: number): MergedMetrics {
  const names = [...new Set(shards.flatMap((metrics) => metrics.map(({ name }) => name)))];
  const named = (name: string) =>
    shards.flatMap((metrics) => metrics.find((metric) => metric.name === name) ?? []);
  const merged: MergedMetrics = { metrics: [], unmerged: [] };
  for (const name of names) {
    const parts = named(name);
    const distributions = parts.filter((part) => part.kind === "distribution");
    const scalars = parts.filter((part) => part.kind === "scalar");
    if (distributions.length > 0) merged.metrics.push(mergeDistributions(distributions, seed));
    else addScalars(merged, scalars, { seed, shards: shards.length });
  }
  return merged;
}

/**
 * The distribution that recording all samples in one histogram would give, exactly: pooled, round by round
 * and interval by interval. Of the rounds, those that all parts have.
 *
 * @throws {Error} if a histogram cannot be read, or a round or interval has none
 */
export function mergeDistributions(parts: readonly Distribution[], seed: number): Distribution {
  const first = parts[0]!;
  using all = new LatencyHistogram();
  for (const part of parts) addEncoded(all, part);
  return summariseDistribution(all, {
    name: first.name,
    better: first.better,
    seed,
    ...(first.at === undefined ? {} : { at: first.at }),
    rounds: mergeRounds(parts.map(({ rounds }) => rounds)),
    series: mergeSeries(parts.map(({ series }) => series)),
  });
}

function mergeRounds(shards: readonly (readonly RoundSummary[])[]): RoundSummary[] {
  const count = Math.min(...shards.map((rounds) => rounds.length));
  return Array.from({ length: count }, (_, index) => {
    using sum = addAll(shards.map((rounds) => rounds[index]!));
    return summariseRound(sum, { mergeable: true });
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
    using sum = addAll(shards.flatMap((points) => points.filter((point) => point.atMs === atMs)));
    return summariseInterval(atMs, sum, { mergeable: true });
  });
}

/** The sum of what rounds or intervals have recorded. Dispose of it. */
function addAll(
  parts: readonly { count: number; max: number | null; mean?: number | null; histogram?: string }[],
): LatencyHistogram {
  const sum = new LatencyHistogram();
  for (const { count, max, mean, histogram } of parts) {
    if (count === 0) continue;
    if (histogram === undefined) {
      throw new Error(
        "Cannot merge exactly as a round has no histogram: is this a shard's report?",
      );
    }
    // The minimum is in no summary; nothing that is made of the sum needs it.
    addEncoded(sum, { histogram, min: 0, max: max!, mean: mean ?? 0 });
  }
  return sum;
}

function addEncoded(
  sum: LatencyHistogram,
  { histogram, ...exact }: Pick<Distribution, "histogram" | "min" | "max" | "mean">,
): void {
  using part = LatencyHistogram.decode(histogram, exact);
  sum.add(part);
}

function addScalars(
  merged: MergedMetrics,
  parts: readonly Scalar[],
  { seed, shards }: { seed: number; shards: number },
): void {
  const { name, merge } = parts[0]!;
  const scalar = parts.length < shards ? null : mergeScalars(parts, { seed, so: merged.metrics });
  if (scalar !== null) return void merged.metrics.push(scalar);
  const reason = merge === undefined
    ? "what shards measure of it makes no whole: see their own reports"
    : "not every shard has measured it";
  merged.unmerged.push({ name, reason });
}

function mergeScalars(
  parts: readonly Scalar[],
  { seed, so }: { seed: number; so: readonly Metric[] },
): Scalar | null {
  const { merge, ...first } = parts[0]!;
  switch (merge) {
    case undefined:
      return null;
    case "sum":
      return summariseScalar({ ...first, merge, seed, rounds: sumRounds(parts), ci95: undefined });
    case "drift":
      return mergeDrift(parts[0]!, { seed, so });
    default:
      return merge satisfies never;
  }
}

/** Round by round, those that all have; smallest first, so that no order of the shards changes the sum. */
function sumRounds(parts: readonly Scalar[]): number[] {
  const count = Math.min(...parts.map(({ rounds }) => rounds.length));
  return Array.from({ length: count }, (_, index) => {
    const values = parts.map(({ rounds }) => rounds[index]!).sort((a, b) => a - b);
    return values.reduce((sum, value) => sum + value, 0);
  });
}

/** From the merged course of the latency, as one client would compute it. */
function mergeDrift(
  { unit, name, better, merge }: Scalar,
  { seed, so }: { seed: number; so: readonly Metric[] },
): Scalar | null {
  const latency = so.find((metric) => metric.name === "latency");
  const drift = latency?.kind === "distribution" ? medianDrift(latency.series) : null;
  if (drift === null) return null;
  return summariseScalar({
    ...{ name, unit, better, seed },
    ...(merge === undefined ? {} : { merge }),
    rounds: [drift.slope],
    ci95: drift.ci95,
  });
}
