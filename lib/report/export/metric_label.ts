import type { At, ComparisonRow, Metric, ScenarioReport } from "../../schema.ts";
import { isSamePlace } from "../quantities.ts";

/**
 * `latency` without coordinates, `throughput@8` at one number, `latency.chat` at one name, else
 * `throughput@clients=5,inFlight=1`.
 */
export function metricLabel({ name, at }: { name: string; at?: At }): string {
  const coordinates = Object.entries(at ?? {});
  const [first] = coordinates;
  if (first === undefined) return name;
  if (coordinates.length > 1) {
    return `${name}@${coordinates.map(([key, value]) => `${key}=${value}`).join(",")}`;
  }
  return typeof first[1] === "number" ? `${name}@${first[1]}` : `${name}.${first[1]}`;
}

/** The label of a metric: just its name if that is unique in the scenario. */
export function shortLabel({ metrics }: ScenarioReport, metric: Metric): string {
  const isOnly = metrics.every((other) => other === metric || other.name !== metric.name);
  return isOnly ? metric.name : metricLabel(metric);
}

/** The metric of a row, as short as in {@linkcode shortLabel}, and the figure: `latency p50`. */
export function rowLabel(row: ComparisonRow, rows: readonly ComparisonRow[]): string {
  const { scenario, metric, at, statistic } = row;
  const isOnly = rows.every((other) =>
    other.scenario !== scenario || other.metric !== metric || isSamePlace(other, row)
  );
  const label = isOnly ? metric : metricLabel({ name: metric, at });
  return label + (statistic === "value" ? "" : ` ${statistic}`);
}
