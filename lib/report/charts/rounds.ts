/**
 * What each round measured, beside the value that the report gives for all of them and its interval.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Interval, ScenarioReport } from "../../schema.ts";
import { findScalar } from "../lookup.ts";
import { mainDistribution } from "../scenario_names.ts";
import { formatInterval, formatPercent, formatQuantity } from "../units.ts";
import { durationAxis, fittedScale, rateAxis } from "./axes.ts";
import type { ChartPlan, ChartTable } from "./chart.ts";
import { bands, dots, type Point, rules } from "./series.ts";
import { COLORS } from "./theme.ts";
import { capitalise, cut, metricText, slug, subtitleOf, titleOf } from "./words.ts";

/** With fewer rounds there is nothing to compare. */
const FEWEST_ROUNDS = 3;

interface Rounds {
  label: string;
  unit: "msg/s" | "ns";
  value: number;
  ci95: Interval | null;
  /** `null`: the round has none. */
  values: (number | null)[];
}

/** The chart of a scenario's throughput by round, or else of the median of its main times. */
export function roundsPlans(scenario: ScenarioReport): ChartPlan[] {
  const rounds = roundsOf(scenario);
  const known = rounds?.values.filter((value) => value !== null) ?? [];
  if (rounds === null || known.length < FEWEST_ROUNDS) return [];
  const { label, unit, value, ci95 } = rounds;
  const shown = formatQuantity(value, unit);
  const range = [Math.min(...known), Math.max(...known)] as const;
  const spread = range[0] > 0 ? range[1] / range[0] - 1 : null;
  const title = titleOf(
    scenario,
    `${label} ${shown}, rounds differ by ${formatPercent(spread)}`,
  );
  return [{
    name: `${slug(scenario.name)}-rounds`,
    scenario: scenario.name,
    title,
    alt: `${title}. ${known.length} rounds from ${formatQuantity(range[0], unit)} to ` +
      formatQuantity(range[1], unit),
    ...subtitleOf(
      scenario,
      `Dots: rounds; line: their result${
        ci95 === null ? "" : `; band: 95 % interval, ${formatInterval(ci95, unit)}`
      }`,
    ),
    legend: [],
    height: 300,
    table: roundsTable(rounds),
    option: roundsOption(rounds),
  }];
}

function roundsTable({ label, unit, values }: Rounds): ChartTable {
  return {
    axis: "x",
    heading: "Round",
    columns: [{ heading: label, color: COLORS.blue }],
    rows: values.map((value, index) => ({
      label: { text: String(index + 1), value: index + 1 },
      cells: [
        value === null ? null : { text: formatQuantity(value, unit), value, at: [index, value] },
      ],
    })),
  };
}

function roundsOption({ label, unit, value, ci95, values }: Rounds): EChartsOption {
  const known = values.filter((one) => one !== null);
  const axis = unit === "ns" ? durationAxis : rateAxis;
  return {
    grid: { left: 86, right: 112, top: 68, bottom: 54 },
    xAxis: { ...categoryAxis("Round"), data: values.map((_, index) => String(index + 1)) },
    yAxis: axis(fittedScale([...known, value, ...ci95 ?? []]), {
      name: cut(capitalise(label), 24),
    }),
    series: [{
      ...dots(label, values.map((one, index): Point => [index, one]), { color: COLORS.blue }),
      markLine: rules([{
        axis: "y",
        at: value,
        text: formatQuantity(value, unit),
        color: COLORS.orange,
      }]),
      ...(ci95 === null ? {} : { markArea: bands("yAxis", [ci95], COLORS.orange) }),
    }],
  };
}

function categoryAxis(name: string) {
  return {
    type: "category" as const,
    name,
    nameLocation: "middle" as const,
    nameGap: 32,
    nameTextStyle: { color: COLORS.muted, fontSize: 12 },
    axisLine: { lineStyle: { color: COLORS.grey } },
    axisTick: { alignWithLabel: true, lineStyle: { color: COLORS.grey } },
    axisLabel: { color: COLORS.text, fontSize: 12 },
  };
}

function roundsOf(scenario: ScenarioReport): Rounds | null {
  const throughput = findScalar(scenario, "throughput");
  // A rate that was asked for says nothing.
  const isPaced = typeof scenario.parameters.ratePerSecond === "number";
  if (throughput !== undefined && throughput.at === undefined && !isPaced) {
    const { value, ci95, rounds: values } = throughput;
    return { label: "throughput", unit: "msg/s", value, ci95, values };
  }
  const main = mainDistribution(scenario);
  if (main === undefined || main.at !== undefined || main.name.startsWith("layer.")) return null;
  const { name, p50: value, ci95: { p50: ci95 }, rounds } = main;
  return {
    label: `median ${metricText(name)}`,
    unit: "ns",
    value,
    ci95,
    values: rounds.map(({ p50 }) => p50),
  };
}
