/**
 * Throughput and latency by the one thing that a scenario varies, such as calls in flight or
 * connections, with the curve of the Universal Scalability Law where the scenario has fitted one.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Distribution, Scalar, ScenarioReport } from "../../schema.ts";
import { type ScalingLaw, throughputAt } from "../../stats/scaling.ts";
import { findScalar } from "../lookup.ts";
import {
  formatBytes,
  formatCount,
  formatCountTick,
  formatDuration,
  formatQuantity,
  formatRate,
} from "../units.ts";
import { durationAxis, linearScale, logScale, valueAxis, wideScale } from "./axes.ts";
import type { ChartCell, ChartPlan, ChartTable } from "./chart.ts";
import { line, markedLine, type Point, strokes } from "./series.ts";
import { COLORS } from "./theme.ts";
import { capitalise, cut, metricText, slug, subtitleOf, titleOf } from "./words.ts";

const FEWEST_STEPS = 2;
const CURVE_POINTS = 60;
const MEASURED = "throughput with 95 % interval";
const MEDIAN = "median latency";
const P99 = "P99 latency";
const FITTED = "Universal Scalability Law";

/** What is varied, in words. */
const SWEPT = new Map<string, Swept>([
  ["connections", { label: "connections", format: formatCount }],
  ["inFlight", { label: "calls in flight", format: formatCount }],
  ["payloadBytes", { label: "of payload", format: formatBytes }],
]);

interface Swept {
  /** Follows the number. */
  label: string;
  format: (at: number) => string;
}

interface Sweep extends Swept {
  /** Of the throughput: calls or bytes a second. */
  unit: string;
  throughputs: { at: number; metric: Scalar }[];
  latencies: { at: number; metric: Distribution }[];
}

/** The chart of a sweep; none where a scenario has no two steps of one. */
export function sweepPlans(scenario: ScenarioReport): ChartPlan[] {
  const sweep = sweepOf(scenario);
  if (sweep === null) return [];
  const { throughputs, latencies, label, format, unit } = sweep;
  const best = throughputs.reduce((a, b) => b.metric.value > a.metric.value ? b : a);
  const law = lawOf(scenario);
  const title = titleOf(
    scenario,
    `most throughput with ${format(best.at)} ${label}: ${quantity(best.metric.value, unit)}`,
  );
  const steps = `${formatCount(throughputs.length)} steps`;
  return [{
    name: `${slug(scenario.name)}-sweep`,
    scenario: scenario.name,
    title,
    alt: `${title}. Throughput by ${label.replace(/^of /, "")}: ` +
      throughputs.map(({ at, metric }) => `${format(at)}: ${quantity(metric.value, unit)}`)
        .join(", "),
    ...subtitleOf(scenario, law === null ? steps : `${steps}; ${lawText(law)}`),
    legend: [
      MEASURED,
      ...law === null ? [] : [FITTED],
      ...latencies.length === 0 ? [] : [MEDIAN],
      ...latencies.some(({ metric }) => metric.p99 !== null) ? [P99] : [],
    ],
    height: 600,
    table: sweepTable(sweep),
    option: sweepOption(sweep, law),
  }];
}

function sweepTable({ throughputs, latencies, unit, label, format }: Sweep): ChartTable {
  const time = (at: number, ns: number | null | undefined): ChartCell | null =>
    ns === null || ns === undefined
      ? null
      : { text: formatDuration(ns), value: ns, at: [at, ns], grid: 1 };
  return {
    axis: "x",
    heading: capitalise(label.replace(/^of /, "")),
    columns: [
      { heading: "throughput", color: COLORS.blue },
      { heading: "95 % interval", color: null },
      { heading: MEDIAN, color: COLORS.teal },
      { heading: P99, color: COLORS.purple },
    ],
    rows: throughputs.map(({ at, metric: { value, ci95 } }) => {
      const latency = latencies.find((step) => step.at === at)?.metric;
      return {
        label: { text: format(at), value: at },
        cells: [
          { text: quantity(value, unit), value, at: [at, value] },
          ci95 === null ? null : ci95.map((bound) => quantity(bound, unit)).join(" to "),
          time(at, latency?.p50),
          time(at, latency?.p99),
        ],
      };
    }),
  };
}

/** Throughput above, latency below, by the same steps. */
function sweepOption(
  { throughputs, latencies, ...swept }: Sweep,
  law: ScalingLaw | null,
): EChartsOption {
  const steps = throughputs.map(({ at }) => at);
  const curve = law === null ? [] : lawCurve(law, steps);
  const rates = throughputs.flatMap(({ metric: { value, ci95 } }) => [value, ci95?.[1] ?? value]);
  const times = latencies.flatMap(({ metric: { p50, p99 } }) => [p50, p99 ?? p50]);
  const box = { left: 86, right: 40, height: 200 };
  return {
    grid: [{ ...box, top: 96 }, { ...box, top: 336 }],
    xAxis: [0, 1].map((gridIndex) => stepAxis(steps, { ...swept, gridIndex })),
    yAxis: [
      valueAxis(linearScale([...rates, ...curve.map(([, rate]) => rate)]), {
        name: `Throughput (${cut(swept.unit, 12)})`,
        format: formatCountTick,
        nameGap: 58,
      }),
      durationAxis(wideScale(times), { name: "Latency", gridIndex: 1 }),
    ],
    series: [
      line(FITTED, curve, { color: COLORS.orange, dashed: true }),
      markedLine(MEASURED, throughputs.map(({ at, metric }): Point => [at, metric.value]), {
        color: COLORS.blue,
      }),
      strokes(
        "interval",
        throughputs.flatMap(({ at, metric: { ci95 } }) =>
          ci95 === null ? [] : [[[at, ci95[0]], [at, ci95[1]]] as const]
        ),
        { color: COLORS.blue },
      ),
      markedLine(MEDIAN, latencies.map(({ at, metric }): Point => [at, metric.p50]), {
        color: COLORS.teal,
        grid: 1,
      }),
      markedLine(P99, latencies.map(({ at, metric }): Point => [at, metric.p99]), {
        color: COLORS.purple,
        grid: 1,
      }),
    ],
  };
}

/** The axis of the steps: a mark at each, equally far apart if each is twice the one before. */
function stepAxis(
  steps: readonly number[],
  { label, format, gridIndex }: Swept & { gridIndex: number },
) {
  const ticks = [...new Set(steps)];
  const scale = { ...logScale(steps), min: Math.min(...steps), max: Math.max(...steps), ticks };
  const axis = valueAxis(scale, {
    name: capitalise(label.replace(/^of /, "")),
    format,
    gridIndex,
    nameGap: 30,
  });
  return gridIndex === 0 ? { ...axis, name: "" } : axis;
}

function sweepOf({ metrics }: ScenarioReport): Sweep | null {
  const steps = metrics.filter(({ at }) => at !== undefined && Object.keys(at).length === 1);
  const key = steps[0] === undefined ? undefined : Object.keys(steps[0].at!)[0];
  if (key === undefined || key === "ratePerSecond") return null;
  const found = steps.flatMap((metric) => {
    const at = metric.at?.[key];
    return at !== undefined && at > 0 ? [{ at, metric }] : [];
  }).sort((a, b) => a.at - b.at);
  const throughputs = found.filter((step): step is { at: number; metric: Scalar } =>
    step.metric.kind === "scalar" && step.metric.name.startsWith("throughput@")
  );
  const latencies = found.filter((step): step is { at: number; metric: Distribution } =>
    step.metric.kind === "distribution" && step.metric.name.startsWith("latency@")
  );
  if (throughputs.length < FEWEST_STEPS) return null;
  const swept = SWEPT.get(key) ?? { label: metricText(key), format: formatCount };
  return { ...swept, unit: throughputs[0]!.metric.unit, throughputs, latencies };
}

function quantity(value: number, unit: string): string {
  return unit === "bytes/s" ? `${formatBytes(value)}/s` : formatQuantity(value, unit);
}

function lawOf(scenario: ScenarioReport): ScalingLaw | null {
  const [singleRatePerSecond, contention, coherency] = ["singleRate", "contention", "coherency"]
    .map((name) => findScalar(scenario, name)?.value);
  return singleRatePerSecond === undefined || contention === undefined || coherency === undefined
    ? null
    : { singleRatePerSecond, contention, coherency };
}

function lawText({ singleRatePerSecond, contention, coherency }: ScalingLaw): string {
  return `fitted: λ ${formatRate(singleRatePerSecond)}, σ ${contention.toPrecision(2)}, κ ${
    coherency.toPrecision(2)
  }`;
}

/** The law between the lowest and the highest step, evenly spread on a logarithmic axis. */
function lawCurve(law: ScalingLaw, steps: readonly number[]): [number, number][] {
  const [low, high] = [Math.min(...steps), Math.max(...steps)];
  return Array.from({ length: CURVE_POINTS + 1 }, (_, index) => {
    const n = low * (high / low) ** (index / CURVE_POINTS);
    return [n, throughputAt(law, n)];
  });
}
