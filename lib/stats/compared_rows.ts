/**
 * Which figures of which runs stand against each other.
 *
 * @module
 */

import type {
  Comparison,
  ComparisonRow,
  Metric,
  Report,
  ScenarioReport,
  Statistic,
} from "../schema.ts";
import { isAtLeast } from "./percentiles.ts";

/** A figure of one run; `null`: too few samples. A percentile may mean "at least". */
export interface Figure {
  value: number | null;
  isAtLeast: boolean;
}

/** A row to be: one statistic of one metric. */
export interface Candidate {
  row: Pick<ComparisonRow, "scenario" | "metric" | "at" | "statistic" | "unit" | "better">;
  /** Of the earlier runs that have the metric, and whose scenario can be used. */
  olds: Figure[];
  /** `null`: this run does not have the metric. */
  now: Figure | null;
  /** Where the figures are from; the first is that of the latest earlier run. */
  metrics: [Metric | undefined, Metric | undefined];
  /** Does its scenario name it as one that decides? */
  isGate: boolean;
  /** Why the scenario of this run, or of all earlier ones, cannot be used. */
  unusable: Unusable | null;
}

export type Unusable = "failed" | "skipped" | "interrupted" | "invalid" | "drift";

/**
 * Why the numbers of a scenario do not count; `null` where they do. What has drifted has no one number, but a pair of
 * servers that were measured side by side has a ratio all the same.
 */
export function unusableBecause(
  { status, validity: { valid, warnings } }: ScenarioReport,
  { isPaired = false }: { isPaired?: boolean } = {},
): Unusable | null {
  if (status !== "passed") return status;
  if (valid) return null;
  if (!isPaired) return warnings.some(({ kind }) => kind === "drift") ? "drift" : "invalid";
  const hasChanged = warnings.every(({ kind }) => kind === "drift" || kind === "changed");
  return warnings.length > 0 && hasChanged ? null : "invalid";
}

/** A scenario of this run with the same of the earlier ones. */
export interface ScenarioPair {
  olds: ScenarioReport[];
  now: ScenarioReport;
}

/** The scenarios that this run shares with an earlier one, in its order. */
export function pairScenarios(olds: readonly Report[], now: Report): ScenarioPair[] {
  return now.scenarios.map((scenario) => ({
    olds: olds.flatMap(({ scenarios }) => scenarios.filter(({ name }) => name === scenario.name)),
    now: scenario,
  })).filter((pair) => pair.olds.length > 0);
}

/** The scenarios that only the earlier runs have, or only this one. */
export function findUnpaired(
  olds: readonly Report[],
  now: Report,
): Pick<Comparison, "onlyInOld" | "onlyInNew"> {
  const namesOf = (reports: readonly Report[]) =>
    new Set(reports.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)));
  const [before, after] = [namesOf(olds), namesOf([now])];
  return { onlyInOld: [...before.difference(after)], onlyInNew: [...after.difference(before)] };
}

/**
 * The rows of one scenario: the gating statistics of each metric, of this run and of the earlier ones, so that one that
 * vanished is a row too; and of a headline metric without any, and of a scenario's own rate, its value or median. A
 * metric of which neither direction is an improvement has none.
 */
export function candidatesOf(
  { olds, now }: ScenarioPair,
  how: { isPaired?: boolean } = {},
): Candidate[] {
  const usable = olds.filter((scenario) => unusableBecause(scenario, how) === null);
  const unusable = unusableBecause(now, how) ??
    (usable.length === 0 ? unusableBecause(olds.at(-1)!, how) : null);
  const byKey = Map.groupBy([now, ...olds].flatMap(({ metrics }) => metrics), keyOf);
  return [...byKey].flatMap(([key, [metric]]) => {
    const { name, at, unit, better } = metric;
    if (better === null) return [];
    const find = ({ metrics }: ScenarioReport) => metrics.find((one) => keyOf(one) === key);
    return statisticsOf(metric).map(({ statistic, isGate }): Candidate => {
      const figures = usable.flatMap((scenario) => figureOf(find(scenario), statistic) ?? []);
      const figure = figureOf(find(now), statistic);
      return {
        row: {
          ...{ scenario: now.name, metric: name },
          ...(at === undefined ? {} : { at }),
          ...{ statistic, unit, better },
        },
        olds: figures,
        now: figure,
        metrics: [find(olds.at(-1)!), find(now)],
        // What neither side has samples for is shown, but a server too slow for it is not undecided for ever.
        isGate: isGate && [figure, ...figures].some((one) => one !== null && one.value !== null),
        unusable,
      };
    });
  });
}

/** A metric is the same in another run if it has the same name and kind, and was measured at the same point. */
function keyOf({ name, kind, at = {} }: Metric): string {
  const places = Object.entries(at).sort(([one], [other]) => one < other ? -1 : 1);
  return JSON.stringify([name, kind, places]);
}

function statisticsOf(
  { role, gates = [], kind, unit, at }: Metric,
): { statistic: Statistic; isGate: boolean }[] {
  if (role !== "detail" && gates.length > 0) {
    return gates.map((statistic) => ({ statistic, isGate: true }));
  }
  const shown = kind === "scalar" ? "value" : "p50";
  // A scenario's own rate stands on the first screen beside its latency.
  const isShown = role === "headline" || (unit === "msg/s" && at === undefined);
  return isShown ? [{ statistic: shown, isGate: false }] : [];
}

function figureOf(metric: Metric | undefined, statistic: Statistic): Figure | null {
  if (metric === undefined) return null;
  if (metric.kind === "scalar") {
    return { value: statistic === "value" ? metric.value : null, isAtLeast: false };
  }
  if (statistic === "value") return { value: null, isAtLeast: false };
  const value = metric[statistic];
  return { value, isAtLeast: value !== null && isAtLeast(metric, Number(statistic.slice(1))) };
}
