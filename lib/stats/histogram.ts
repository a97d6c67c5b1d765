/**
 * An HDR histogram of times in nanoseconds: constant memory (a table of 132 KiB) however many
 * samples come in, three significant decimal digits, mergeable and serialisable without loss.
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

/** One hour. Nothing longer can be told apart from it. */
export const HIGHEST_TRACKABLE_NS = 3_600_000_000_000;

const LAYOUT = {
  bitBucketSize: 32,
  autoResize: false,
  lowestDiscernibleValue: 1,
  highestTrackableValue: HIGHEST_TRACKABLE_NS,
  numberOfSignificantValueDigits: 3,
} as const;

/** The exact figures that the HDR encoding itself has no room for, in nanoseconds. */
interface ExactFigures {
  min: number;
  max: number;
  mean: number;
}

/** A histogram laid down in a few kilobytes; {@linkcode LatencyHistogram.restore} takes it up again. */
export interface HistogramSnapshot extends ExactFigures {
  bytes: Uint8Array;
}

/**
 * Times in nanoseconds, rounded to whole ones. Percentiles are good to three significant digits; `count`, `min`, `max`
 * and `mean` are exact, unless the histogram was decoded without them. Without a sample, all but `count` are NaN.
 *
 * It owns memory of a WebAssembly instance: dispose of it (`using`), or that memory is never freed.
 */
export class LatencyHistogram {
  #hdr: WasmHistogram;
  #min = Infinity;
  #max = -Infinity;
  #sum = 0;

  constructor() {
    initWebAssemblySync();
    this.#hdr = WasmHistogram.build(LAYOUT);
  }

  /** Counts one time. A negative one or NaN counts as 0, one over an hour as an hour. */
  record(ns: number): void {
    const value = trackable(ns);
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#sum += value;
    this.#hdr.recordValue(value);
  }

  /** Counts everything that `other` has counted; `other` stays as it is. */
  add(other: LatencyHistogram): void {
    this.#hdr.add(other.#hdr);
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#sum += other.#sum;
  }

  /** Forgets every sample. */
  reset(): void {
    this.#hdr.reset();
    this.#min = Infinity;
    this.#max = -Infinity;
    this.#sum = 0;
  }

  get count(): number {
    return this.#hdr.totalCount;
  }

  get min(): number {
    return this.count === 0 ? NaN : this.#min;
  }

  get max(): number {
    return this.count === 0 ? NaN : this.#max;
  }

  /** The arithmetic mean. */
  get mean(): number {
    return this.#sum / this.count;
  }

  /** The standard deviation of the population. */
  get stddev(): number {
    return this.count === 0 ? NaN : this.#hdr.stdDeviation;
  }

  /**
   * The time that `percentile` per cent of the samples do not exceed, by nearest rank (the sample of rank
   * ⌈percentile / 100 × count⌉), as the highest value that the histogram cannot tell from it; 0 is the minimum,
   * 100 the maximum.
   */
  percentile(percentile: number): number {
    if (percentile === 0 || this.count === 0) return this.min;
    return Math.max(this.#min, Math.min(this.#max, this.#hdr.getValueAtPercentile(percentile)));
  }

  /** The time of the sample of a rank, from 1 (the shortest) to `count`. */
  valueAtRank(rank: number): number {
    return this.percentile(100 * (rank - 0.5) / this.count);
  }

  /** What was recorded, in a few kilobytes that can only be read. */
  bins(): Bins {
    return new Bins(this.#hdr.encode(), this);
  }

  /** HDR histogram V2, deflated, in base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#hdr);
  }

  /**
   * The histogram that `encode` wrote. Those of the exact figures that `exact` lacks are good to three significant
   * digits only.
   *
   * @throws {Error} if `base64` is not an HDR V2 histogram of at most one hour
   */
  static decode(base64: string, exact: Partial<ExactFigures> = {}): LatencyHistogram {
    initWebAssemblySync();
    try {
      const hdr = decodeFromCompressedBase64(base64, LAYOUT.bitBucketSize, true);
      return LatencyHistogram.#adopt(hdr as WasmHistogram, exact);
    } catch (cause) {
      const start = base64.slice(0, 20);
      throw new Error(`Cannot decode a histogram as it is not HDR V2 in base64: "${start}…"`, {
        cause,
      });
    }
  }

  /** What was recorded, in a few kilobytes outside WebAssembly, and quicker to make than `encode`. */
  snapshot(): HistogramSnapshot {
    return { bytes: this.#hdr.encode(), min: this.min, max: this.max, mean: this.mean };
  }

  /** The histogram that a snapshot was taken of. */
  static restore(snapshot: HistogramSnapshot): LatencyHistogram {
    initWebAssemblySync();
    const hdr = WasmHistogram.decode(snapshot.bytes, LAYOUT.bitBucketSize);
    return LatencyHistogram.#adopt(hdr as WasmHistogram, snapshot);
  }

  /** Gives the memory back. The histogram cannot be used afterwards. */
  [Symbol.dispose](): void {
    this.#hdr.destroy();
  }

  /** Takes over a decoded histogram, through a table of our own layout. */
  static #adopt(hdr: WasmHistogram, exact: Partial<ExactFigures>): LatencyHistogram {
    using decoded = { hdr, [Symbol.dispose]: () => hdr.destroy() };
    const histogram = new LatencyHistogram();
    histogram.#hdr.add(decoded.hdr);
    if (histogram.count === 0) return histogram;
    histogram.#min = exact.min ?? hdr.getValueAtPercentile(0);
    histogram.#max = exact.max ?? hdr.maxValue;
    const sum = (exact.mean ?? hdr.mean) * histogram.count;
    // Times are whole nanoseconds, so that an exact mean gives back the exact sum.
    histogram.#sum = exact.mean === undefined ? sum : Math.round(sum);
    return histogram;
  }
}

/** The whole number of nanoseconds that stands for `ns`. */
function trackable(ns: number): number {
  if (ns >= 0 && ns <= HIGHEST_TRACKABLE_NS) return Math.floor(ns + 0.5);
  return ns > 0 ? HIGHEST_TRACKABLE_NS : 0;
}
