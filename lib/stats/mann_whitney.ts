/**
 * The exact Mann-Whitney test. H. B. Mann and D. R. Whitney, On a Test of Whether One of Two Random
 * Variables Is Stochastically Larger than the Other, Annals of Mathematical Statistics 18 (1947).
 *
 * @module
 */

/** Beyond this many values a side, counting every permutation takes too long. */
export const MAX_VALUES_A_SIDE = 100;

export interface MannWhitneyResult {
  /** In how many of all pairs the second sample's value is the greater; a tie is half a pair. */
  u: number;
  /**
   * Two-sided: the share of permutations whose U lies as far from its mean as this one's, or
   * further.
   */
  p: number;
}

/**
 * Tests whether the values of one sample tend to be greater than those of the other, exactly: over
 * all permutations of the mid-ranks, so ties are allowed for.
 *
 * @throws {RangeError} if a sample is empty or has more than 100 values
 */
export function mannWhitney(
  first: readonly number[],
  second: readonly number[],
): MannWhitneyResult {
  requireSizes(first.length, second.length);
  const ranks = doubledMidRanks([...first, ...second]);
  const rankSum = sum(ranks.slice(first.length));
  const tied = new Set(ranks).size < ranks.length;
  const counts = tied
    ? countSubsetSums(ranks, second.length)
    : untiedCounts(first.length, second.length);
  const mean = second.length * (ranks.length + 1);
  const distance = Math.abs(rankSum - mean);
  let extreme = 0;
  let all = 0;
  counts.forEach((count, total) => {
    all += count;
    if (Math.abs(total - mean) >= distance) extreme += count;
  });
  return { u: rankSum / 2 - second.length * (second.length + 1) / 2, p: extreme / all };
}

/**
 * The quantile that cuts both tails of U for samples without ties: the greatest u for which
 * P(U ≤ u) ≤ `tail`, or -1 where there is none.
 *
 * @throws {RangeError} if a size is not from 1 to 100
 */
export function lowerTailOfU(sizes: readonly [number, number], tail: number): number {
  const [firstSize, secondSize] = sizes;
  requireSizes(firstSize, secondSize);
  const counts = untiedCounts(firstSize, secondSize);
  const limit = tail * binomial(firstSize + secondSize, secondSize);
  const doubledLeastSum = secondSize * (secondSize + 1);
  let cumulative = 0;
  let u = -1;
  while ((cumulative += counts[doubledLeastSum + 2 * (u + 1)]) <= limit) u++;
  return u;
}

/**
 * The smallest two-sided p that any outcome can have: all values of one sample above all of the
 * other.
 */
export function smallestP(firstSize: number, secondSize: number): number {
  return Math.min(1, 2 / binomial(firstSize + secondSize, secondSize));
}

/** In how many ways `chosen` of `all` can be picked. */
function binomial(all: number, chosen: number): number {
  let ways = 1;
  for (let index = 1; index <= chosen; index++) ways *= (all - chosen + index) / index;
  return Math.round(ways);
}

/** Twice the rank of each value, equal values sharing the mean of their ranks: so whole numbers. */
function doubledMidRanks(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  const doubled = new Map<number, number>();
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (end < sorted.length && sorted[end] === sorted[start]) end++;
    doubled.set(sorted[start], start + 1 + end);
    start = end;
  }
  return values.map((value) => doubled.get(value)!);
}

const untiedCountsBySizes = new Map<string, Float64Array>();

/**
 * The distribution of doubled rank sums without ties: it depends on the sizes alone, so it is kept.
 */
function untiedCounts(firstSize: number, secondSize: number): Float64Array {
  const key = `${firstSize}/${secondSize}`;
  let counts = untiedCountsBySizes.get(key);
  if (counts === undefined) {
    const ranks = Array.from({ length: firstSize + secondSize }, (_, index) => 2 * (index + 1));
    counts = countSubsetSums(ranks, secondSize);
    untiedCountsBySizes.set(key, counts);
  }
  return counts;
}

/** How many subsets of `size` have each total; by the usual recurrence over the values. */
function countSubsetSums(values: readonly number[], size: number): Float64Array {
  const greatest = sum(values);
  const counts = Array.from({ length: size + 1 }, () => new Float64Array(greatest + 1));
  counts[0][0] = 1;
  let reached = 0;
  values.forEach((value, index) => {
    reached += value;
    for (let chosen = Math.min(size, index + 1); chosen > 0; chosen--) {
      const [without, into] = [counts[chosen - 1], counts[chosen]];
      for (let total = reached; total >= value; total--) into[total] += without[total - value];
    }
  });
  return counts[size];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function requireSizes(firstSize: number, secondSize: number): void {
  for (const size of [firstSize, secondSize]) {
    if (size >= 1 && size <= MAX_VALUES_A_SIDE) continue;
    throw new RangeError(
      `Cannot compare samples as each must have 1 to ${MAX_VALUES_A_SIDE} values: one has ${size}`,
    );
  }
}
