/**
 * Which metrics of two scenarios are compared, and which of them decide.
 *
 * @module
 */

import type { ComparisonRow, Distribution, Metric, Scalar, ScenarioReport } from "../schema.ts";
import type { RoundsPair } from "./compare_types.ts";
import { mostTestableRows } from "./judge.ts";

/** More tests than this at once would find nothing with a usual number of rounds. */
const MAX_GATING_ROWS = 8;
/** What a scenario's distribution is called that answers its question, in order of preference. */
const MAIN_DISTRIBUTIONS = ["latency", "recovery", "establish", "layer.tool"];
const MAIN_SCALARS = ["throughput", "sustainableRate", "interference.otherConnection"];

/** One row to be, with the rounds that it is tested on. */
export interface Candidate extends RoundsPair {
  scenario: string;
  metric: string;
  statistic: ComparisonRow["statistic"];
  unit: string;
  old: number;
  new: number;
}

/**
 * The rows of one scenario: throughput and p50 of its main distribution, then p95 and p99 of that.
 * A metric or percentile that either side lacks, in all or in every round, is no row.
 */
export function candidatesOf(before: ScenarioReport, after: ScenarioReport): Candidate[] {
  const scalar = mainMetric(after, "scalar", MAIN_SCALARS);
  // The times at the rates that a search tried depend on where it searched.
  const distribution = scalar?.name === "sustainableRate"
    ? undefined
    : mainMetric(after, "distribution", MAIN_DISTRIBUTIONS);
  const wanted: [Metric | undefined, ComparisonRow["statistic"]][] = [
    [scalar, "value"],
    [distribution, "p50"],
    [distribution, "p95"],
    [distribution, "p99"],
  ];
  return wanted.flatMap(([metric, statistic]) => {
    const counterpart = before.metrics.find((old) =>
      old.name === metric?.name && old.kind === metric.kind
    );
    if (metric === undefined || counterpart === undefined || metric.better === null) return [];
    const candidate = {
      scenario: after.name,
      metric: metric.name,
      statistic,
      unit: metric.unit,
      better: metric.better,
      old: valueOf(counterpart, statistic),
      new: valueOf(metric, statistic),
      oldRounds: roundsOf(counterpart, statistic),
      newRounds: roundsOf(metric, statistic),
    };
    return isMeasured(candidate) ? [candidate] : [];
  });
}

/**
 * The rows that decide, at most 8: throughputs and medians first, in order; then the p95 of each
 * scenario, and then the p99, as far as there is room and the tests can still succeed with the
 * rounds there are.
 */
export function chooseGating(candidates: readonly Candidate[]): Set<Candidate> {
  const leading = candidates.filter(({ statistic }) =>
    statistic === "value" || statistic === "p50"
  );
  const gating = new Set(leading.slice(0, MAX_GATING_ROWS));
  const tails = ["p95", "p99"].flatMap((percentile) =>
    candidates.filter(({ statistic }) => statistic === percentile)
  );
  for (const tail of tails) {
    const rows = [...gating, tail];
    const testable = rows.map(({ oldRounds, newRounds }) =>
      mostTestableRows(oldRounds.length, newRounds.length)
    );
    if (rows.length <= Math.min(MAX_GATING_ROWS, ...testable)) gating.add(tail);
  }
  return gating;
}

/**
 * The metric of the first name that the scenario has; of a sweep (`latency@8`), its last step. A
 * scenario without such a distribution has its first. A metric that cannot improve is not asked.
 */
function mainMetric(
  scenario: ScenarioReport,
  kind: Metric["kind"],
  names: readonly string[],
): Metric | undefined {
  const metrics = scenario.metrics.filter((metric) =>
    metric.kind === kind && metric.better !== null
  );
  for (const name of names) {
    const found = metrics.findLast((metric) => metric.name.split("@")[0] === name);
    if (found !== undefined) return found;
  }
  return kind === "distribution" ? metrics[0] : undefined;
}

function valueOf(metric: Metric, statistic: ComparisonRow["statistic"]): number | null {
  return statistic === "value" ? (metric as Scalar).value : (metric as Distribution)[statistic];
}

function roundsOf(metric: Metric, statistic: ComparisonRow["statistic"]): number[] {
  if (metric.kind === "scalar") return metric.rounds;
  if (statistic === "value") return [];
  return metric.rounds.map((round) => round[statistic]).filter((value) => value !== null);
}

function isMeasured<T extends { old: number | null; new: number | null } & RoundsPair>(
  candidate: T,
): candidate is T & { old: number; new: number } {
  const { old, new: after, oldRounds, newRounds } = candidate;
  return old !== null && after !== null && oldRounds.length > 0 && newRounds.length > 0;
}
