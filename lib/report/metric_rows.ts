/**
 * The metrics of a scenario as rows of plain text, the same in every format. A percentile that rests
 * on too few samples, or an interval on too few rounds, is a dash.
 *
 * @module
 */

import type { Distribution, Metric, Scalar, ScenarioReport } from "../schema.ts";
import { type Cell, quantity, textRows, unitQuantity } from "./cells.ts";
import {
  formatCount,
  formatDuration,
  formatInterval,
  formatNumber,
  formatQuantity,
} from "./units.ts";

/** The headings of {@linkcode distributionRows}. */
export const DISTRIBUTION_HEADINGS = [
  "Metric",
  "Samples",
  "Min",
  "Average",
  "Median",
  "P95",
  "P99",
  "Max",
  "Median, 95 % interval",
];

/** The headings of {@linkcode scalarRows}. */
export const SCALAR_HEADINGS = ["Metric", "Median of rounds", "Rounds", "95 % interval"];

/** One row for each distribution of a scenario, in report order. */
export function distributionRows(scenario: ScenarioReport): string[][] {
  return textRows(distributionCells(scenario));
}

/** The rows of {@linkcode distributionRows} with their values, in nanoseconds. */
export function distributionCells(scenario: ScenarioReport): Cell[][] {
  return scenario.metrics
    .filter((metric): metric is Distribution => metric.kind === "distribution")
    .map((metric) => [
      metricLabel(metric),
      quantity(metric.count, formatCount),
      ...[metric.min, metric.mean, metric.p50, metric.p95, metric.p99, metric.max].map((ns) =>
        quantity(ns, formatDuration)
      ),
      formatInterval(metric.ci95.p50, metric.unit),
    ]);
}

/** One row for each scalar of a scenario, in report order. */
export function scalarRows(scenario: ScenarioReport): string[][] {
  return textRows(scalarCells(scenario));
}

/** The rows of {@linkcode scalarRows} with their values, each in its own unit. */
export function scalarCells(scenario: ScenarioReport): Cell[][] {
  return scenario.metrics
    .filter((metric): metric is Scalar => metric.kind === "scalar")
    .map((metric) => [
      metricLabel(metric),
      unitQuantity(metric.value, { unit: metric.unit, format: formatQuantity }),
      quantity(metric.rounds.length, formatCount),
      formatInterval(metric.ci95, metric.unit),
    ]);
}

/** The name of a metric; a step of a sweep names its coordinates: `latency@8 (inFlight 8)`. */
function metricLabel({ name, at }: Metric): string {
  if (at === undefined) return name;
  const coordinates = Object.entries(at).map(([key, value]) => `${key} ${formatNumber(value)}`);
  return `${name} (${coordinates.join(", ")})`;
}
