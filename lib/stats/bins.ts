/** Where the counts begin in an encoded histogram: after the header of HDR V2. */
const HEADER_BYTES = 40;
/** Bins of equal width before the width doubles: half of the sub-buckets for three significant digits. */
const HALF_BUCKET_BITS = 10;
const HALF_BUCKET = 1 << HALF_BUCKET_BITS;

/**
 * The samples of an HDR histogram without its table: a few kilobytes, and quick to look a rank up in. Non-empty bins
 * in ascending order, in the layout of {@linkcode LatencyHistogram}.
 */
export class Bins {
  readonly min: number;
  readonly max: number;
  readonly #indices: Uint16Array;
  /** How many samples are in a bin or before it. */
  readonly #upTo: Uint32Array;

  /**
   * @param encoded HDR histogram V2, not deflated: zigzag LEB128 counts, negative for so many empty bins
   * @param extremes the exact shortest and longest time in nanoseconds, that bins hold to three digits only
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

  /** As {@linkcode LatencyHistogram.valueAtRank}. */
  valueAtRank(rank: number): number {
    const index = this.#indices[firstFrom(this.#upTo, rank)];
    return Math.max(this.min, Math.min(this.max, highestOf(index)));
  }

  /** How many samples are in the bin `index` of the whole table, or before it. */
  countUpTo(index: number): number {
    const place = firstFrom(this.#indices, index + 1);
    return place === 0 ? 0 : this.#upTo[place - 1];
  }

  /** The last bin of the whole table that has a sample; -1 where there is none. */
  get lastIndex(): number {
    return this.#indices.at(-1) ?? -1;
  }
}

/**
 * The time in nanoseconds of a rank among the samples of several histograms together, each as often as `weights`
 * says. The rank must not be over their weighted count.
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

/** The highest value in nanoseconds that a bin of the table holds. */
function highestOf(index: number): number {
  const bucket = Math.max(0, (index >> HALF_BUCKET_BITS) - 1);
  const inBucket = index - bucket * HALF_BUCKET;
  return (inBucket + 1) * 2 ** bucket - 1;
}

/** The first place of an ascending array whose value is at least `wanted`. */
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
