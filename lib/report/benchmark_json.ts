/**
 * The custom JSON of github-action-benchmark, which keeps a history of numbers and draws it. It takes
 * numbers of which more is better and numbers of which less is better in files of their own.
 *
 * @module
 */

import type { Distribution, Interval, Metric, Report, Scalar, ScenarioReport } from "../schema.ts";
import { escapeTerminal } from "./escape.ts";
import { formatCount, toMilliseconds } from "./units.ts";

/** One number, as the action reads it. */
interface Entry {
  name: string;
  unit: string;
  value: number;
  /** `± x`: how far the 95 % interval reaches from the value, at the most. */
  range?: string;
  /** What the action shows beside the number. */
  extra: string;
}

/**
 * The numbers of the scenarios that passed, as JSON: rates and other scalars, and the percentiles of times
 * in milliseconds. Those of failed scenarios are no part of a history.
 */
export function renderBenchmarkJson(report: Report, better: "higher" | "lower"): string {
  const entries = report.scenarios
    .filter(({ status }) => status === "passed")
    .flatMap((scenario) =>
      scenario.metrics
        .filter((metric) => metric.better === better)
        .flatMap((metric) => entriesOf(metric, { report, scenario }))
    );
  return `${JSON.stringify(entries, null, 2)}\n`;
}

interface Origin {
  report: Report;
  scenario: ScenarioReport;
}

function entriesOf(metric: Metric, origin: Origin): Entry[] {
  return metric.kind === "scalar" ? [scalarEntry(metric, origin)] : timeEntries(metric, origin);
}

function scalarEntry({ name, unit, value, ci95, rounds }: Scalar, origin: Origin): Entry {
  return {
    name: nameOf(origin, name),
    unit: escapeTerminal(unit) || "1",
    value,
    ...rangeOf(value, ci95),
    extra: extraOf(origin, `${formatCount(rounds.length)} rounds`),
  };
}

function timeEntries(metric: Distribution, origin: Origin): Entry[] {
  const extra = extraOf(origin, `${formatCount(metric.count)} samples`);
  return (["p50", "p95", "p99"] as const).flatMap((percentile) => {
    const ns = metric[percentile];
    if (ns === null) return [];
    const value = toMilliseconds(ns);
    const interval = percentile === "p50" ? metric.ci95.p50 : null;
    const milliseconds = interval?.map(toMilliseconds) as Interval | undefined;
    return [{
      name: nameOf(origin, `${metric.name} ${percentile}`),
      unit: "ms",
      value,
      ...rangeOf(value, milliseconds ?? null),
      extra,
    }];
  });
}

function nameOf({ scenario }: Origin, metric: string): string {
  return escapeTerminal(`${scenario.name} ${metric}`);
}

function rangeOf(value: number, interval: Interval | null): { range?: string } {
  if (interval === null) return {};
  const reach = Math.max(...interval.map((bound) => Math.abs(bound - value)));
  return { range: `± ${Number(reach.toPrecision(3))}` };
}

function extraOf({ report, scenario }: Origin, basis: string): string {
  const validity = scenario.validity.valid ? "" : "; not valid: see the report";
  return `${basis}; profile ${escapeTerminal(report.profile)}${validity}`;
}
