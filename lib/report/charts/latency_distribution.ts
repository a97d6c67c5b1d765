/**
 * How times are distributed: the time at each percentile, on an axis that gives the tail its room.
 *
 * The abscissa is 1/(1-q), logarithmic, as in the plots of HdrHistogram: 90 %, 99 % and 99.9 % are
 * equally far apart.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Distribution, ScenarioReport } from "../../schema.ts";
import { LatencyHistogram } from "../../stats/histogram.ts";
import { mainDistribution } from "../scenario_names.ts";
import { durationAxis, logScale, type Scale, valueAxis, wideScale } from "./axes.ts";
import { formatDuration } from "../units.ts";
import type { ChartCell, ChartPlan, ChartTable } from "./chart.ts";
import { line, type Point } from "./series.ts";
import { SERIES_COLORS } from "./theme.ts";
import { metricText, sampleText, slug, spreadText, subtitleOf, titleOf } from "./words.ts";

/** With fewer samples there is no distribution to look at. */
const FEWEST_SAMPLES = 10;
/** What lies beyond a percentile that is drawn as a full line. */
const SAMPLES_BEYOND = 10;
const POINTS_PER_DECADE = 16;

/** The distributions of a scenario that are times of the server, and no steps of a sweep or layers. */
function shownDistributions({ metrics }: ScenarioReport): Distribution[] {
  return metrics.filter((metric): metric is Distribution =>
    metric.kind === "distribution" && metric.at === undefined &&
    metric.count >= FEWEST_SAMPLES && metric.name !== "slip" && !metric.name.startsWith("layer.")
  ).slice(0, SERIES_COLORS.length);
}

/** The chart of a scenario; none where it has too few samples. */
export function latencyDistributionPlans(scenario: ScenarioReport): ChartPlan[] {
  const shown = shownDistributions(scenario);
  const [first] = shown;
  if (first === undefined) return [];
  const names = shown.map(({ name }) => metricText(name));
  const main = shown.find((one) => one === mainDistribution(scenario)) ?? first;
  const title = titleOf(scenario, `${metricText(main.name)} ${spreadText(main)}`);
  return [{
    name: `${slug(scenario.name)}-percentiles`,
    scenario: scenario.name,
    title,
    alt: `${title}. Time at each percentile` +
      shown.filter((one) => one !== main)
        .map((one) => `; ${metricText(one.name)} ${spreadText(one)}`).join(""),
    ...subtitleOf(
      scenario,
      `${sampleText(main)}; dashed: fewer than ${SAMPLES_BEYOND} samples beyond`,
    ),
    legend: names,
    height: 400,
    table: percentileTable(shown, names),
    option: curvesOption(shown, names),
  }];
}

/** The percentiles that report.json gives, with the share of calls that is not over them. */
const PERCENTILES = [
  ["p50", 2],
  ["p75", 4],
  ["p90", 10],
  ["p95", 20],
  ["p99", 100],
  ["p999", 1000],
] as const;

function percentileTable(shown: readonly Distribution[], names: readonly string[]): ChartTable {
  const cell = (ns: number | null, x: number): ChartCell | null =>
    ns === null ? null : { text: formatDuration(ns), value: ns, at: [x, ns] };
  const percentiles = PERCENTILES.map(([key, x]) => ({
    label: { text: percentileTick(x), value: 1 - 1 / x },
    cells: shown.map((one) => cell(one[key], x)),
  }));
  return {
    axis: "x",
    heading: "Percentile",
    columns: names.map((heading, index) => ({ heading, color: SERIES_COLORS[index]! })),
    rows: [
      { label: { text: "fastest", value: 0 }, cells: shown.map(({ min }) => cell(min, 1)) },
      ...percentiles.filter(({ cells }) => cells.some((cell) => cell !== null)),
      {
        label: { text: "slowest", value: 1 },
        cells: shown.map(({ max, count }) => cell(max, count)),
      },
    ],
  };
}

function curvesOption(shown: readonly Distribution[], names: readonly string[]): EChartsOption {
  const curves = shown.map(percentileCurve);
  return {
    grid: { left: 86, right: 40, top: 88, bottom: 54 },
    xAxis: valueAxis(percentileScale(Math.max(...shown.map(({ count }) => count))), {
      name: "Percentile",
      format: percentileTick,
    }),
    yAxis: durationAxis(wideScale(curves.flat().map(([, ns]) => ns)), { name: "Time" }),
    series: shown.flatMap(({ count }, index) => {
      const [curve, name, color] = [curves[index]!, names[index]!, SERIES_COLORS[index]!];
      const sure = curve.filter(([x]) => x <= count / SAMPLES_BEYOND);
      const unsure = curve.slice(Math.max(0, sure.length - 1));
      return [line(name, sure, { color }), line(name, unsure, { color, dashed: true })];
    }),
  };
}

/** Up to the highest percentile that so many samples have. */
function percentileScale(count: number): Scale {
  return {
    ...logScale([1, count]),
    min: 1,
    max: count,
    ticks: [1, 2, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7],
  };
}

/** 10 is `90 %`, 1000 is `99.9 %`. */
function percentileTick(x: number): string {
  const percent = 100 * (1 - 1 / x);
  return `${Number(percent.toFixed(6))} %`;
}

/** The times of a distribution by 1/(1-q), up to its maximum. */
export function percentileCurve(distribution: Distribution): [number, number][] {
  const { count, max } = distribution;
  try {
    using histogram = LatencyHistogram.decode(distribution.histogram, distribution);
    const steps = Math.ceil(Math.log10(count) * POINTS_PER_DECADE);
    const curve = Array.from({ length: steps }, (_, step): [number, number] => {
      const x = 10 ** (step / POINTS_PER_DECADE);
      return [round(x), histogram.percentile(100 * (1 - 1 / x))];
    });
    return [...curve, [count, max]];
  } catch {
    return storedCurve(distribution);
  }
}

/** Where the histogram cannot be read: the percentiles beside it. */
function storedCurve(distribution: Distribution): [number, number][] {
  const { min, p50, p75, p90, p95, p99, p999, max, count } = distribution;
  const points: Point[] = [
    [1, min],
    [2, p50],
    [4, p75],
    [10, p90],
    [20, p95],
    [100, p99],
    [1000, p999],
    [count, max],
  ];
  return points.flatMap(([x, ns]) => ns === null ? [] : [[x, ns] as [number, number]]);
}

function round(x: number): number {
  return Number(x.toPrecision(6));
}
