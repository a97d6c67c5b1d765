import type { SeriesPoint } from "../schema.ts";
import { median } from "./rounds.ts";
import { theilSenTrend, type Trend } from "./trend.ts";

const MS_PER_HOUR = 3_600_000;
/** An interval with fewer than this share of the usual number of samples is one that was cut short. */
const USUAL_SHARE = 0.5;

/**
 * By how many nanoseconds an hour the median of a series rises, by Theil and Sen over the medians of its
 * intervals. Intervals with under half of the usual number of samples are left out. `null` with fewer
 * than two.
 */
export function medianDrift(series: readonly SeriesPoint[]): Trend | null {
  const filled = series.filter(({ count }) => count > 0);
  if (filled.length === 0) return null;
  const usual = median(filled.map(({ count }) => count));
  return theilSenTrend(
    filled.flatMap(({ atMs, count, p50 }) =>
      p50 === null || count < usual * USUAL_SHARE ? [] : [{ x: atMs / MS_PER_HOUR, y: p50 }]
    ),
  );
}
