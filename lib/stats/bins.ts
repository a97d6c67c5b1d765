import { JsHistogram } from "hdr-histogram-js";

// Missing in the package's types.
const { decode } = JsHistogram as unknown as { decode(bytes: Uint8Array): JsHistogram };

/**
 * The non-empty bins of a {@linkcode LatencyHistogram} in ascending order: some kilobytes, with
 * fast rank lookup.
 */
export class Bins {
  readonly min: number;
  readonly max: number;
  readonly censored: number;
  readonly longest: number;
  /** The highest time in nanoseconds that each bin holds. */
  readonly times: Float64Array;
  /** Cumulative counts. */
  readonly #upTo: Uint32Array;

  /**
   * @param encoded uncompressed HDR V2
   * @param rest what `encoded` lacks: the exact extremes in nanoseconds, and unanswered calls
   */
  constructor(
    encoded: Uint8Array,
    { min, max, censored, longest }: Record<"min" | "max" | "censored" | "longest", number>,
  ) {
    const table = decode(encoded);
    const times: number[] = [];
    const upTo: number[] = [];
    let count = 0;
    for (let index = 0; count < table.totalCount; index++) {
      const own = table.getCountAtIndex(index);
      if (own === 0) continue;
      times.push(table.highestEquivalentValue(table.valueFromIndex(index)));
      upTo.push(count += own);
    }
    this.min = min;
    this.max = max;
    this.censored = censored;
    this.longest = longest;
    this.times = Float64Array.from(times);
    this.#upTo = Uint32Array.from(upTo);
  }

  get count(): number {
    return this.#upTo.at(-1) ?? 0;
  }

  /** See {@linkcode LatencyHistogram.valueAtRank}. */
  valueAtRank(rank: number): number {
    const bin = firstIndex(this.#upTo.length, (index) => this.#upTo[index] >= rank);
    return Math.max(this.min, Math.min(this.max, this.times[bin]));
  }

  /** Number of samples in the bins of up to `ns`. */
  countUpTo(ns: number): number {
    const bins = firstIndex(this.times.length, (index) => this.times[index] > ns);
    return bins === 0 ? 0 : this.#upTo[bins - 1];
  }
}

/**
 * Returns a function for the time in nanoseconds at a rank among the pooled samples of several
 * histograms, each counted `weights` times. The rank must not exceed the weighted count.
 */
export function poolRanks(
  parts: readonly Bins[],
): (rank: number, weights: readonly number[]) => number {
  const times = Float64Array.from(new Set(parts.flatMap((part) => [...part.times]))).sort();
  return (rank, weights) => {
    const countUpTo = (ns: number) =>
      parts.reduce(
        (count, part, index) =>
          weights[index] > 0 ? count + weights[index] * part.countUpTo(ns) : count,
        0,
      );
    return times[firstIndex(times.length, (index) => countUpTo(times[index]) >= rank)];
  };
}

/** The first index from which on a condition holds, by bisection; `length` if it never does. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
