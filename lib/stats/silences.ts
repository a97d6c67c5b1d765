import type { SeriesPoint } from "../schema.ts";

/** Periods without replies between intervals with replies, as [from, to] in nanoseconds. */
export function silentIntervals(
  series: readonly SeriesPoint[],
  widthMs: number,
): [number, number][] {
  const first = series.findIndex(({ count }) => count > 0);
  const last = series.findLastIndex(({ count }) => count > 0);
  const runs: [number, number][] = [];
  for (const { atMs, count } of series.slice(Math.max(0, first), last + 1)) {
    if (count > 0) continue;
    const [from, to] = [atMs * 1e6, (atMs + widthMs) * 1e6];
    const previous = runs.at(-1);
    if (previous !== undefined && previous[1] >= from - 1) previous[1] = to;
    else runs.push([from, to]);
  }
  return runs;
}
