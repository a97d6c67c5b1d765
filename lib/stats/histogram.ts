/**
 * An HDR histogram of times in nanoseconds: constant memory (a table of 132 KiB), three significant
 * decimal digits, mergeable and serialisable without loss.
 *
 * The format is HdrHistogram's V2: https://github.com/HdrHistogram/HdrHistogram.
 *
 * @module
 */

import {
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  initWebAssemblySync,
  WasmHistogram,
} from "hdr-histogram-js";
import { Bins } from "./bins.ts";

/** One hour; longer times count as this. */
export const HIGHEST_TRACKABLE_NS = 3_600_000_000_000;

const LAYOUT = {
  bitBucketSize: 32,
  autoResize: false,
  lowestDiscernibleValue: 1,
  highestTrackableValue: HIGHEST_TRACKABLE_NS,
  numberOfSignificantValueDigits: 3,
} as const;

/** Exact figures in nanoseconds that the HDR encoding does not hold; `null`: unknown. */
type ExactFigures = Partial<Record<"min" | "max" | "mean", number | null>>;

/** A compact copy of a histogram, for {@linkcode LatencyHistogram.restore}. */
export interface HistogramSnapshot extends ExactFigures {
  bytes: Uint8Array;
}

/**
 * Times rounded to whole nanoseconds. Percentiles have three significant digits; `count`, `min`,
 * `max` and `mean` are exact, unless the histogram was decoded without them. Without samples, all
 * but `count` are NaN. Calls without an answer are only in `censored` and `longest`, and are not
 * encoded.
 *
 * It owns WebAssembly memory that is freed only by disposing of it (`using`).
 */
export class LatencyHistogram {
  #hdr: WasmHistogram;
  #min = Infinity;
  #max = -Infinity;
  #sum = 0;
  #censored = 0;
  /** A lower bound for the time of each censored call. */
  #atLeastNs = Infinity;

  constructor() {
    initWebAssemblySync();
    this.#hdr = WasmHistogram.build(LAYOUT);
  }

  /** Records a time. A negative one or NaN counts as 0, one over an hour as an hour. */
  record(ns: number): void {
    const value = trackable(ns);
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#sum += value;
    this.#hdr.recordValue(value);
  }

  /** Counts calls without an answer, which rank as longer than every measured call. */
  censor(count: number, atLeastNs: number): void {
    if (count === 0) return;
    this.#censored += count;
    this.#atLeastNs = Math.min(this.#atLeastNs, atLeastNs);
  }

  /** Adds all samples of `other`, which stays as it is. */
  add(other: LatencyHistogram): void {
    this.#hdr.add(other.#hdr);
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#sum += other.#sum;
    this.censor(other.#censored, other.#atLeastNs);
  }

  /** Removes all samples. */
  reset(): void {
    this.#hdr.reset();
    this.#min = Infinity;
    this.#max = -Infinity;
    this.#sum = 0;
    this.#censored = 0;
    this.#atLeastNs = Infinity;
  }

  get count(): number {
    return this.#hdr.totalCount;
  }

  get censored(): number {
    return this.#censored;
  }

  /** Longest time, measured or a lower bound; -Infinity without samples. */
  get longest(): number {
    return Math.max(this.#max, this.#censored > 0 ? this.#atLeastNs : -Infinity);
  }

  get min(): number {
    return this.count === 0 ? NaN : this.#min;
  }

  get max(): number {
    return this.count === 0 ? NaN : this.#max;
  }

  /** Arithmetic mean. */
  get mean(): number {
    return this.#sum / this.count;
  }

  /** Population standard deviation. */
  get stddev(): number {
    return this.count === 0 ? NaN : this.#hdr.stdDeviation;
  }

  /**
   * A percentile (0 to 100) by nearest rank: the sample of rank ⌈percentile / 100 × count⌉, as the
   * highest value equivalent to it at three digits. 0 is the minimum, 100 the maximum.
   */
  percentile(percentile: number): number {
    if (percentile === 0 || this.count === 0) return this.min;
    return Math.max(this.#min, Math.min(this.#max, this.#hdr.getValueAtPercentile(percentile)));
  }

  /** The sample of a rank, from 1 (the shortest) to `count`. */
  valueAtRank(rank: number): number {
    return this.percentile(100 * (rank - 0.5) / this.count);
  }

  /** A compact read-only copy. */
  bins(): Bins {
    return new Bins(this.#hdr.encode(), this);
  }

  /** Encodes as HDR histogram V2, deflated, in base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#hdr);
  }

  /**
   * Decodes what `encode` returned. Figures that `exact` lacks have three significant digits only.
   *
   * @throws {Error} if `base64` is not an HDR V2 histogram of at most one hour
   */
  static decode(base64: string, exact: ExactFigures = {}): LatencyHistogram {
    initWebAssemblySync();
    try {
      const hdr = decodeFromCompressedBase64(base64, LAYOUT.bitBucketSize, true);
      return LatencyHistogram.#adopt(hdr as WasmHistogram, exact);
    } catch (cause) {
      const start = base64.slice(0, 20);
      const message = `Cannot decode a histogram as it is not HDR V2 in base64: "${start}…"`;
      throw new Error(message, { cause });
    }
  }

  /** A copy of a few kilobytes outside WebAssembly; faster than `encode`. */
  snapshot(): HistogramSnapshot {
    return { bytes: this.#hdr.encode(), min: this.min, max: this.max, mean: this.mean };
  }

  /** Rebuilds the histogram of a snapshot. */
  static restore(snapshot: HistogramSnapshot): LatencyHistogram {
    initWebAssemblySync();
    const hdr = WasmHistogram.decode(snapshot.bytes, LAYOUT.bitBucketSize);
    return LatencyHistogram.#adopt(hdr as WasmHistogram, snapshot);
  }

  /** Frees the memory; the histogram cannot be used afterwards. */
  [Symbol.dispose](): void {
    this.#hdr.destroy();
  }

  /** Moves a decoded histogram into a table of our layout. */
  static #adopt(hdr: WasmHistogram, exact: ExactFigures): LatencyHistogram {
    using decoded = { hdr, [Symbol.dispose]: () => hdr.destroy() };
    const histogram = new LatencyHistogram();
    histogram.#hdr.add(decoded.hdr);
    if (histogram.count === 0) return histogram;
    histogram.#min = exact.min ?? hdr.getValueAtPercentile(0);
    histogram.#max = exact.max ?? hdr.maxValue;
    // Times are whole nanoseconds, so an exact mean gives the exact sum.
    histogram.#sum = Math.round((exact.mean ?? hdr.mean) * histogram.count);
    return histogram;
  }
}

/** Rounds to whole nanoseconds within the histogram's range. */
function trackable(ns: number): number {
  if (ns >= 0 && ns <= HIGHEST_TRACKABLE_NS) return Math.floor(ns + 0.5);
  return ns > 0 ? HIGHEST_TRACKABLE_NS : 0;
}
