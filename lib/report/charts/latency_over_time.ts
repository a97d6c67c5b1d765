/**
 * Latency over time: a stall is a peak of the slowest call, or an interval without any reply.
 *
 * @module
 */

import type { Distribution, ScenarioReport, SeriesPoint } from "../../contract.ts";
import { formatDuration, formatDurationTick } from "../units.ts";
import { durationAxis, linearScale, valueAxis, wideScale } from "./axes.ts";
import type { ChartPlan } from "./chart.ts";
import { bands, line, type Point } from "./series.ts";
import { COLORS } from "./theme.ts";
import { metricText, sampleText, slug, subtitleOf, titleOf } from "./words.ts";

/** With fewer intervals there is no course to look at. */
const FEWEST_INTERVALS = 3;

/** The chart of the scenario's first distribution over time, if it has one. */
export function latencyOverTimePlans(scenario: ScenarioReport): ChartPlan[] {
  const distribution = scenario.metrics.find((metric): metric is Distribution =>
    metric.kind === "distribution" && metric.at === undefined &&
    metric.series.length >= FEWEST_INTERVALS
  );
  if (distribution === undefined) return [];
  const { series } = distribution;
  const widthMs = intervalWidthMs(series);
  const silences = silentIntervals(series, widthMs);
  const slowest = slowestInterval(series);
  if (slowest === null) return [];
  const seen = `the slowest call took ${formatDuration(slowest.max)}, ` +
    (slowest.atMs === 0 ? "at the beginning" : `after ${formatDurationTick(slowest.atMs * 1e6)}`);
  const longestNs = Math.max(0, ...silences.map(([from, to]) => to - from));
  const silence = longestNs === 0 ? "" : `; no reply for ${formatDuration(longestNs)}`;
  const title = titleOf(scenario, seen + silence);
  const hasP99 = series.some(({ p99 }) => p99 !== null);
  const names = ["median", ...hasP99 ? ["P99"] : [], "slowest call"];
  const line_ = (name: string, value: (point: SeriesPoint) => number | null, color: string) =>
    line(name, series.map((point): Point => [middle(point, widthMs), value(point)]), { color });
  return [{
    name: `${slug(scenario.name)}-over-time`,
    scenario: scenario.name,
    title,
    alt: `${title}. Median, P99 and slowest ${metricText(distribution.name)} in each interval of ` +
      `${formatDuration(widthMs * 1e6)}`,
    ...subtitleOf(
      scenario,
      `${metricText(distribution.name)} in intervals of ${formatDurationTick(widthMs * 1e6)}, ` +
        sampleText(distribution),
    ),
    legend: names,
    height: 400,
    option: {
      grid: { left: 86, right: 28, top: 88, bottom: 54 },
      xAxis: valueAxis(linearScale([(series.at(-1)!.atMs + widthMs) * 1e6]), {
        name: "Time since the first round began",
        format: formatDurationTick,
      }),
      yAxis: durationAxis(
        wideScale(series.flatMap(({ p50, p99, max }) => [p50, p99, max].filter(isKnown))),
        {
          name: "Time",
        },
      ),
      series: [
        {
          ...line_("slowest call", ({ max }) => max, COLORS.orange),
          lineStyle: { color: COLORS.orange, width: 1.2 },
          markArea: bands("xAxis", silences, COLORS.red),
        },
        line_("P99", ({ p99 }) => p99, COLORS.purple),
        line_("median", ({ p50 }) => p50, COLORS.blue),
      ],
    },
  }];
}

function isKnown(value: number | null): value is number {
  return value !== null;
}

/** The width of an interval in milliseconds: the shortest distance between two. */
function intervalWidthMs(series: readonly SeriesPoint[]): number {
  return Math.min(...series.slice(1).map(({ atMs }, index) => atMs - series[index]!.atMs));
}

function middle({ atMs }: SeriesPoint, widthMs: number): number {
  return Math.round((atMs + widthMs / 2) * 1e6);
}

/** Runs of intervals without a reply, between others that have some: [from, to] in nanoseconds. */
export function silentIntervals(
  series: readonly SeriesPoint[],
  widthMs: number,
): [number, number][] {
  const first = series.findIndex(({ count }) => count > 0);
  const last = series.findLastIndex(({ count }) => count > 0);
  const runs: [number, number][] = [];
  for (const { atMs, count } of series.slice(first, last + 1)) {
    if (count > 0) continue;
    const run: [number, number] = [atMs * 1e6, (atMs + widthMs) * 1e6];
    const previous = runs.at(-1);
    if (previous !== undefined && previous[1] >= run[0] - 1) previous[1] = run[1];
    else runs.push(run);
  }
  return runs;
}

/** The interval with the slowest call; `null` where there is no call. */
function slowestInterval(series: readonly SeriesPoint[]): { atMs: number; max: number } | null {
  return series.reduce<{ atMs: number; max: number } | null>(
    (slowest, { atMs, max }) =>
      max !== null && (slowest === null || max > slowest.max) ? { atMs, max } : slowest,
    null,
  );
}
