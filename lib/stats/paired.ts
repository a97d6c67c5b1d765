/**
 * Two servers measured in the same epochs: is one of them slower, beyond the noise that both share?
 *
 * @module
 */

import type { Change, Interval } from "../schema.ts";
import { momentsOf, tQuantile } from "./estimate.ts";
import { randomStream } from "./random.ts";

/** With fewer epochs even differences of one sign are no more than chance at 0.05. */
export const FEWEST_PAIRS = 6;
/** Up to so many epochs every assignment of signs is looked at; beyond, so many random ones. */
const MOST_EXACT = 18;
const DRAWS = 100_000;
/** Epochs that nobody will measure need not be counted. */
const MOST_EPOCHS = 1_000;

/** How a change is judged. */
export interface PairedOptions {
  better: "higher" | "lower";
  /** Changes within so many per cent do not matter. */
  bandPercent: number;
  /** How many figures are judged at once: each interval is of 1 - 0.05/m, so that all hold in 95 %. */
  rows: number;
}

/** What became of one figure. */
export interface PairedJudgement {
  /** B over A: exp of the mean of the epochs' log ratios. */
  ratio: number;
  ci: Interval | null;
  /** By the exact sign-flip test, two-sided: could the epochs' differences have either sign? */
  p: number;
  verdict: Change;
  why: "tooFewEpochs" | "noise" | null;
  /** How many epochs in all would decide it with the same spread; `null`: none would, or it is decided. */
  need: number | null;
  /** The smallest change that would have been seen, as a ratio over 1. */
  smallest: number | null;
}

/**
 * Judges the ratio of one figure by its epochs: mean ± t(E-1) s/√E of their log ratios. Slower or faster where that
 * lies wholly outside of the band, and the sign-flip test agrees at 0.05; same where it lies wholly inside.
 *
 * @param ratios B over A, of each epoch
 * @throws {RangeError} if there is no epoch, or a ratio is not above 0
 */
export function judgePaired(ratios: readonly number[], options: PairedOptions): PairedJudgement {
  if (ratios.length === 0) throw new RangeError("Cannot judge a change as there is no epoch");
  const odd = ratios.find((ratio) => !(ratio > 0 && ratio < Infinity));
  if (odd !== undefined) throw new RangeError(`Cannot judge a change as a ratio is ${odd}`);
  const logs = ratios.map(Math.log);
  const { mean, sd } = momentsOf(logs);
  const p = signFlipP(logs);
  const ratio = Math.exp(mean);
  const band = Math.log1p(options.bandPercent / 100);
  if (ratios.length < FEWEST_PAIRS) {
    const none = { ci: null, verdict: "undecided", smallest: null } as const;
    return { ratio, p, ...none, why: "tooFewEpochs", need: FEWEST_PAIRS };
  }
  const margin = marginOf(ratios.length, sd, options.rows);
  const room = Math.abs(Math.abs(mean) - band);
  const verdict = verdictOf(mean, { ...options, margin, band, p });
  const isOpen = verdict === "undecided";
  return {
    ratio,
    ci: [Math.exp(mean - margin), Math.exp(mean + margin)],
    p,
    verdict,
    why: isOpen ? "noise" : null,
    need: isOpen ? epochsNeeded(ratios.length, { sd, rows: options.rows, room }) : null,
    smallest: Math.exp(band + margin),
  };
}

/** Half the width of the interval of the mean log ratio, at 1 - 0.05/m. */
function marginOf(epochs: number, sd: number, rows: number): number {
  if (sd === 0) return 0;
  return tQuantile(1 - 0.025 / Math.max(1, rows), epochs - 1) * sd / Math.sqrt(epochs);
}

function verdictOf(
  mean: number,
  { margin, band, p, better }: PairedOptions & { margin: number; band: number; p: number },
): Change {
  if (Math.abs(mean) - margin > band) {
    if (p > 0.05) return "undecided";
    return (mean > 0) === (better === "higher") ? "faster" : "slower";
  }
  return Math.abs(mean) + margin <= band ? "same" : "undecided";
}

function epochsNeeded(
  measured: number,
  { sd, rows, room }: { sd: number; rows: number; room: number },
): number | null {
  for (let epochs = measured + 1; epochs <= MOST_EPOCHS; epochs++) {
    if (marginOf(epochs, sd, rows) < room) return epochs;
  }
  return null;
}

/**
 * The two-sided p-value of the sign-flip (Fisher's randomisation) test: the share of all assignments of signs to the
 * differences whose sum is at least as far from 0. Exact up to 18 differences, from 100,000 random assignments beyond.
 * R. A. Fisher, The Design of Experiments, 1935, section 21.
 */
export function signFlipP(differences: readonly number[]): number {
  const count = differences.length;
  const seen = Math.abs(differences.reduce((sum, one) => sum + one, 0)) * (1 - 1e-12);
  if (count > MOST_EXACT) return randomSignFlipP(differences, seen);
  let atLeast = 0;
  for (let signs = 0; signs < 2 ** count; signs++) {
    let sum = 0;
    for (let index = 0; index < count; index++) {
      sum += signs & (1 << index) ? differences[index]! : -differences[index]!;
    }
    if (Math.abs(sum) >= seen) atLeast++;
  }
  return atLeast / 2 ** count;
}

function randomSignFlipP(differences: readonly number[], seen: number): number {
  const random = randomStream(1, "sign flips");
  let atLeast = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    for (const one of differences) sum += random() < 0.5 ? one : -one;
    if (Math.abs(sum) >= seen) atLeast++;
  }
  return (atLeast + 1) / (DRAWS + 1);
}

/**
 * Does it matter which server was measured first? Compares the log ratios of the blocks in which A came first with
 * those in which B did, paired by epoch.
 *
 * @returns the ratio of the two, and the p-value of the sign-flip test over the epochs; `null` with fewer than 5 epochs
 */
export function orderEffect(
  epochs: readonly { aFirst: readonly number[]; bFirst: readonly number[] }[],
): { ratio: number; p: number } | null {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + Math.log(value), 0) / values.length;
  const both = epochs.filter(({ aFirst, bFirst }) => aFirst.length > 0 && bFirst.length > 0);
  if (both.length < FEWEST_PAIRS) return null;
  const differences = both.map(({ aFirst, bFirst }) => mean(aFirst) - mean(bFirst));
  return { ratio: Math.exp(momentsOf(differences).mean), p: signFlipP(differences) };
}
