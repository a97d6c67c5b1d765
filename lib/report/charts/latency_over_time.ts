/**
 * Latency over time: a stall is a peak of the slowest call, or an interval without any reply.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Distribution, ScenarioReport, SeriesPoint } from "../../schema.ts";
import { formatDuration, formatDurationTick } from "../units.ts";
import { durationAxis, linearScale, valueAxis, wideScale } from "./axes.ts";
import type { ChartCell, ChartPlan, ChartTable } from "./chart.ts";
import { bands, line, type Point } from "./series.ts";
import { COLORS } from "./theme.ts";
import { metricText, sampleText, slug, subtitleOf, titleOf } from "./words.ts";

/** With fewer intervals there is no course to look at. */
const FEWEST_INTERVALS = 3;

const MEDIAN = "median";
const P99 = "P99";
const SLOWEST = "slowest call";

/** A distribution over time, in intervals of one width. */
interface Course {
  series: readonly SeriesPoint[];
  widthMs: number;
  /** Where no reply came: [from, to] in nanoseconds. */
  silences: [number, number][];
}

/** The chart of the scenario's first distribution over time, if it has one. */
export function latencyOverTimePlans(scenario: ScenarioReport): ChartPlan[] {
  const distribution = scenario.metrics.find((metric): metric is Distribution =>
    metric.kind === "distribution" && metric.at === undefined &&
    metric.series.length >= FEWEST_INTERVALS
  );
  if (distribution === undefined) return [];
  const { series } = distribution;
  const widthMs = intervalWidthMs(series);
  const course = { series, widthMs, silences: silentIntervals(series, widthMs) };
  const what = metricText(distribution.name);
  const width = formatDurationTick(widthMs * 1e6);
  const title = titleOf(scenario, slowestText(course) + silenceText(course));
  const hasP99 = series.some(({ p99 }) => p99 !== null);
  return [{
    name: `${slug(scenario.name)}-over-time`,
    scenario: scenario.name,
    title,
    alt: `${title}. Median, P99 and slowest ${what} in each interval of ${width}`,
    ...subtitleOf(scenario, `${what} in intervals of ${width}, ${sampleText(distribution)}`),
    legend: [MEDIAN, ...hasP99 ? [P99] : [], SLOWEST],
    height: 400,
    table: courseTable(course, hasP99),
    option: courseOption(course),
  }];
}

function courseTable({ series, widthMs }: Course, hasP99: boolean): ChartTable {
  const cell = (ns: number | null, point: SeriesPoint): ChartCell | null =>
    ns === null ? null : { text: formatDuration(ns), value: ns, at: [middle(point, widthMs), ns] };
  return {
    axis: "x",
    heading: "Since the beginning",
    columns: [
      { heading: MEDIAN, color: COLORS.blue },
      ...hasP99 ? [{ heading: P99, color: COLORS.purple }] : [],
      { heading: SLOWEST, color: COLORS.orange },
    ],
    rows: series.map((point) => ({
      label: { text: formatDurationTick(point.atMs * 1e6), value: point.atMs },
      cells: [
        cell(point.p50, point),
        ...hasP99 ? [cell(point.p99, point)] : [],
        cell(point.max, point),
      ],
    })),
  };
}

function courseOption({ series, widthMs, silences }: Course): EChartsOption {
  const points = (value: (point: SeriesPoint) => number | null) =>
    series.map((point): Point => [middle(point, widthMs), value(point)]);
  const times = series.flatMap(({ p50, p99, max }) => [p50, p99, max].filter(isKnown));
  return {
    grid: { left: 86, right: 28, top: 88, bottom: 54 },
    xAxis: valueAxis(linearScale([(series.at(-1)!.atMs + widthMs) * 1e6]), {
      name: "Time since the first round began",
      format: formatDurationTick,
    }),
    yAxis: durationAxis(wideScale(times), { name: "Time" }),
    series: [
      {
        ...line(SLOWEST, points(({ max }) => max), { color: COLORS.orange }),
        lineStyle: { color: COLORS.orange, width: 1.2 },
        markArea: bands("xAxis", silences, COLORS.red),
      },
      line(P99, points(({ p99 }) => p99), { color: COLORS.purple }),
      line(MEDIAN, points(({ p50 }) => p50), { color: COLORS.blue }),
    ],
  };
}

/** How long the slowest call took, and in which interval it was. */
function slowestText({ series }: Course): string {
  const slowest = series.reduce((a, b) => (b.max ?? 0) > (a.max ?? 0) ? b : a);
  const after = slowest.atMs === 0
    ? "at the beginning"
    : `after ${formatDurationTick(slowest.atMs * 1e6)}`;
  return `the slowest call took ${formatDuration(slowest.max)}, ${after}`;
}

/** The longest time without a reply, if there is any. */
function silenceText({ silences }: Course): string {
  const longestNs = Math.max(0, ...silences.map(([from, to]) => to - from));
  return longestNs === 0 ? "" : `; no reply for ${formatDuration(longestNs)}`;
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
