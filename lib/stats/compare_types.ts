/**
 * What a comparison of two reports says.
 *
 * @module
 */

import type { Interval } from "../contract.ts";

/** What is known of one row: `~` is no difference that counts. */
export type Verdict = "faster" | "slower" | "~" | "too few rounds";

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
  verdict: Verdict;
  /** Rounds a side without which no verdict is possible; `null` where there are enough. */
  roundsNeeded: number | null;
}

/** One metric of both reports. */
export interface ComparisonRow extends Omit<Judgement, "adjustedP" | "verdict"> {
  scenario: string;
  metric: string;
  /** `value` of a scalar, otherwise the percentile. */
  statistic: "value" | "p50" | "p95" | "p99";
  unit: string;
  better: "higher" | "lower";
  /** The statistic over all rounds, in `unit`. */
  old: number;
  new: number;
  oldRounds: number;
  newRounds: number;
  /** Whether the row decides. One that does not has neither adjusted p nor verdict. */
  gating: boolean;
  adjustedP: number | null;
  verdict: Verdict | null;
}

/** A kind of failed call that the new run has and the old one has not. */
export interface NewErrors {
  scenario: string;
  kind: string;
  count: number;
}

export interface Comparison {
  /** Changes within this many per cent do not count. */
  noisePercent: number;
  /** What makes the runs incomparable; not empty only where the comparison was forced. */
  differences: string[];
  rows: ComparisonRow[];
  newErrors: NewErrors[];
  /** Scenarios that only one of the reports has, which are in no row. */
  onlyInOld: string[];
  onlyInNew: string[];
  /** One sentence for each regression; empty where there is none. */
  regressions: string[];
}
