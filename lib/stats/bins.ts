/** Header of an encoded HDR V2 histogram; the counts follow it. */
const HEADER_BYTES = 40;
/** log2 of how many bins have equal width: half of the sub-buckets for three significant digits. */
const HALF_BUCKET_BITS = 10;
const HALF_BUCKET = 1 << HALF_BUCKET_BITS;

/**
 * The non-empty bins of a {@linkcode LatencyHistogram} in ascending order, numbered as in its full
 * table: a few kilobytes, with fast rank lookup.
 */
export class Bins {
  readonly min: number;
  readonly max: number;
  readonly #indices: Uint16Array;
  /** Cumulative counts. */
  readonly #upTo: Uint32Array;

  /**
   * @param encoded uncompressed HDR V2: zigzag LEB128 counts, where -n stands for n empty bins
   * @param extremes exact shortest and longest time in nanoseconds; bins hold three digits only
   */
  constructor(encoded: Uint8Array, { min, max }: { min: number; max: number }) {
    const indices: number[] = [];
    const upTo: number[] = [];
    let index = 0;
    let count = 0;
    for (let at = HEADER_BYTES; at < encoded.length;) {
      let zigzag = 0;
      let scale = 1;
      let byte: number;
      do {
        byte = encoded[at++];
        zigzag += (byte & 0x7f) * scale;
        scale *= 0x80;
      } while (byte >= 0x80);
      if (zigzag % 2 === 1) {
        index += (zigzag + 1) / 2;
      } else {
        if (zigzag > 0) {
          indices.push(index);
          upTo.push(count += zigzag / 2);
        }
        index++;
      }
    }
    this.min = min;
    this.max = max;
    this.#indices = Uint16Array.from(indices);
    this.#upTo = Uint32Array.from(upTo);
  }

  get count(): number {
    return this.#upTo.at(-1) ?? 0;
  }

  /** See {@linkcode LatencyHistogram.valueAtRank}. */
  valueAtRank(rank: number): number {
    const index = this.#indices[firstFrom(this.#upTo, rank)];
    return Math.max(this.min, Math.min(this.max, highestOf(index)));
  }

  /** Number of samples in bin `index` of the full table and the bins below it. */
  countUpTo(index: number): number {
    const place = firstFrom(this.#indices, index + 1);
    return place === 0 ? 0 : this.#upTo[place - 1];
  }

  /** Last non-empty bin of the full table; -1 if all are empty. */
  get lastIndex(): number {
    return this.#indices.at(-1) ?? -1;
  }
}

/**
 * Time in nanoseconds at a rank among the pooled samples of several histograms, each counted
 * `weights` times. The rank must not exceed the weighted count.
 */
export function pooledValueAtRank(
  parts: readonly Bins[],
  { rank, weights }: { rank: number; weights: readonly number[] },
): number {
  let low = 0;
  let high = Math.max(...parts.map(({ lastIndex }) => lastIndex));
  while (low < high) {
    const middle = (low + high) >> 1;
    let count = 0;
    parts.forEach((part, index) => {
      if (weights[index] > 0) count += weights[index] * part.countUpTo(middle);
    });
    if (count >= rank) high = middle;
    else low = middle + 1;
  }
  return highestOf(low);
}

/** Highest value in nanoseconds that a bin holds. */
function highestOf(index: number): number {
  const bucket = Math.max(0, (index >> HALF_BUCKET_BITS) - 1);
  const inBucket = index - bucket * HALF_BUCKET;
  return (inBucket + 1) * 2 ** bucket - 1;
}

/** Index of the first value of at least `wanted` in an ascending array. */
function firstFrom(values: Uint16Array | Uint32Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
