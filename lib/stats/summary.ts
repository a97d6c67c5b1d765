/**
 * From samples to the metrics of report.json.
 *
 * @module
 */

import type {
  Better,
  Distribution,
  Interval,
  RoundSummary,
  Scalar,
  SeriesPoint,
} from "../schema.ts";
import { bootstrapInterval } from "./bootstrap.ts";
import { LatencyHistogram } from "./histogram.ts";
import { percentileOrNull, summariseRound } from "./percentiles.ts";
import { median } from "./rounds.ts";
import { IntervalSeries, type SeriesOptions } from "./series.ts";

export { firstRoundSlower, madOutliers, median } from "./rounds.ts";

export interface SummaryOptions {
  /** Which direction is an improvement. */
  better: Better;
  /** Seeds the intervals: the same rounds and seed give the same interval. */
  seed: number;
  /** The coordinates of a step of a sweep, such as `{ inFlight: 8 }`. */
  at?: Record<string, number>;
}

/**
 * Collects the times of one metric in nanoseconds, round by round, in constant memory.
 *
 * Every sample counts in the distribution. Those recorded outside of a round, or in one that was
 * not ended (as when the run is interrupted), belong to no round's summary. It owns memory: dispose
 * of it.
 */
export class DistributionRecorder {
  readonly #pooled = new LatencyHistogram();
  readonly #current = new LatencyHistogram();
  readonly #rounds: RoundSummary[] = [];
  readonly #series: IntervalSeries | null;
  readonly #mergeable: boolean;
  #inRound = false;

  /** @param options.mergeable keeps the histogram of each round and interval, so that shards merge exactly */
  constructor(options: { series?: SeriesOptions; mergeable?: boolean } = {}) {
    const { series, mergeable = false } = options;
    this.#series = series === undefined ? null : new IntervalSeries({ ...series, mergeable });
    this.#mergeable = mergeable;
  }

  /**
   * Counts one time in nanoseconds. `atNs`, when it ended, is needed if there is a series.
   *
   * @throws {TypeError} if there is a series and no `atNs`
   */
  record(ns: number, atNs?: number): void {
    this.#current.record(ns);
    if (this.#series === null) return;
    if (atNs === undefined) {
      throw new TypeError("Cannot place a time in the series as atNs is missing");
    }
    this.#series.record(ns, atNs);
  }

  /** @throws {Error} if a round is open */
  startRound(): void {
    if (this.#inRound) throw new Error("Cannot start a round as one is open: end it first");
    this.#pool();
    this.#inRound = true;
  }

  /**
   * Ends the round and summarises it.
   *
   * @throws {Error} if no round is open
   */
  endRound(): RoundSummary {
    if (!this.#inRound) throw new Error("Cannot end a round as none is open: start one first");
    const summary = summariseRound(this.#current, { mergeable: this.#mergeable });
    this.#rounds.push(summary);
    this.#pool();
    this.#inRound = false;
    return summary;
  }

  /** How many times were recorded in all. */
  get count(): number {
    return this.#pooled.count + this.#current.count;
  }

  /** How many of them were altered to fit: see {@linkcode LatencyHistogram.record}. */
  get clamped(): number {
    return this.#pooled.clamped + this.#current.clamped;
  }

  /** The rounds ended so far. */
  get rounds(): readonly RoundSummary[] {
    return this.#rounds;
  }

  /**
   * The percentiles of what was recorded last, in nanoseconds: of the open round or, until it has a sample,
   * of the round before. Changes nothing.
   */
  latest(): Pick<RoundSummary, "p50" | "p99"> {
    const current = this.#current;
    if (current.count === 0) return this.#rounds.at(-1) ?? { p50: null, p99: null };
    return { p50: percentileOrNull(current, 50), p99: percentileOrNull(current, 99) };
  }

  /**
   * The metric, or `null` where nothing was recorded. Percentiles are pooled over all samples, in
   * nanoseconds; one with fewer than 10 samples beyond it is `null`.
   */
  distribution(name: string, options: SummaryOptions): Distribution | null {
    if (this.count === 0) return null;
    using all = new LatencyHistogram();
    all.add(this.#pooled);
    all.add(this.#current);
    return summariseDistribution(all, {
      ...options,
      name,
      rounds: this.#rounds.slice(),
      series: this.#series?.points() ?? [],
    });
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#pooled[Symbol.dispose]();
    this.#current[Symbol.dispose]();
    this.#series?.[Symbol.dispose]();
  }

  #pool(): void {
    this.#pooled.add(this.#current);
    this.#current.reset();
  }
}

/** What a distribution is made from, beside its samples. */
export interface DistributionParts extends SummaryOptions {
  name: string;
  rounds: RoundSummary[];
  series: SeriesPoint[];
}

/** The metric of at least one time: percentiles over all of them, intervals from the rounds. */
export function summariseDistribution(
  all: LatencyHistogram,
  { name, rounds, series, ...options }: DistributionParts,
): Distribution {
  return {
    name,
    kind: "distribution",
    unit: "ns",
    count: all.count,
    min: all.min,
    mean: all.mean,
    stddev: all.stddev,
    p50: all.percentile(50),
    p75: percentileOrNull(all, 75),
    p90: percentileOrNull(all, 90),
    p95: percentileOrNull(all, 95),
    p99: percentileOrNull(all, 99),
    p999: percentileOrNull(all, 99.9),
    max: all.max,
    histogram: all.encode(),
    ci95: {
      p50: medianInterval(rounds, name, options),
      mean: meanInterval(rounds, name, options),
    },
    better: options.better,
    series,
    rounds,
    ...(options.at === undefined ? {} : { at: options.at }),
  };
}

/** The interval of the median, from the medians of the rounds. */
function medianInterval(
  rounds: readonly RoundSummary[],
  name: string,
  options: SummaryOptions,
): Interval | null {
  const medians = rounds.flatMap(({ p50 }) => p50 === null ? [] : [p50]);
  return bootstrapInterval(medians, {
    statistic: median,
    seed: options.seed,
    label: `${name} p50`,
  });
}

/**
 * The interval of the mean over all samples, from the means of the rounds, weighted by their
 * counts.
 */
function meanInterval(
  rounds: readonly RoundSummary[],
  name: string,
  options: SummaryOptions,
): Interval | null {
  const sums = rounds.flatMap(({ mean, count }) =>
    mean === null ? [] : [{ sum: mean * count, count }]
  );
  return bootstrapInterval(sums, {
    statistic: (resample) => {
      let sum = 0;
      let count = 0;
      for (const round of resample) {
        sum += round.sum;
        count += round.count;
      }
      return sum / count;
    },
    seed: options.seed,
    label: `${name} mean`,
  });
}

export interface ScalarOptions extends SummaryOptions {
  name: string;
  /** As it is shown, such as `msg/s`. */
  unit: string;
  /** One value a round, at least one. */
  rounds: readonly number[];
  /** An interval that comes with the value, in place of one from the rounds. */
  ci95?: Interval | null;
  /** How shards merge; left out: they do not. */
  merge?: NonNullable<Scalar["merge"]>;
}

/**
 * A metric of one number a round: its value is the median of the rounds, its interval resamples
 * them (`null` with fewer than five).
 *
 * @throws {RangeError} if there is no round, or a round is not a finite number
 */
export function summariseScalar(options: ScalarOptions): Scalar {
  const { name, unit, rounds, better, seed, at, merge } = options;
  const unusable = rounds.find((value) => !Number.isFinite(value));
  if (unusable !== undefined) {
    throw new RangeError(
      `Cannot summarise ${name} as every round must be finite: one is ${unusable}`,
    );
  }
  if (rounds.length === 0) {
    throw new RangeError(`Cannot summarise ${name} as it has no rounds`);
  }
  return {
    name,
    kind: "scalar",
    unit,
    value: median(rounds),
    ci95: options.ci95 === undefined
      ? bootstrapInterval(rounds, { statistic: median, seed, label: name })
      : options.ci95,
    better,
    rounds: [...rounds],
    ...(at === undefined ? {} : { at }),
    ...(merge === undefined ? {} : { merge }),
  };
}
