import { momentsOf } from "./estimate.ts";
import { judgeLog, type JudgeOptions, quantileOf, UNDECIDED } from "./judge.ts";
import { randomStream } from "./random.ts";

/** With fewer epochs, even differences of one sign are not significant at 0.05. */
export const FEWEST_PAIRS = 6;
/** Up to this many differences all assignments of signs are counted; beyond, random draws. */
const MAX_EXACT = 18;
const DRAWS = 100_000;
/** Limit of the search for `need`: nobody measures more epochs. */
const MAX_EPOCHS = 1_000;

/**
 * Judges one figure by the ratios of its epochs, with the interval mean ± t(E-1) s/√E of their
 * logarithms: slower or faster if it is wholly outside the band and the sign-flip test is
 * significant at 0.05, the same if it is wholly inside.
 *
 * @param ratios B over A by epoch, above 0; at least one
 * @returns `p` is of the sign-flip test, `need` the total number of epochs
 */
export function judgePaired(
  ratios: readonly number[],
  options: JudgeOptions & { better: "higher" | "lower" },
) {
  const logs = ratios.map(Math.log);
  const { mean, sd } = momentsOf(logs);
  const seen = { ratio: Math.exp(mean), p: signFlipP(logs) };
  if (ratios.length < FEWEST_PAIRS) {
    return { ...seen, ...UNDECIDED, why: "tooFewEpochs", need: FEWEST_PAIRS };
  }
  const judged = judgeLog(mean, {
    ...options,
    count: ratios.length,
    most: MAX_EPOCHS,
    marginAt: (epochs) => quantileOf(epochs, options.rows) * sd / Math.sqrt(epochs),
    isSure: seen.p <= 0.05,
  });
  return { ...seen, ...judged };
}

/**
 * Two-sided p-value of the sign-flip test (Fisher's randomisation test): the share of all
 * assignments of signs to the differences whose sum is at least as far from 0. Exact up to 18
 * differences, beyond that from 100,000 random assignments (R. A. Fisher, The Design of
 * Experiments, 1935, section 21).
 */
export function signFlipP(differences: readonly number[]): number {
  const count = differences.length;
  const seen = Math.abs(differences.reduce((sum, one) => sum + one, 0)) * (1 - 1e-12);
  const isExact = count <= MAX_EXACT;
  const assignments = isExact ? 2 ** count : DRAWS;
  const random = randomStream(1, "sign flips");
  let atLeast = 0;
  for (let nth = 0; nth < assignments; nth++) {
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const isKept = isExact ? nth & (1 << index) : random() < 0.5;
      sum += isKept ? differences[index] : -differences[index];
    }
    if (Math.abs(sum) >= seen) atLeast++;
  }
  return isExact ? atLeast / assignments : (atLeast + 1) / (assignments + 1);
}

/**
 * Tests if it matters which server is measured first: compares the log ratios of the blocks in
 * which A came first with those in which B did, paired by epoch.
 *
 * @returns the ratio, and the p-value of the sign-flip test; `null` with fewer than 6 epochs
 */
export function orderEffect(
  epochs: readonly { aFirst: readonly number[]; bFirst: readonly number[] }[],
): { ratio: number; p: number } | null {
  const meanLog = (values: readonly number[]) => momentsOf(values.map(Math.log)).mean;
  const differences = epochs
    .filter(({ aFirst, bFirst }) => aFirst.length > 0 && bFirst.length > 0)
    .map(({ aFirst, bFirst }) => meanLog(aFirst) - meanLog(bFirst));
  if (differences.length < FEWEST_PAIRS) return null;
  return { ratio: Math.exp(momentsOf(differences).mean), p: signFlipP(differences) };
}
