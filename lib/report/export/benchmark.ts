/**
 * The custom JSON of github-action-benchmark, which keeps and charts a history of numbers. It needs
 * separate files for "higher is better" and "lower is better".
 *
 * @module
 */

import type { Interval, Metric, Report, ScenarioReport } from "../../schema.ts";
import { escapeTerminal } from "../escape.ts";
import { shortLabel } from "../quantities.ts";
import { formatCounted } from "../units.ts";

const NS_PER_MS = 1e6;

/** Scalars, and percentiles in milliseconds, of the scenarios that passed, as JSON. */
export function renderBenchmarkJson(report: Report, better: "higher" | "lower"): string {
  const entries = report.scenarios
    .filter(({ status }) => status === "passed")
    .flatMap((scenario) =>
      scenario.metrics
        .filter((metric) => metric.better === better)
        .flatMap((metric) => entriesOf(report, scenario, metric))
    );
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/** Numbers in the format of the action, which shows `extra` next to each. */
function entriesOf({ profile }: Report, scenario: ScenarioReport, metric: Metric) {
  const name = `${scenario.name} ${shortLabel(scenario, metric)}`;
  const basis = metric.kind === "scalar"
    ? formatCounted(metric.epochs.length, "epoch")
    : formatCounted(metric.count, "sample");
  const validity = scenario.validity.valid ? "" : "; not valid: see the report";
  const extra = escapeTerminal(`${basis}; profile ${profile}${validity}`);
  const entry = (name: string, unit: string, value: number, interval: Interval | null) => ({
    name: escapeTerminal(name),
    unit: escapeTerminal(unit) || "1",
    value,
    ...interval === null ? {} : { range: `± ${reach(interval, value)}` },
    extra,
  });
  if (metric.kind === "scalar") return [entry(name, metric.unit, metric.value, metric.ci95)];
  return (["p50", "p95", "p99"] as const).flatMap((percentile) => {
    const [ns, interval] = [metric[percentile], metric.ci95[percentile]];
    if (ns === null) return [];
    const bounds = interval?.map((bound) => bound / NS_PER_MS) as Interval | undefined;
    return [entry(`${name} ${percentile}`, "ms", ns / NS_PER_MS, bounds ?? null)];
  });
}

function reach(interval: Interval, value: number): number {
  return Number(Math.max(...interval.map((bound) => Math.abs(bound - value))).toPrecision(3));
}
