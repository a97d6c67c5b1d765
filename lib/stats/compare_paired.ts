import type { Comparison, ComparisonRow, Metric, Report, Statistic } from "../schema.ts";
import { foundIn } from "./compare.ts";
import { candidatesOf, findUnpaired, pairScenarios } from "./compared_rows.ts";
import { UNDECIDED } from "./judge.ts";
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
  const { bandPercent, floorOf } = options;
  const pairs = pairScenarios([a], b);
  const candidates = pairs.flatMap((pair) => candidatesOf(pair, { isPaired: true }))
    .map((candidate) => {
      const { row: { scenario, statistic }, metrics, isGate, unusable } = candidate;
      const epochs = metrics.map((metric) => epochsOf(metric, statistic));
      // What neither side has in any epoch cannot be decided by more of them.
      const gating = isGate && unusable === null && epochs.flat().some((value) => value !== null);
      const [before, after] = epochs as [Epochs, Epochs];
      const floor = metrics[1] === undefined ? null : floorOf(scenario, metrics[1]);
      const own = statistic === "p50" ? ownRatios(before, after, floor ?? []) : [];
      return { ...candidate, gating, ratios: ratiosOf(before, after), own };
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

/** A figure by epoch; `null` in those that have too few samples for it. */
type Epochs = readonly (number | null)[];

function epochsOf(metric: Metric | undefined, statistic: Statistic): Epochs {
  if (metric === undefined) return [];
  if (metric.kind === "scalar") return statistic === "value" ? metric.epochs : [];
  return statistic === "value" ? [] : metric.epochs.map((epoch) => epoch[statistic]);
}

/** B over A, of the epochs in which both have the figure; none where the two do not have the same epochs. */
function ratiosOf(before: Epochs, after: Epochs): number[] {
  if (before.length !== after.length) return [];
  return after.map((value, epoch) => (value ?? NaN) / (before[epoch] ?? NaN))
    .filter((ratio) => ratio > 0 && ratio < Infinity);
}

/** The same of what is left of the median after the client's own part. */
function ownRatios(before: Epochs, after: Epochs, floor: Epochs): number[] {
  const own = (epochs: Epochs) =>
    epochs.map((value, epoch) => (value ?? NaN) - (floor[epoch] ?? NaN));
  // A server as fast as one that does nothing has no share of its own.
  const isFast = [...own(before), ...own(after)].some((ns) => ns <= 0);
  return isFast ? [] : ratiosOf(own(before), own(after));
}
