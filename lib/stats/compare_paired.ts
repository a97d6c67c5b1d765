import type { Comparison, ComparisonRow, Metric, Report, Statistic } from "../schema.ts";
import { foundIn } from "./compare.ts";
import { candidatesOf, findUnpaired, pairScenarios } from "./compared_rows.ts";
import { UNDECIDED } from "./judge.ts";
import { FEWEST_PAIRS, judgePaired } from "./paired.ts";

export interface PairedCompareOptions {
  bandPercent: number;
  /** Medians by epoch in nanoseconds of the same calls to a null server; `null` if not measured. */
  floorOf: (scenario: string, metric: Metric) => readonly (number | null)[] | null;
}

/** Compares two reports of one workload, B with A, epoch by epoch. */
export function comparePaired(a: Report, b: Report, options: PairedCompareOptions): Comparison {
  const { bandPercent, floorOf } = options;
  const pairs = pairScenarios([a], b);
  const candidates = pairs.flatMap((pair) => candidatesOf(pair, { isPaired: true }))
    .map((candidate) => {
      const { row: { scenario, statistic }, metrics, isGate } = candidate;
      const [before, after] = metrics.map((metric) => epochsOf(metric, statistic));
      // If neither side has a value in any epoch, more epochs cannot decide it.
      const isMeasured = [...before, ...after].some((value) => value !== null);
      const floor = metrics[1] === undefined ? null : floorOf(scenario, metrics[1]);
      return {
        ...candidate,
        gating: isGate && isMeasured,
        ratios: ratiosOf(before, after),
        own: statistic === "p50" ? ownRatios(before, after, floor ?? []) : [],
      };
    });
  const count = candidates.filter(({ gating }) => gating).length;
  const rows = candidates.map((candidate): ComparisonRow => {
    const { row, olds, now, unusable, gating, ratios, own } = candidate;
    const judging = { better: row.better, bandPercent, rows: count };
    const declared = { ...row, old: olds[0]?.value ?? null, new: now?.value ?? null, gating };
    const why = unusable ?? (ratios.length === 0 ? "tooFewSamples" : null);
    if (why !== null) return { ...declared, ...UNDECIDED, ratio: null, why };
    const judgedOwn = own.length < FEWEST_PAIRS ? null : judgePaired(own, judging);
    return {
      ...declared,
      ...judgePaired(ratios, judging),
      epochs: ratios,
      ...(judgedOwn === null ? {} : { own: { ratio: judgedOwn.ratio, ci: judgedOwn.ci } }),
    };
  });
  return {
    ...{ noise: "paired", noisePercent: null, bandPercent, baselines: 1, differences: [] },
    ...foundIn(pairs, rows),
    ...findUnpaired([a], b),
  };
}

/** A figure by epoch; `null` in epochs with too few samples. */
type Epochs = readonly (number | null)[];

function epochsOf(metric: Metric | undefined, statistic: Statistic): Epochs {
  if (metric === undefined) return [];
  if (metric.kind === "scalar") return statistic === "value" ? metric.epochs : [];
  return statistic === "value" ? [] : metric.epochs.map((epoch) => epoch[statistic]);
}

/** B over A in the epochs where both have a value; empty if the numbers of epochs differ. */
function ratiosOf(before: Epochs, after: Epochs): number[] {
  if (before.length !== after.length) return [];
  return after.map((value, epoch) => (value ?? NaN) / (before[epoch] ?? NaN))
    .filter((ratio) => ratio > 0 && ratio < Infinity);
}

/** Ratios of what is left of the medians without the client's part. */
function ownRatios(before: Epochs, after: Epochs, floor: Epochs): number[] {
  const own = (epochs: Epochs) =>
    epochs.map((value, epoch) => (value ?? NaN) - (floor[epoch] ?? NaN));
  // A server as fast as the null server has no part of its own.
  const isFast = [...own(before), ...own(after)].some((ns) => ns <= 0);
  return isFast ? [] : ratiosOf(own(before), own(after));
}
