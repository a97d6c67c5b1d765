/**
 * What the tests of a comparison work on, and what they say.
 *
 * @module
 */

import type { Change, Interval } from "../schema.ts";

/** Two samples of rounds, and what of them is an improvement. */
export interface RoundsPair {
  /** The per-round values of the earlier run; at least one. */
  oldRounds: readonly number[];
  newRounds: readonly number[];
  better: "higher" | "lower";
}

/** The test of one pair of samples, as one of a family of tests. */
export interface Judgement {
  /** New over old: exp of the Hodges-Lehmann shift of logarithms. */
  ratio: number;
  /** Nominal 95 %; `null` where there are too few rounds for any. */
  ci95: Interval | null;
  /** Exact two-sided Mann-Whitney. */
  p: number;
  /** By Holm over the gating rows. */
  adjustedP: number;
  verdict: Change;
  /** Rounds a side without which no verdict is possible; `null` where there are enough. */
  roundsNeeded: number | null;
}
