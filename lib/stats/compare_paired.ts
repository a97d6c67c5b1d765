/**
 * Compares the reports of two servers that were measured in the same epochs.
 *
 * @module
 */

import type { Comparison, ComparisonRow, Metric, Report, Statistic } from "../schema.ts";
import { type Candidate, candidatesOf, findUnpaired, pairScenarios } from "./compared_rows.ts";
import { describeErrors, describeSlower } from "./compare.ts";
import { UNDECIDED } from "./judge.ts";
import { findNewErrors } from "./ledger_errors.ts";
import { FEWEST_PAIRS, judgePaired } from "./paired.ts";

/** What is known beside the reports. */
export interface PairedCompareOptions {
  bandPercent: number;
  /**
   * The client's own part of a metric's median, by epoch in nanoseconds: what the same calls took on a server that
   * does nothing; `null`: it was not measured.
   */
  floorOf: (scenario: string, metric: Metric) => readonly (number | null)[] | null;
}

/** Every gating figure of two reports of one workload, judged by its epochs; B is held against A. */
export function comparePaired(a: Report, b: Report, options: PairedCompareOptions): Comparison {
  const pairs = pairScenarios([a], b);
  const candidates = pairs.flatMap((pair) =>
    candidatesOf(pair, { isPaired: true }).map((candidate) => ({
      // What neither side has in any epoch cannot be decided by more of them.
      candidate: {
        ...candidate,
        isGate: candidate.isGate &&
          [pair.olds[0]!, pair.now].some(({ metrics }) =>
            epochsOf(find(candidate, metrics), candidate.statistic).some((value) => value !== null)
          ),
      },
      ratios: ratiosOf(candidate, pair.olds[0]!.metrics, pair.now.metrics),
      own: ownRatios(candidate, pair.olds[0]!.metrics, pair.now.metrics, options.floorOf),
    }))
  );
  const gates = ({ isGate, unusable }: Candidate) => isGate && unusable === null;
  const count = candidates.filter(({ candidate }) => gates(candidate)).length;
  const rows = candidates.map(({ candidate, ratios, own }): ComparisonRow => {
    const { scenario, metric, at, statistic, unit, better, olds, now, unusable } = candidate;
    const judging = { better, bandPercent: options.bandPercent, rows: count };
    const declared = {
      scenario,
      metric,
      ...(at === undefined ? {} : { at }),
      statistic,
      unit,
      better,
      old: olds[0]?.value ?? null,
      new: now?.value ?? null,
      gating: gates(candidate),
    };
    if (unusable !== null) return { ...declared, ...UNDECIDED, ratio: null, why: unusable };
    if (ratios.length === 0) {
      return { ...declared, ...UNDECIDED, ratio: null, why: "tooFewSamples" };
    }
    return {
      ...declared,
      ...judgePaired(ratios, judging),
      epochs: ratios,
      ...(own.length < FEWEST_PAIRS ? {} : { own: ownChange(own, judging) }),
    };
  });
  const newErrors = pairs.flatMap(({ olds: [old], now }) =>
    now.overloads || now.status !== "passed" || old!.status !== "passed"
      ? []
      : findNewErrors([old!.ledger], now.ledger).map((errors) => ({
        scenario: now.name,
        ...errors,
      }))
  );
  return {
    noise: "paired",
    noisePercent: null,
    bandPercent: options.bandPercent,
    baselines: 1,
    differences: [],
    rows,
    newErrors,
    ...findUnpaired([a], b),
    regressions: [
      ...rows.filter(({ gating, verdict }) => gating && verdict === "slower").map(describeSlower),
      ...newErrors.map(describeErrors),
    ],
  };
}

/** B over A, of the epochs in which both have the figure. */
function ratiosOf(
  candidate: Candidate,
  olds: readonly Metric[],
  news: readonly Metric[],
): number[] {
  const before = epochsOf(find(candidate, olds), candidate.statistic);
  const after = epochsOf(find(candidate, news), candidate.statistic);
  return ratios(after, before);
}

/** None where the two do not have the same epochs. */
function ratios(over: readonly (number | null)[], under: readonly (number | null)[]): number[] {
  if (over.length !== under.length) return [];
  return over.map((value, epoch) => (value ?? NaN) / (under[epoch] ?? NaN))
    .filter((ratio) => ratio > 0 && ratio < Infinity);
}

/** The same of what is left of the median after the client's own part. */
function ownRatios(
  candidate: Candidate,
  olds: readonly Metric[],
  news: readonly Metric[],
  floorOf: PairedCompareOptions["floorOf"],
): number[] {
  const [before, after] = [find(candidate, olds), find(candidate, news)];
  if (candidate.statistic !== "p50" || before === undefined || after === undefined) return [];
  const floor = floorOf(candidate.scenario, after) ?? [];
  const own = (metric: Metric) =>
    epochsOf(metric, "p50").map((value, epoch) => (value ?? NaN) - (floor[epoch] ?? NaN));
  const [a, b] = [own(before), own(after)];
  // A server as fast as one that does nothing has no share of its own.
  return [...a, ...b].some((ns) => ns <= 0) ? [] : ratios(b, a);
}

function ownChange(ratios: readonly number[], options: Parameters<typeof judgePaired>[1]) {
  const { ratio, ci } = judgePaired(ratios, options);
  return { ratio, ci };
}

function find({ metric, at }: Candidate, metrics: readonly Metric[]): Metric | undefined {
  const place = JSON.stringify(at ?? {});
  return metrics.find((one) => one.name === metric && JSON.stringify(one.at ?? {}) === place);
}

/** A figure by epoch; `null` in those that have too few samples for it. */
function epochsOf(metric: Metric | undefined, statistic: Statistic): (number | null)[] {
  if (metric === undefined) return [];
  if (metric.kind === "scalar") return statistic === "value" ? metric.epochs : [];
  return statistic === "value" ? [] : metric.epochs.map((epoch) => epoch[statistic]);
}
