/**
 * The testing pyramid: how many calls a second at each level, from one without a socket up.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Report } from "../../schema.ts";
import {
  concurrentClients,
  concurrentThroughput,
  singleThroughput,
  slowdown,
  slowerOrFaster,
} from "../key_numbers.ts";
import { findScenario } from "../lookup.ts";
import { formatCompactRate, formatCount, formatCountTick, formatRate } from "../units.ts";
import { logScale, valueAxis } from "./axes.ts";
import type { ChartPlan, ChartTable } from "./chart.ts";
import { labelAxis } from "./labels.ts";
import { COLORS } from "./theme.ts";
import { cut } from "./words.ts";

/** The scenarios whose throughput is shown. */
const MEASURED_IN = ["message-throughput", "concurrent-connections"];

interface Level {
  label: string;
  rate: number;
  text: string;
  color: string;
}

/** The chart of a run that has a baseline and something to hold against it. */
export function pyramidPlans(report: Report): ChartPlan[] {
  const levels = levelsOf(report);
  const single = singleThroughput(report);
  const ratio = slowdown(report, single ?? concurrentThroughput(report));
  if (levels.length < 2 || ratio === null) return [];
  const title = `A call through a real WebSocket is ${slowerOrFaster(ratio)} than without one`;
  const isSound = isSoundRun(report);
  return [{
    name: "testing-pyramid",
    scenario: null,
    title,
    alt: `${title}. ` +
      levels.map(({ label, rate }) => `${label.replace("\n", " ")}: ${formatRate(rate)}`).join(
        "; ",
      ),
    subtitle: `${isSound ? "" : "OF SCENARIOS THAT FAILED OR ARE NOT VALID · "}Calls of ${
      cut(report.target.tool)
    } a second, on an axis of powers of ten`,
    isSound,
    legend: [],
    height: 300,
    table: levelsTable(levels),
    option: levelsOption(levels),
  }];
}

function levelsTable(levels: readonly Level[]): ChartTable {
  return {
    axis: "y",
    heading: "Level",
    columns: [{ heading: "throughput", color: COLORS.blue }],
    rows: levels.map(({ label, rate }, index) => ({
      label: label.replace("\n", " "),
      cells: [{ text: formatRate(rate), value: rate, at: [rate, index] }],
    })),
  };
}

/** Whether the scenarios that are shown passed, and were not bounded by the client. */
function isSoundRun(report: Report): boolean {
  return MEASURED_IN.map((name) => findScenario(report, name)).every((scenario) =>
    scenario === undefined || (scenario.status === "passed" && scenario.validity.valid)
  );
}

function levelsOption(levels: readonly Level[]): EChartsOption {
  // The shortest bar begins left of its own value, as the axis has no 0.
  const { min } = logScale(levels.map(({ rate }) => rate / 3));
  const { max } = logScale(levels.map(({ rate }) => rate));
  return {
    grid: { left: 172, right: 150, top: 68, bottom: 54 },
    xAxis: valueAxis({ isLog: true, min, max, ticks: logScale([min, max]).ticks }, {
      name: "Throughput (msg/s)",
      format: formatCountTick,
    }),
    yAxis: labelAxis(levels.map(({ label }) => label)),
    series: [{
      type: "bar",
      silent: true,
      barWidth: 30,
      data: levels.map(({ rate, color, text }) => ({
        value: rate,
        itemStyle: { color },
        label: {
          show: true,
          position: "right",
          distance: 8,
          formatter: () => text,
          color: COLORS.text,
          fontSize: 12,
          lineHeight: 15,
        },
      })),
    }],
  };
}

/** From the narrowest level down to the base. */
function levelsOf(report: Report): Level[] {
  const { unitBaseline } = report;
  const clients = concurrentClients(report);
  const level = (label: string, rate: number | null, color: string): Level[] => {
    const ratio = slowdown(report, rate);
    return rate === null || rate <= 0 ? [] : [{
      label,
      rate,
      text: formatRate(rate) + (ratio === null ? "" : `\n${slowerOrFaster(ratio)}`),
      color,
    }];
  };
  return [
    ...level(
      `WebSocket,\n${
        clients === null ? "several clients" : `${formatCount(clients)} clients at once`
      }`,
      concurrentThroughput(report),
      COLORS.teal,
    ),
    ...level("WebSocket,\none call at a time", singleThroughput(report), COLORS.blue),
    ...(unitBaseline === null || unitBaseline.throughput <= 0 ? [] : [{
      label: "Unit test,\nno socket",
      rate: unitBaseline.throughput,
      text: formatCompactRate(unitBaseline.throughput),
      color: COLORS.grey,
    }]),
  ];
}
