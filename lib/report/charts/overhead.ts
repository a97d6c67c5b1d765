/**
 * The overhead waterfall: what each layer adds to a call, one on top of the other.
 *
 * @module
 */

import type { Distribution, Interval, ScenarioReport } from "../../contract.ts";
import { formatDuration, formatDurationTick } from "../units.ts";
import { linearScale, valueAxis } from "./axes.ts";
import { labelAxis } from "./labels.ts";
import type { ChartPlan } from "./chart.ts";
import { strokes } from "./series.ts";
import { COLORS } from "./theme.ts";
import { metricText, slug, subtitleOf, titleOf } from "./words.ts";

const LAYER = "layer.";
const FEWEST_LAYERS = 2;

/** A layer's own times, and how much of them it adds to those of the layer below. */
type Layer = Distribution & { added?: { value: number; ci95: Interval | null } };

interface Step {
  label: string;
  /** Where the layer below ends, in nanoseconds. */
  from: number;
  added: number;
  ci95: Interval | null;
}

/** The chart of a scenario that has measured layers. */
export function overheadPlans(scenario: ScenarioReport): ChartPlan[] {
  const layers = scenario.metrics.filter((metric): metric is Layer =>
    metric.kind === "distribution" && metric.name.startsWith(LAYER)
  );
  if (layers.length < FEWEST_LAYERS) return [];
  const steps = stack(layers);
  const most = steps.reduce((a, b) => b.added > a.added ? b : a);
  const total = steps.at(-1)!.from + steps.at(-1)!.added;
  const title = titleOf(
    scenario,
    `of ${formatDuration(total)} a call, ${most.label} adds most: ${formatDuration(most.added)}`,
  );
  const ends = steps.flatMap((
    { from, added, ci95 },
  ) => [from, from + added, from + (ci95?.[1] ?? 0)]);
  return [{
    name: `${slug(scenario.name)}-waterfall`,
    scenario: scenario.name,
    title,
    alt: `${title}. Added by each layer: ` +
      steps.map(({ label, added }) => `${label} ${formatDuration(added)}`).join(", "),
    subtitle: subtitleOf(
      scenario,
      "Each layer begins where the one above it ends; the strokes are 95 % intervals",
    ),
    legend: [],
    height: 132 + 36 * steps.length,
    option: {
      grid: { left: 150, right: 92, top: 68, bottom: 54 },
      xAxis: valueAxis(linearScale(ends), { name: "Time of a call", format: formatDurationTick }),
      yAxis: labelAxis(steps.map(({ label }) => label)),
      series: [
        {
          type: "bar",
          stack: "layers",
          silent: true,
          data: steps.map(({ from, added }) => Math.min(from, from + added)),
          itemStyle: { opacity: 0 },
        },
        {
          type: "bar",
          stack: "layers",
          silent: true,
          barWidth: 18,
          data: steps.map(({ added }) => ({
            value: Math.abs(added),
            itemStyle: { color: added < 0 ? COLORS.green : COLORS.blue },
            label: {
              show: true,
              position: "right",
              distance: 8,
              formatter: () => `${added < 0 ? "−" : "+"}${formatDuration(Math.abs(added))}`,
              color: COLORS.text,
              fontSize: 12,
            },
          })),
        },
        strokes(
          "interval",
          steps.flatMap(({ from, ci95 }, index) =>
            ci95 === null ? [] : [[[from + ci95[0], index], [from + ci95[1], index]] as const]
          ),
          { color: COLORS.orange },
        ),
      ],
    },
  }];
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
    };
    from += step.added;
    return step;
  });
}
