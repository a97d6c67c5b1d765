import type { SeriesPoint } from "../schema.ts";
import { type HistogramSnapshot, LatencyHistogram } from "./histogram.ts";
import { percentileOf } from "./percentiles.ts";

/** Even, as intervals are merged in pairs. */
const MAX_INTERVALS = 600;

export interface SeriesOptions {
  /** The width of an interval at first; it doubles whenever 600 intervals are full. */
  intervalMs: number;
  /** Where the first interval begins, on the clock that the samples' times come from. */
  startNs: number;
  /** Keeps the histogram of each interval in the points, so that those of shards merge exactly. */
  mergeable?: boolean;
}

interface ClosedInterval {
  startNs: number;
  /** `null` where nothing was recorded. */
  snapshot: HistogramSnapshot | null;
}

/**
 * A distribution over time, in at most 600 intervals however long the run. When all of them are full, new ones are
 * twice as wide, and each of them pays for itself by merging one pair of old ones: the work at the end of an interval
 * stays the same (about 0.3 ms), and by the time that all are full again they are equally wide.
 */
export class IntervalSeries {
  readonly #options: SeriesOptions;
  readonly #open = new LatencyHistogram();
  readonly #closed: ClosedInterval[] = [];
  #openStartNs: number;
  #widthNs: number;
  /** How many pairs have been merged to the present width; 0 when all have. */
  #merged = 0;

  /** @throws {RangeError} if `intervalMs` is not over 0 */
  constructor(options: SeriesOptions) {
    if (!(options.intervalMs > 0)) {
      throw new RangeError(
        `Cannot record a series as intervalMs must be > 0: it is ${options.intervalMs}`,
      );
    }
    this.#options = options;
    this.#openStartNs = options.startNs;
    this.#widthNs = options.intervalMs * 1e6;
  }

  /** Counts a time in the interval of `atNs`, or where that has been closed already in the open one. */
  record(latencyNs: number, atNs: number): void {
    while (atNs >= this.#openStartNs + this.#widthNs) this.#close();
    this.#open.record(latencyNs);
  }

  /** The intervals so far, in order and equally wide, empty ones included; the last may be unfinished. */
  points(): SeriesPoint[] {
    while (this.#merged > 0) this.#mergePair();
    const points = this.#closed.map(({ startNs, snapshot }) => {
      using histogram = snapshot === null
        ? new LatencyHistogram()
        : LatencyHistogram.restore(snapshot);
      return this.#point(startNs, histogram);
    });
    if (this.#open.count > 0) points.push(this.#point(this.#openStartNs, this.#open));
    return points;
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#open[Symbol.dispose]();
  }

  #point(startNs: number, histogram: LatencyHistogram): SeriesPoint {
    const atMs = (startNs - this.#options.startNs) / 1e6;
    return summariseInterval(atMs, histogram, this.#options);
  }

  #close(): void {
    const snapshot = this.#open.count === 0 ? null : this.#open.snapshot();
    if (snapshot !== null) this.#open.reset();
    this.#closed.push({ startNs: this.#openStartNs, snapshot });
    this.#openStartNs += this.#widthNs;
    if (this.#closed.length < MAX_INTERVALS) return;
    if (this.#merged === 0) this.#widthNs *= 2;
    this.#mergePair();
  }

  #mergePair(): void {
    const [first, second] = this.#closed.slice(this.#merged, this.#merged + 2);
    const snapshot = mergeSnapshots(first.snapshot, second.snapshot);
    this.#closed.splice(this.#merged, 2, { startNs: first.startNs, snapshot });
    this.#merged = (this.#merged + 1) % (MAX_INTERVALS / 2);
  }
}

/** One interval of a series that begins `atMs` after the first; `mergeable` adds the histogram itself. */
export function summariseInterval(
  atMs: number,
  histogram: LatencyHistogram,
  { mergeable = false }: { mergeable?: boolean } = {},
): SeriesPoint {
  const { count } = histogram;
  return {
    atMs,
    count,
    p50: percentileOf(histogram, 50),
    p99: percentileOf(histogram, 99),
    max: count === 0 ? null : histogram.max,
    ...(mergeable && count > 0 ? { histogram: histogram.encode() } : {}),
  };
}

/** Without work where one is empty: a pause may close many intervals at once. */
function mergeSnapshots(
  first: HistogramSnapshot | null,
  second: HistogramSnapshot | null,
): HistogramSnapshot | null {
  if (first === null || second === null) return first ?? second;
  using sum = LatencyHistogram.restore(first);
  using addend = LatencyHistogram.restore(second);
  sum.add(addend);
  return sum.snapshot();
}
