import type { Interval, Metric } from "../schema.ts";

/** The interval of a metric's main figure: a scalar's value, a distribution's median. */
export function mainInterval(metric: Metric): Interval | null {
  return metric.kind === "scalar" ? metric.ci95 : metric.ci95.p50;
}

/**
 * Half the width of the interval of a metric's main figure, in per cent of the figure: within this, the next
 * run is expected. `null`: it has no interval.
 */
export function repeatsWithinPercent(metric: Metric): number | null {
  const interval = mainInterval(metric);
  const value = metric.kind === "scalar" ? metric.value : metric.p50;
  if (interval === null || value === 0) return null;
  return 100 * (interval[1] - interval[0]) / 2 / Math.abs(value);
}

/** Does a headline repeat within so many per cent? One that was not measured cannot say. */
export function isPreciseEnough(metric: Metric | null, percent: number): boolean {
  if (metric === null) return false;
  const within = repeatsWithinPercent(metric);
  return within !== null && within <= percent;
}
