/**
 * Makes the metrics of report.json from samples.
 *
 * @module
 */

import type { Distribution, EpochSummary, Interval, Scalar, SeriesPoint } from "../schema.ts";
import {
  type EpochPart,
  metricEntries,
  type MetricOptions,
  summariseDistribution,
  summariseEpoch,
} from "./distribution.ts";
import { estimate, type EstimateOptions } from "./estimate.ts";
import { LatencyHistogram } from "./histogram.ts";
import { percentileOf } from "./percentiles.ts";
import { IntervalSeries, type SeriesOptions } from "./series.ts";

/**
 * Collects the times of one metric in nanoseconds, epoch by epoch, in constant memory plus a few
 * kilobytes per epoch. Every sample counts in the distribution, but samples outside an epoch, or in
 * one that was never ended (in an interrupted run), are in no epoch's summary. Owns WebAssembly
 * memory: dispose of it.
 */
export class DistributionRecorder implements Disposable {
  readonly #pooled = new LatencyHistogram();
  readonly #current = new LatencyHistogram();
  readonly #epochs: EpochPart[] = [];
  readonly #series: IntervalSeries | null;
  readonly #mergeable: boolean;

  /** @param options.mergeable keeps all histograms, so that shards merge exactly */
  constructor(options: { series?: SeriesOptions; mergeable?: boolean } = {}) {
    const { series, mergeable = false } = options;
    this.#mergeable = mergeable;
    this.#series = series === undefined ? null : new IntervalSeries({ ...series, mergeable });
  }

  /** Records a time in nanoseconds that ended at `atNs`, which only a series needs. */
  record(ns: number, atNs = NaN): void {
    this.#current.record(ns);
    this.#series?.record(ns, atNs);
  }

  /** Records all times; `atNs` has the end of each. */
  recordAll(timesNs: Float64Array, atNs?: Float64Array): void {
    for (let index = 0; index < timesNs.length; index++) this.record(timesNs[index], atNs?.[index]);
  }

  /** Counts calls without an answer. Those of a lost connection took at least the timeout. */
  censor(count: number, atLeastNs: number): void {
    this.#current.censor(count, atLeastNs);
  }

  startEpoch(): void {
    this.#pool();
  }

  endEpoch(): EpochSummary {
    const part = summariseEpoch(this.#current, this.#mergeable);
    this.#epochs.push(part);
    this.#pool();
    return part.summary;
  }

  /** Number of recorded times, without censored calls. */
  get count(): number {
    return this.#pooled.count + this.#current.count;
  }

  /** The epochs ended so far. */
  get epochs(): readonly EpochSummary[] {
    return this.#epochs.map(({ summary }) => summary);
  }

  /** Percentiles of the open epoch or, until it has a sample, of the previous one. */
  latest(): Pick<EpochSummary, "p50" | "p99"> {
    const { count, censored } = this.#current;
    if (count + censored === 0) {
      return this.#epochs.at(-1)?.summary ?? { p50: null, p99: null };
    }
    return { p50: percentileOf(this.#current, 50), p99: percentileOf(this.#current, 99) };
  }

  /** A percentile of all samples so far in nanoseconds, however few; `null` if there are none. */
  percentile(percentile: number): number | null {
    using pooled = this.#all();
    return percentileOf(pooled, percentile, 1);
  }

  /** The intervals so far; empty without a series. */
  series(): SeriesPoint[] {
    return this.#series?.points() ?? [];
  }

  /** See {@linkcode summariseDistribution}; `null` if nothing was measured. */
  distribution(options: MetricOptions & { seed: number }): Distribution | null {
    if (this.count === 0) return null;
    using pooled = this.#all();
    return summariseDistribution({
      ...options,
      pooled,
      epochs: this.#epochs,
      series: this.series(),
    });
  }

  [Symbol.dispose](): void {
    this.#pooled[Symbol.dispose]();
    this.#current[Symbol.dispose]();
    this.#series?.[Symbol.dispose]();
  }

  #all(): LatencyHistogram {
    const pooled = new LatencyHistogram();
    pooled.add(this.#pooled);
    pooled.add(this.#current);
    return pooled;
  }

  #pool(): void {
    this.#pooled.add(this.#current);
    this.#current.reset();
  }
}

export interface ScalarOptions extends MetricOptions, Pick<EstimateOptions, "within"> {
  /** As shown, such as `msg/s`. */
  unit: string;
  /** One value per epoch, at least one. */
  epochs: readonly number[];
  /** Overrides the interval from the epochs. */
  ci95?: Interval | null;
  /** How shards merge. Default: they do not. */
  merge?: Scalar["merge"];
}

/**
 * A metric with one value per epoch, summarised by {@linkcode estimate}.
 *
 * @throws {RangeError} if there are no epochs or one is not finite
 */
export function summariseScalar(options: ScalarOptions): Scalar {
  const { unit, epochs, within, ci95, merge } = options;
  const isRatio = unit === "x" || unit === "";
  const estimated = estimate(epochs, { within, paired: isRatio });
  return {
    ...metricEntries(options),
    kind: "scalar",
    unit,
    value: estimated.value,
    ci95: ci95 === undefined ? estimated.ci95 : ci95,
    spread: estimated.spread,
    epochs: [...epochs],
    ...(merge === undefined ? {} : { merge }),
  };
}
