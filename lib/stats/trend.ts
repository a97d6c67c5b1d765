/**
 * Detects a drift over the epochs of a run; a value that drifts has no single number to report.
 *
 * @module
 */

import { regularisedBeta } from "./incomplete_beta.ts";
import { median } from "./median.ts";

/** The distribution of S is enumerated for up to this many values; for more it is nearly normal. */
const MAX_EXACT = 50;
/** Degrees of freedom at which tails of the t distribution match the normal one to five digits. */
const NEARLY_NORMAL = 1e6;
const SIGNIFICANCE = 0.01;
/** Smaller drifts are not worth a finding. */
const SMALLEST_CHANGE = 1.1;

/**
 * The Mann-Kendall test for a trend: exact, over all orders, for up to 50 values without ties;
 * otherwise by the normal approximation, corrected for continuity and ties (H. Mann, Nonparametric
 * Tests Against Trend, Econometrica 13, 1945; M. Kendall, Rank Correlation Methods, 1975, chapters
 * 4 and 5). It assumes independent values.
 *
 * @returns Kendall's S (the pairs that rise minus the pairs that fall) and the two-sided p-value
 */
export function mannKendall(values: readonly number[]): { s: number; p: number } {
  let s = 0;
  values.forEach((value, index) => {
    for (const later of values.slice(index + 1)) s += Math.sign(later - value);
  });
  const isTied = new Set(values).size < values.length;
  const isExact = !isTied && values.length <= MAX_EXACT;
  return { s, p: isExact ? exactP(s, values.length) : normalP(s, values) };
}

/** S is pairs - 2 × inversions; the n-th value adds 0 to n - 1 inversions, equally likely. */
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
  const variance = varianceOfKendallS(values);
  if (variance <= 0) return 1;
  const z = Math.max(0, Math.abs(s) - 1) / Math.sqrt(variance);
  return regularisedBeta(NEARLY_NORMAL / (NEARLY_NORMAL + z * z), NEARLY_NORMAL / 2, 0.5);
}

/** Variance of Kendall's S without a trend, with ties: Kendall, Rank Correlation Methods, 1975. */
export function varianceOfKendallS(...variables: readonly (readonly number[])[]): number {
  const term = (count: number) => count * (count - 1) * (2 * count + 5) / 18;
  return variables.flatMap((values) => [...Map.groupBy(values, (value) => value).values()])
    .reduce((variance, { length }) => variance - term(length), term(variables[0].length));
}

/** The medians of the first and the last third of the epochs. */
interface Ends {
  first: number;
  last: number;
}

/** `null` with fewer than three epochs. */
function medianEnds(epochs: readonly number[]): Ends | null {
  const third = Math.floor(epochs.length / 3);
  if (third === 0) return null;
  return { first: median(epochs.slice(0, third)), last: median(epochs.slice(-third)) };
}

/**
 * The drift of a value above 0 over the epochs. It takes a Mann-Kendall p under 0.01, and medians
 * of the first and last third that differ by 10 % or more; otherwise `null`. Under 1 % of runs with
 * independent epochs and no drift are reported, however noisy. With fewer than 6 epochs p cannot be
 * that small.
 */
export function driftOf(epochs: readonly number[]): Ends & { p: number } | null {
  const ends = medianEnds(epochs);
  if (ends === null) return null;
  const { first, last } = ends;
  const change = Math.max(first / last, last / first);
  if (!(first > 0 && last > 0 && change >= SMALLEST_CHANGE)) return null;
  const { p } = mannKendall(epochs);
  return p < SIGNIFICANCE ? { first, last, p } : null;
}

/** A value over the epochs of a run. */
export interface Course {
  epochs: readonly number[];
  better: "higher" | "lower";
}

/** How much slower everything was at the end of a run than at its beginning. */
export interface Slowdown {
  /** Median of the last third of the epochs over that of the first. */
  ratio: number;
  /** One-sided. */
  p: number;
}

/**
 * A slowdown that several courses share, as when a server slows down with every call. Tests the
 * geometric mean of their costs by epoch like {@linkcode driftOf}, but only for a rise, so 5 epochs
 * are enough; `null` if there is none. Courses that lack epochs are ignored.
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
  if (logs.length === 0) return null;
  const costs = Array.from(
    { length: count },
    (_, epoch) => logs.reduce((sum, one) => sum + one[epoch], 0) / logs.length,
  );
  const ends = medianEnds(costs);
  if (ends === null) return null;
  const ratio = Math.exp(ends.last - ends.first);
  const { s, p } = mannKendall(costs);
  return s > 0 && p / 2 < significance && ratio >= SMALLEST_CHANGE ? { ratio, p: p / 2 } : null;
}

/** The ends of a course, if it takes part in a slowdown by becoming worse; otherwise `null`. */
export function endsOf({ epochs, better }: Course): Ends | null {
  const ends = medianEnds(epochs);
  if (ends === null) return null;
  const worse = better === "higher" ? ends.first / ends.last : ends.last / ends.first;
  return worse >= SMALLEST_CHANGE ? ends : null;
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
