/**
 * Makes a distribution of report.json from the samples of its epochs.
 *
 * @module
 */

import type { Distribution, EpochSummary, Interval, Metric } from "../schema.ts";
import type { SeriesPoint, Statistic } from "../schema.ts";
import { type Bins, poolRanks } from "./bins.ts";
import {
  type Estimate,
  estimate,
  independentMargin,
  marginOf,
  MINIMUM_EPOCHS_FOR_INTERVAL,
  tQuantile,
} from "./estimate.ts";
import { LatencyHistogram } from "./histogram.ts";
import { epochsWithEnough, percentileOf, rankOf } from "./percentiles.ts";
import { randomStream } from "./random.ts";

const RESAMPLES = 400;
/** The 97.5 % quantile of the standard normal distribution. */
const Z_975 = 1.959964;

/** What a metric is, apart from its numbers. */
export interface MetricOptions extends Pick<Metric, "name" | "better" | "role" | "at"> {
  /** Default: none. */
  gates?: readonly Statistic[];
}

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

export interface DistributionParts extends MetricOptions {
  /** For the resampled intervals: the same epochs and seed give the same interval. */
  seed: number;
  /** All samples, at least one of them measured, including those outside any epoch. */
  pooled: LatencyHistogram;
  epochs: readonly EpochPart[];
  series: SeriesPoint[];
}

/**
 * Summarises a metric with at least one measured time. If every epoch with samples has enough of
 * them for a percentile, its value is the geometric mean of the epochs' percentiles, with a t
 * interval. Otherwise it is the percentile of the pooled samples, with an interval from resampled
 * epochs, or `null` if even the pooled samples are too few. Because the rules can differ between
 * percentiles, one could fall below a lower one; it is then raised to that.
 */
export function summariseDistribution(parts: DistributionParts): Distribution {
  const { pooled, epochs } = parts;
  // An epoch without answers counts as its timeout, which may be below every measured time.
  const middle = percentileFigure(parts, 50)!;
  const p50 = bounded(middle, Math.max(middle.value, pooled.min));
  const p5 = percentileFigure(parts, 5);
  let last = p50;
  const [p75, p90, p95, p99, p999] = [75, 90, 95, 99, 99.9].map((percentile) => {
    const figure = percentileFigure(parts, percentile);
    if (figure === null) return null;
    last = bounded(figure, Math.max(figure.value, last.value));
    return last;
  });
  const lowest = p5 && bounded(p5, Math.max(pooled.min, Math.min(p5.value, p50.value)));
  const means = epochs.flatMap(({ summary }) => summary.mean ?? []);
  const mean = means.length === 0 ? { value: pooled.mean, ci95: null } : estimateTimes(means);
  return {
    ...metricEntries(parts),
    kind: "distribution",
    unit: "ns",
    count: pooled.count,
    censored: pooled.censored,
    min: pooled.min,
    mean: mean.value,
    stddev: pooled.stddev,
    p5: lowest?.value ?? null,
    p50: p50.value,
    p75: p75?.value ?? null,
    p90: p90?.value ?? null,
    p95: p95?.value ?? null,
    p99: p99?.value ?? null,
    p999: p999?.value ?? null,
    max: pooled.longest,
    histogram: pooled.encode(),
    ci95: {
      p5: lowest?.ci95 ?? null,
      p50: p50.ci95,
      p95: p95?.ci95 ?? null,
      p99: p99?.ci95 ?? null,
      mean: mean.ci95,
    },
    spread: p50.spread,
    series: parts.series,
    epochs: epochs.map(({ summary }) => summary),
  };
}

/** The fields that all metrics share. */
export function metricEntries({ name, better, role, at, gates }: MetricOptions) {
  return {
    name,
    role,
    ...(gates === undefined ? {} : { gates: [...gates] }),
    ...(at === undefined ? {} : { at }),
    better,
  };
}

function percentileFigure(parts: DistributionParts, percentile: number): Estimate | null {
  const { pooled, epochs } = parts;
  const own = epochsWithEnough(epochs.map(({ bins }) => bins), percentile);
  if (own.length > 0) return estimateTimes(own.map((bins) => percentileOf(bins, percentile, 1)!));
  const value = percentileOf(pooled, percentile);
  if (value === null) return null;
  const ci95 = resampledInterval(parts, { percentile, value });
  return { value, ci95, spread: { within: null, between: null } };
}

/** A time below the clock's resolution counts as 1 ns, since 0 has no logarithm. */
function estimateTimes(timesNs: readonly number[]): Estimate {
  const isConstant = timesNs.every((ns) => ns === timesNs[0]);
  return estimate(isConstant ? timesNs : timesNs.map((ns) => Math.max(1, ns)));
}

/**
 * Bootstrap interval of a percentile of the pooled samples: the middle 95 % of the percentiles of
 * resampled whole epochs. Its distances from the value are stretched on a log scale by t(E - 1)/z
 * √(E/(E - 1)), because resamples of few epochs vary less than new epochs would (B. Efron and R.
 * Tibshirani, An Introduction to the Bootstrap, 1993, chapter 12; T. Hesterberg, What Teachers
 * Should Know About the Bootstrap, 2015, section 5.1), and by as much as {@linkcode marginOf} of
 * the epochs' log medians exceeds {@linkcode independentMargin}, in case epochs are correlated.
 * `null` with fewer than five epochs.
 */
function resampledInterval(
  { pooled, epochs, name, seed }: DistributionParts,
  { percentile, value }: { percentile: number; value: number },
): Interval | null {
  const tried = epochs.map(({ bins }) => bins).filter((bins) => bins.count + bins.censored > 0);
  const count = tried.length;
  if (count < MINIMUM_EPOCHS_FOR_INTERVAL) return null;
  const valueAtRank = poolRanks(tried);
  const { longest } = pooled;
  const random = randomStream(seed, `resample ${name} p${percentile}`);
  const resampled = Float64Array.from({ length: RESAMPLES }, () => {
    const weights = new Array<number>(count).fill(0);
    let measured = 0;
    let all = 0;
    for (let draw = 0; draw < count; draw++) {
      const index = Math.floor(random() * count);
      const { count: answered, censored } = tried[index];
      weights[index]++;
      measured += answered;
      all += answered + censored;
    }
    const rank = rankOf(percentile, all);
    return rank > measured ? longest : valueAtRank(rank, weights);
  }).sort();
  const medians = tried.map((bins) => Math.log(Math.max(1, percentileOf(bins, 50)!)));
  const independent = independentMargin(medians);
  const dependence = independent === 0 ? 1 : marginOf(medians) / independent;
  const stretch = dependence * tQuantile(0.975, count - 1) / Z_975 *
    Math.sqrt(count / (count - 1));
  const center = Math.max(1, value);
  const stretched = (ns: number) => center * (Math.max(1, ns) / center) ** stretch;
  const tail = Math.floor(0.025 * RESAMPLES);
  return [
    Math.min(value, Math.max(pooled.min, stretched(resampled[tail - 1]))),
    Math.max(value, Math.min(longest, stretched(resampled[RESAMPLES - tail]))),
  ];
}

/** Moves a figure to `value`, and widens its interval to include it. */
function bounded(figure: Estimate, value: number): Estimate {
  if (value === figure.value || figure.ci95 === null) return { ...figure, value };
  const [low, high] = figure.ci95;
  return { ...figure, value, ci95: [Math.min(low, value), Math.max(high, value)] };
}
