/**
 * Which of several metrics have changed between two runs. The rule is in docs/method.md,
 * "Comparison".
 *
 * @module
 */

import type { Change, Interval } from "../schema.ts";
import type { Judgement, RoundsPair } from "./compare_types.ts";
import { estimateRatio } from "./hodges_lehmann.ts";
import { holmAdjust } from "./holm.ts";
import { mannWhitney, smallestP } from "./mann_whitney.ts";

/** The chance of any false rejection among all rows that Holm's adjustment allows. */
const SIGNIFICANCE = 0.05;

/** How many rows two samples of these sizes can carry and still be able to differ significantly. */
export function mostTestableRows(oldRounds: number, newRounds: number): number {
  const bound = SIGNIFICANCE / smallestP(oldRounds, newRounds);
  return Math.ceil(bound - 1e-9) - 1;
}

/** The least number of rounds a side with which one of so many rows can differ significantly. */
export function roundsNeededFor(rows: number): number {
  let rounds = 1;
  while (mostTestableRows(rounds, rounds) < rows) rounds++;
  return rounds;
}

/**
 * Judges all gating rows together. A row has changed if its p, adjusted by Holm over the rows, is
 * under 0.05 **and** the interval of its ratio lies wholly outside of the noise band, which is from
 * 1 / (1 + noise) to 1 + noise. The judgements are in the order of the rows.
 *
 * @param options.noisePercent the noise band in per cent, at least 0
 * @throws {RangeError} if a row has a side without rounds or with more than 100, or the noise is
 * negative
 */
export function judgeRows(
  rows: readonly RoundsPair[],
  options: { noisePercent: number },
): Judgement[] {
  const { noisePercent } = options;
  if (!(noisePercent >= 0)) {
    throw new RangeError(`Cannot compare as the noise must be >= 0 %: it is ${noisePercent}`);
  }
  const ps = rows.map(({ oldRounds, newRounds }) => mannWhitney(oldRounds, newRounds).p);
  const adjusted = holmAdjust(ps);
  return rows.map((row, index) => {
    const estimate = estimateRatio(row.oldRounds, row.newRounds);
    const testable = mostTestableRows(row.oldRounds.length, row.newRounds.length) >= rows.length;
    const counts = adjusted[index] < SIGNIFICANCE && isOutside(estimate.ci95, noisePercent);
    return {
      ...estimate,
      p: ps[index],
      adjustedP: adjusted[index],
      verdict: testable ? direction(row, counts ? estimate.ratio : 1) : "too few rounds",
      roundsNeeded: testable ? null : roundsNeededFor(rows.length),
    };
  });
}

function isOutside(interval: Interval | null, noisePercent: number): boolean {
  if (interval === null) return false;
  const [low, high] = interval;
  const band = 1 + noisePercent / 100;
  return low > band || high < 1 / band;
}

function direction(row: RoundsPair, ratio: number): Change {
  if (ratio === 1) return "~";
  return (ratio > 1) === (row.better === "higher") ? "faster" : "slower";
}
