/**
 * Does a value drift over the epochs of a run? Then there is no one number to report.
 *
 * @module
 */

import { regularisedBeta } from "./incomplete_beta.ts";
import { median } from "./median.ts";

/** Up to this many values the distribution of S is counted out; beyond, it is close to normal. */
const MOST_COUNTED = 50;
/** The degrees of freedom of a t distribution that stands for the normal one: five digits of a tail agree. */
const NEARLY_NORMAL = 1e6;
const SIGNIFICANCE = 0.01;
/** A drift by less is not worth a finding. */
const SMALLEST_CHANGE = 1.1;

export interface MannKendall {
  /** In how many more pairs the later value is the greater one than the smaller one. */
  s: number;
  /** Two-sided: the chance of an S as far from 0 in values without a trend. */
  p: number;
}

/**
 * The Mann-Kendall test for a trend: exact for up to 50 values without ties, over all orders of them; otherwise
 * by the normal approximation, corrected for continuity and ties (H. Mann, Nonparametric Tests Against Trend,
 * Econometrica 13, 1945; M. Kendall, Rank Correlation Methods, 1975, chapters 4 and 5). It takes the values to be independent.
 */
export function mannKendall(values: readonly number[]): MannKendall {
  let s = 0;
  values.forEach((value, index) => {
    for (const later of values.slice(index + 1)) s += Math.sign(later - value);
  });
  const isTied = new Set(values).size < values.length;
  const isExact = !isTied && values.length <= MOST_COUNTED;
  return { s, p: isExact ? exactP(s, values.length) : normalP(s, values) };
}

/** From the number of inversions, (pairs - S) / 2: the n-th value adds 0 to n - 1 of them, each as likely. */
function exactP(s: number, count: number): number {
  let chances = [1];
  for (let value = 2; value <= count; value++) {
    const next = new Array<number>(chances.length + value - 1).fill(0);
    chances.forEach((chance, inversions) => {
      for (let added = 0; added < value; added++) next[inversions + added] += chance / value;
    });
    chances = next;
  }
  const pairs = chances.length - 1;
  const extreme = chances.filter((_, inversions) =>
    Math.abs(pairs - 2 * inversions) >= Math.abs(s)
  );
  return Math.min(1, extreme.reduce((sum, chance) => sum + chance, 0));
}

function normalP(s: number, values: readonly number[]): number {
  const term = (count: number) => count * (count - 1) * (2 * count + 5) / 18;
  const ties = [...Map.groupBy(values, (value) => value).values()];
  const variance = ties.reduce((sum, { length }) => sum - term(length), term(values.length));
  if (variance <= 0) return 1;
  const z = Math.max(0, Math.abs(s) - 1) / Math.sqrt(variance);
  return regularisedBeta(NEARLY_NORMAL / (NEARLY_NORMAL + z * z), NEARLY_NORMAL / 2, 0.5);
}

/** A drift: from where, to where, in the unit of the epochs. */
export interface Drift {
  /** The median of the first third of the epochs. */
  first: number;
  /** That of the last third. */
  last: number;
  p: number;
}

/**
 * The drift of a value above 0 over the epochs, or `null`: a finding needs a Mann-Kendall p under 0.01, and medians of
 * the first and last third that differ by 10 % or more. Independent epochs without a drift are called one in
 * less than 1 % of runs, however noisy. With fewer than 6 epochs no p is that small.
 */
export function driftOf(epochs: readonly number[]): Drift | null {
  const third = Math.floor(epochs.length / 3);
  if (third === 0) return null;
  const first = median(epochs.slice(0, third));
  const last = median(epochs.slice(-third));
  const change = Math.max(first / last, last / first);
  if (!(first > 0 && last > 0 && change >= SMALLEST_CHANGE)) return null;
  const { p } = mannKendall(epochs);
  return p < SIGNIFICANCE ? { first, last, p } : null;
}

/** A value over the epochs of a run, of which either direction is the better one. */
export interface Course {
  epochs: readonly number[];
  better: "higher" | "lower";
}

/** By how many times everything took longer at the end of a run than at its beginning. */
export interface Slowdown {
  /** The median of the last third of the epochs over that of the first. */
  ratio: number;
  /** One-sided: the chance that independent epochs come in such an order. */
  p: number;
}

/**
 * What several courses have lost in common, as where a server slows down with every call: the geometric mean of their
 * costs in each epoch, by the test of {@linkcode driftOf} against a rise alone, so that 5 epochs are enough. `null`: none
 * is found. A course that lacks epochs does not count.
 */
export function slowdownOf(
  courses: readonly Course[],
  significance: number = SIGNIFICANCE,
): Slowdown | null {
  const count = Math.max(0, ...courses.map(({ epochs }) => epochs.length));
  const logs = courses.filter(({ epochs }) =>
    epochs.length === count && epochs.every((value) => value > 0)
  ).map(({ epochs, better }) =>
    epochs.map((value) => better === "higher" ? -Math.log(value) : Math.log(value))
  );
  const third = Math.floor(count / 3);
  if (third === 0 || logs.length === 0) return null;
  const costs = Array.from(
    { length: count },
    (_, epoch) => logs.reduce((sum, one) => sum + one[epoch]!, 0) / logs.length,
  );
  const ratio = Math.exp(median(costs.slice(-third)) - median(costs.slice(0, third)));
  const { s, p } = mannKendall(costs);
  return s > 0 && p / 2 < significance && ratio >= SMALLEST_CHANGE ? { ratio, p: p / 2 } : null;
}

/** A course that takes part in a slowdown of all: its ends, where it became worse; otherwise `null`. */
export function endsOf({ epochs, better }: Course): Pick<Drift, "first" | "last"> | null {
  const third = Math.floor(epochs.length / 3);
  if (third === 0) return null;
  const [first, last] = [median(epochs.slice(0, third)), median(epochs.slice(-third))];
  const worse = better === "higher" ? first / last : last / first;
  return worse >= SMALLEST_CHANGE ? { first, last } : null;
}

/** What to do about a headline that changed over a run: `drift` if the server slowed down. */
const COURSE_ADVICE = {
  drift: "restart the server, or measure it at the same age each time",
  changed: "the machine or the server changed in the meantime",
};

/** Describes a headline that changed over a run, and says what to do. */
export function describeCourse(
  kind: keyof typeof COURSE_ADVICE,
  { name, from, to }: { name: string; from: string; to: string },
): string {
  const advice = COURSE_ADVICE[kind];
  return `${name} went from ${from} to ${to} during the run, so no single number describes it: ${advice}`;
}
