/**
 * The overhead waterfall: what each layer adds to a call, one on top of the other.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Distribution, Interval, ScenarioReport } from "../../schema.ts";
import { formatDuration, formatDurationTick, formatInterval } from "../units.ts";
import { linearScale, valueAxis } from "./axes.ts";
import { labelAxis } from "./labels.ts";
import type { ChartPlan, ChartTable } from "./chart.ts";
import { strokes } from "./series.ts";
import { COLORS } from "./theme.ts";
import { metricText, slug, subtitleOf, titleOf } from "./words.ts";

const LAYER = "layer.";
const FEWEST_LAYERS = 2;

/** A layer's own times, and how much of them it adds to those of the layer below. */
type Layer = Distribution & {
  added?: { value: number; ci95: Interval | null; measuredOn?: "target" | "bundled" };
};

interface Step {
  label: string;
  /** Where the layer below ends, in nanoseconds. */
  from: number;
  added: number;
  ci95: Interval | null;
  /** On parts that the suite brings along, as the server does not show this layer. */
  isBundled: boolean;
}

/** The chart of a scenario that has measured layers. */
export function overheadPlans(scenario: ScenarioReport): ChartPlan[] {
  const layers = scenario.metrics.filter((metric): metric is Layer =>
    metric.kind === "distribution" && metric.name.startsWith(LAYER)
  );
  if (layers.length < FEWEST_LAYERS) return [];
  const steps = stack(layers);
  const most = steps.reduce((a, b) => b.added > a.added ? b : a);
  const total = layers.at(-1)!.p50;
  const title = titleOf(
    scenario,
    `of ${formatDuration(total)} a call, ${most.label} adds most: ${formatDuration(most.added)}`,
  );
  return [{
    name: `${slug(scenario.name)}-waterfall`,
    scenario: scenario.name,
    title,
    alt: `${title}. Added by each layer: ` +
      steps.map(({ label, added }) => `${label} ${formatDuration(added)}`).join(", "),
    ...subtitleOf(
      scenario,
      "Each layer begins where the one before it ends" +
        (steps.some(({ isBundled }) => isBundled) ? "; grey: on the suite's own parts" : "") +
        (steps.some(({ ci95 }) => ci95 !== null) ? "; strokes: 95 % intervals" : ""),
    ),
    legend: [],
    height: 132 + 36 * steps.length,
    table: waterfallTable(steps),
    option: waterfallOption(steps),
  }];
}

function waterfallTable(steps: readonly Step[]): ChartTable {
  return {
    axis: "y",
    heading: "Layer",
    columns: [{ heading: "adds", color: COLORS.blue }, { heading: "95 % interval", color: null }],
    rows: steps.map(({ label, from, added, ci95 }, index) => ({
      label,
      cells: [
        { text: formatDuration(added), value: added, at: [from + added, index] },
        ci95 === null ? null : formatInterval(ci95, "ns"),
      ],
    })),
  };
}

function waterfallOption(steps: readonly Step[]): EChartsOption {
  const ends = steps.flatMap((
    { from, added, ci95 },
  ) => [from, from + added, from + (ci95?.[1] ?? 0)]);
  const common = { type: "bar", stack: "layers", silent: true } as const;
  const intervals = steps.flatMap(({ from, ci95 }, index) =>
    ci95 === null ? [] : [[[from + ci95[0], index], [from + ci95[1], index]] as const]
  );
  return {
    grid: { left: 150, right: 92, top: 68, bottom: 54 },
    xAxis: valueAxis(linearScale(ends), { name: "Time of a call", format: formatDurationTick }),
    yAxis: labelAxis(steps.map(({ label }) => label)),
    series: [
      {
        ...common,
        data: steps.map(({ from, added }) => Math.min(from, from + added)),
        itemStyle: { color: COLORS.background, opacity: 0 },
      },
      { ...common, barWidth: 18, data: steps.map(bar) },
      strokes("interval", intervals, { color: COLORS.orange }),
      {
        type: "scatter",
        silent: true,
        symbolSize: 0,
        itemStyle: { color: COLORS.text, opacity: 1 },
        data: steps.map(partLabel),
      },
    ],
  };
}

function bar({ added, isBundled }: Step) {
  return {
    value: Math.abs(added),
    itemStyle: { color: added < 0 ? COLORS.green : isBundled ? COLORS.grey : COLORS.blue },
  };
}

/** Nothing but the words, right of the bar and of its interval. */
function partLabel({ from, added, ci95 }: Step, index: number) {
  return {
    value: [from + Math.max(0, added, ci95?.[1] ?? 0), index],
    label: {
      show: true,
      position: "right" as const,
      distance: 8,
      formatter: () => `${added < 0 ? "−" : "+"}${formatDuration(Math.abs(added))}`,
      color: COLORS.text,
      fontSize: 12,
    },
  };
}

/** The layers on top of each other; one that adds nothing of its own is the lowest. */
function stack(layers: readonly Layer[]): Step[] {
  let from = 0;
  return layers.map(({ name, p50, added }) => {
    const step = {
      label: metricText(name.slice(LAYER.length)),
      from,
      added: added?.value ?? p50 - from,
      ci95: added?.ci95 ?? null,
      isBundled: added?.measuredOn === "bundled",
    };
    from += step.added;
    return step;
  });
}
