/**
 * Rate against latency, as a search for the highest sustainable rate saw them.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Distribution, ScenarioReport } from "../../schema.ts";
import { findScalar } from "../lookup.ts";
import { formatCountTick, formatDuration, formatRate } from "../units.ts";
import { durationAxis, logScale, valueAxis } from "./axes.ts";
import type { ChartCell, ChartPlan, ChartTable } from "./chart.ts";
import { percentileCurve } from "./latency_distribution.ts";
import { dots, type Point, type Rule, rules } from "./series.ts";
import { COLORS } from "./theme.ts";
import { slug, subtitleOf, titleOf } from "./words.ts";

interface RateStep {
  rate: number;
  p50: number;
  p99: number;
  /** Whether the P99 rests on samples enough. */
  isSure: boolean;
}

const MEDIAN = "median";
const P99 = "P99";
const FEW = "P99 of under 1,000 samples";

/** What a search found; all of it `null` where it is not known. */
interface Found {
  /** Calls a second. */
  found: number | null;
  knee: number | null;
  /** The P99 that must be met, in nanoseconds. */
  sloNs: number | null;
}

/** The chart of a search; none where no rate was tried. */
export function saturationPlans(scenario: ScenarioReport): ChartPlan[] {
  const steps = rateSteps(scenario);
  if (steps.length === 0) return [];
  const { sloMs } = scenario.parameters;
  const found: Found = {
    found: findScalar(scenario, "sustainableRate")?.value ?? null,
    knee: findScalar(scenario, "knee")?.value ?? null,
    sloNs: typeof sloMs === "number" ? sloMs * 1e6 : null,
  };
  const title = titleOf(scenario, foundText(found));
  return [{
    name: `${slug(scenario.name)}-rate-latency`,
    scenario: scenario.name,
    title,
    alt: `${title}. Median and P99 latency at ${steps.length} rates from ` +
      `${formatRate(steps[0]!.rate)} to ${formatRate(steps.at(-1)!.rate)}` +
      (found.knee === null ? "" : `; the knee is at ${formatRate(found.knee)}`),
    ...subtitleOf(
      scenario,
      `${steps.length} rates tried; latency counts from the intended time of sending`,
    ),
    legend: [
      MEDIAN,
      ...steps.some(({ isSure }) => isSure) ? [P99] : [],
      ...steps.every(({ isSure }) => isSure) ? [] : [FEW],
    ],
    height: 420,
    table: ratesTable(steps),
    option: ratesOption(steps, found),
  }];
}

function ratesTable(steps: readonly RateStep[]): ChartTable {
  const cell = (rate: number, ns: number): ChartCell => ({
    text: formatDuration(ns),
    value: ns,
    at: [rate, ns],
  });
  return {
    axis: "x",
    heading: "Rate of calls",
    columns: [
      { heading: MEDIAN, color: COLORS.blue },
      { heading: P99, color: COLORS.purple },
      { heading: FEW, color: COLORS.purple },
    ],
    rows: steps.map(({ rate, p50, p99, isSure }) => ({
      label: { text: formatRate(rate), value: rate },
      cells: [cell(rate, p50), isSure ? cell(rate, p99) : null, isSure ? null : cell(rate, p99)],
    })),
  };
}

function foundText({ found, sloNs }: Found): string {
  const objective = sloNs === null ? "the objective" : `a P99 of ${formatDuration(sloNs)}`;
  return found === null
    ? `no rate met ${objective}`
    : `${formatRate(found)} is the highest rate that meets ${objective}`;
}

function ratesOption(steps: readonly RateStep[], found: Found): EChartsOption {
  const times = [...steps.flatMap(({ p50, p99 }) => [p50, p99]), found.sloNs ?? NaN];
  const p99 = (isSure: boolean) =>
    steps.filter((step) => step.isSure === isSure).map(({ rate, p99 }): Point => [rate, p99]);
  return {
    grid: { left: 86, right: 130, top: 106, bottom: 54 },
    xAxis: valueAxis(logScale(steps.map(({ rate }) => rate)), {
      name: "Rate of calls (msg/s)",
      format: formatCountTick,
    }),
    yAxis: durationAxis(logScale(times), { name: "Latency" }),
    series: [
      {
        ...dots(MEDIAN, steps.map(({ rate, p50 }): Point => [rate, p50]), { color: COLORS.blue }),
        symbolSize: 6,
        markLine: rules(searchRules(found)),
      },
      dots(P99, p99(true), { color: COLORS.purple }),
      dots(FEW, p99(false), { color: COLORS.purple, hollow: true }),
    ],
  };
}

/** The objective, what was found, and the knee where it lies elsewhere. */
function searchRules({ found, knee, sloNs }: Found): Rule[] {
  const objective = sloNs === null ? [] : [
    {
      axis: "y",
      at: sloNs,
      text: `objective ${formatDuration(sloNs)}`,
      color: COLORS.red,
      position: "insideStartTop",
    } as const,
  ];
  if (found === null) return objective;
  const isKneeAbove = knee !== null && knee > found;
  return [
    ...objective,
    {
      axis: "x",
      at: found,
      text: knee === found ? "sustainable, knee" : "sustainable",
      color: COLORS.green,
      side: isKneeAbove ? "left" : "right",
    },
    ...(knee === null || knee === found ? [] : [
      {
        axis: "x",
        at: knee,
        text: "knee",
        color: COLORS.orange,
        side: isKneeAbove ? "right" : "left",
      } as const,
    ]),
  ];
}

/** What was seen at each rate, in rising order. */
function rateSteps({ metrics }: ScenarioReport): RateStep[] {
  return metrics
    .filter((metric): metric is Distribution =>
      metric.kind === "distribution" && metric.at?.ratePerSecond !== undefined
    )
    .map((metric) => ({
      rate: metric.at!.ratePerSecond!,
      p50: metric.p50,
      p99: metric.p99 ?? pooledP99(metric),
      isSure: metric.p99 !== null,
    }))
    .sort((a, b) => a.rate - b.rate);
}

/** The P99 by nearest rank, however few the samples: what the search itself goes by. */
function pooledP99(distribution: Distribution): number {
  return percentileCurve(distribution).find(([x]) => x >= 100)?.[1] ?? distribution.max;
}
