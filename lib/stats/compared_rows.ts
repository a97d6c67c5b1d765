/**
 * Pairs the figures of a run with those of earlier runs.
 *
 * @module
 */

import type { Comparison, Metric, Report, ScenarioReport, Statistic } from "../schema.ts";
import { isAtLeast } from "./percentiles.ts";

/** A figure of one run. */
interface Figure {
  /** `null` with too few samples. */
  value: number | null;
  /** True if calls without an answer make it a lower bound. */
  isAtLeast: boolean;
}

/** One statistic of one metric, to become a row. */
export type Candidate = ReturnType<typeof candidatesOf>[number];

/**
 * Why the numbers of a scenario do not count; `null` if they do. A metric that drifted has no
 * single value, but two servers measured side by side still have a ratio.
 */
function unusableBecause(
  { status, validity: { valid, warnings } }: ScenarioReport,
  isPaired: boolean,
) {
  if (status !== "passed") return status;
  if (valid) return null;
  if (!isPaired) return warnings.some(({ kind }) => kind === "drift") ? "drift" : "invalid";
  const hasChanged = warnings.every(({ kind }) => kind === "drift" || kind === "changed");
  return warnings.length > 0 && hasChanged ? null : "invalid";
}

/** A scenario of this run, and the same scenario of earlier runs. */
export interface ScenarioPair {
  olds: ScenarioReport[];
  now: ScenarioReport;
}

/** The scenarios that this run shares with an earlier one. */
export function pairScenarios(olds: readonly Report[], now: Report): ScenarioPair[] {
  return now.scenarios.map((scenario) => ({
    olds: olds.flatMap(({ scenarios }) => scenarios.filter(({ name }) => name === scenario.name)),
    now: scenario,
  })).filter((pair) => pair.olds.length > 0);
}

/** The names of scenarios that only the earlier runs have, or only this one. */
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
 * The rows of one scenario: the gates of every metric of this run and the earlier ones, so a metric
 * that vanished has a row too. A headline metric without gates, and the scenario's own rate, get a
 * row for their value or median. A metric without a better direction gets none.
 */
export function candidatesOf(
  { olds, now }: ScenarioPair,
  { isPaired = false } = {},
) {
  const usable = olds.filter((scenario) => unusableBecause(scenario, isPaired) === null);
  const unusable = unusableBecause(now, isPaired) ??
    (usable.length === 0 ? unusableBecause(olds.at(-1)!, isPaired) : null);
  const byKey = Map.groupBy([now, ...olds].flatMap(({ metrics }) => metrics), keyOf);
  return [...byKey].flatMap(([key, [metric]]) => {
    const { name, at, unit, better } = metric;
    if (better === null) return [];
    const find = ({ metrics }: ScenarioReport) => metrics.find((one) => keyOf(one) === key);
    return statisticsOf(metric).map(({ statistic, isGate }) => {
      const figures = usable.flatMap((scenario) => figureOf(find(scenario), statistic) ?? []);
      const figure = figureOf(find(now), statistic);
      return {
        row: {
          ...{ scenario: now.name, metric: name },
          ...(at === undefined ? {} : { at }),
          ...{ statistic, unit, better },
        },
        /** From the earlier runs that have the metric and a usable scenario. */
        olds: figures,
        /** `null` if this run lacks the metric. */
        now: figure,
        /** Of the latest earlier run and of this one. */
        metrics: [find(olds.at(-1)!), find(now)] as const,
        // Without enough samples on either side a row is only shown: it would stay undecided.
        isGate: isGate && unusable === null &&
          [figure, ...figures].some((one) => one !== null && one.value !== null),
        /** Why the scenario is unusable in this run or in all earlier ones. */
        unusable,
      };
    });
  });
}

/** Identifies a metric across runs by its name, its kind and the point at which it was measured. */
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
  // A scenario's own rate is on the first screen, next to its latency.
  const isShown = role === "headline" || (unit === "msg/s" && at === undefined);
  return isShown ? [{ statistic: shown, isGate: false }] : [];
}

function figureOf(metric: Metric | undefined, statistic: Statistic): Figure | null {
  if (metric === undefined) return null;
  if (metric.kind === "scalar") return { value: metric.value, isAtLeast: false };
  const value = statistic === "value" ? null : metric[statistic];
  return { value, isAtLeast: value !== null && isAtLeast(metric, Number(statistic.slice(1))) };
}
