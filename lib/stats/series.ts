import type { SeriesPoint } from "../schema.ts";
import { type HistogramSnapshot, LatencyHistogram } from "./histogram.ts";
import { percentileOf } from "./percentiles.ts";

/** Even, because intervals are merged in pairs. */
const MAX_INTERVALS = 600;

export interface SeriesOptions {
  /** Initial width of an interval, over 0; doubles whenever 600 intervals are full. */
  intervalMs: number;
  /** Start of the first interval, on the clock of the samples. */
  startNs: number;
  /** Adds each interval's histogram to the points, so that shards merge exactly. */
  mergeable?: boolean;
}

/** Of an interval; `null` if nothing was recorded. */
type Snapshot = HistogramSnapshot | null;

/**
 * A distribution over time, in at most 600 intervals however long the run. When they are full, new
 * intervals are twice as wide, and each new one merges one pair of old ones. So closing an interval
 * always costs the same (about 0.3 ms), and all intervals are equally wide by the time that they
 * are full again.
 */
export class IntervalSeries {
  readonly #options: SeriesOptions;
  readonly #open = new LatencyHistogram();
  readonly #closed: { startNs: number; snapshot: Snapshot }[] = [];
  /** From the first interval on, so that series with other starts have equal intervals. */
  #openStartNs = 0;
  #widthNs: number;
  /** Number of pairs already merged to the current width; 0 if all are. */
  #merged = 0;

  constructor(options: SeriesOptions) {
    this.#options = options;
    this.#widthNs = options.intervalMs * 1e6;
  }

  /** Counts a time in the interval of `atNs`, or in the open one if that is already closed. */
  record(latencyNs: number, atNs: number): void {
    const sinceNs = atNs - this.#options.startNs;
    while (sinceNs >= this.#openStartNs + this.#widthNs) this.#close();
    this.#open.record(latencyNs);
  }

  /** All intervals in order, equally wide, including empty ones; the last may be unfinished. */
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

  [Symbol.dispose](): void {
    this.#open[Symbol.dispose]();
  }

  #point(startNs: number, histogram: LatencyHistogram): SeriesPoint {
    return summariseInterval(startNs / 1e6, histogram, this.#options);
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

/** Summarises an interval that begins `atMs` after the first; `mergeable` adds the histogram. */
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

/** Does no work if one is empty, as a pause can close many intervals at a time. */
function mergeSnapshots(first: Snapshot, second: Snapshot): Snapshot {
  if (first === null || second === null) return first ?? second;
  using sum = LatencyHistogram.restore(first);
  using addend = LatencyHistogram.restore(second);
  sum.add(addend);
  return sum.snapshot();
}
