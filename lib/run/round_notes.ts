import type { Metric } from "../contract.ts";
import { firstRoundSlower, madOutliers } from "../stats/rounds.ts";

/** What a reader should know of the rounds of a scenario's metrics; nothing is left out for it. */
export function roundNotes(metrics: readonly Metric[]): string[] {
  return metrics.flatMap((metric) => [...slowStart(metric), ...outliers(metric)]);
}

/** The value of each round; of a distribution its median. */
function roundValues(metric: Metric): number[] {
  return metric.kind === "scalar"
    ? metric.rounds
    : metric.rounds.flatMap(({ p50 }) => p50 === null ? [] : [p50]);
}

function slowStart(metric: Metric): string[] {
  if (metric.better === null || !firstRoundSlower(roundValues(metric), metric.better)) return [];
  return [
    `the first round's ${metric.name} is worse than the others': the warm-up may be too short`,
  ];
}

function outliers(metric: Metric): string[] {
  const rounds = madOutliers(roundValues(metric)).map((index) => index + 1);
  if (rounds.length === 0) return [];
  const which = `${rounds.length === 1 ? "round" : "rounds"} ${rounds.join(", ")}`;
  return [`${metric.name} of ${which} lies far from the rest (counted all the same)`];
}
