import type { Metric } from "../schema.ts";
import { firstRoundSlower, madOutliers, median } from "../stats/rounds.ts";

/** A round nearer than this to the median is not worth a reader's time, however even the others are. */
const REMARKABLE_SHARE = 0.05;

/**
 * What a reader should know of the rounds of a scenario's metrics: a slow start, and rounds far from the
 * rest. Nothing is left out of the figures for it.
 */
export function roundNotes(metrics: readonly Metric[]): string[] {
  const slow = metrics.filter(startsSlowly).map(({ name }) => name);
  const outliers = metrics.flatMap(outlierText);
  return [
    ...(slow.length === 0 ? [] : [
      `the first round is worse than the others (${slow.join(", ")}): the warm-up may be too short`,
    ]),
    ...(outliers.length === 0
      ? []
      : [`rounds far from the rest, counted all the same: ${outliers.join("; ")}`]),
  ];
}

/** The median of fewer samples than this jumps about by itself. */
const MINIMUM_SAMPLES = 10;

/** The value of each round; of a distribution its median, where enough samples stand behind it. */
function roundValues(metric: Metric): number[] {
  if (metric.kind === "scalar") return metric.rounds;
  if (metric.rounds.some(({ count }) => count < MINIMUM_SAMPLES)) return [];
  return metric.rounds.flatMap(({ p50 }) => p50 === null ? [] : [p50]);
}

function startsSlowly(metric: Metric): boolean {
  const values = roundValues(metric);
  return metric.better !== null && firstRoundSlower(values, metric.better) &&
    isRemarkable(values[0]!, values);
}

/**
 * Such as `latency 3, 7`: the name, and the rounds counted from 1. Of what is neither better nor worse, no
 * round is remarkable.
 */
function outlierText(metric: Metric): string[] {
  if (metric.better === null) return [];
  const values = roundValues(metric);
  const rounds = madOutliers(values).filter((index) => isRemarkable(values[index]!, values))
    .map((index) => index + 1);
  return rounds.length === 0 ? [] : [`${metric.name} ${rounds.join(", ")}`];
}

function isRemarkable(value: number, values: readonly number[]): boolean {
  const center = median(values);
  return Math.abs(value - center) > REMARKABLE_SHARE * Math.abs(center);
}
