/**
 * Old against new: each row of a comparison with its interval, the better side always on the right.
 *
 * @module
 */

import type { EChartsOption } from "echarts";
import type { Change, ComparisonRow, Interval, Report } from "../../schema.ts";
import { formatNumber } from "../units.ts";
import { fittedScale, logScale, type Scale, valueAxis } from "./axes.ts";
import type { ChartPlan, ChartTable } from "./chart.ts";
import { labelAxis } from "./labels.ts";
import { bands, dots, type Point, rules, strokes } from "./series.ts";
import { COLORS } from "./theme.ts";
import { cut } from "./words.ts";

/** More rows would not fit a page. */
const MOST_ROWS = 24;
const ROW_HEIGHT = 30;
/** From this ratio of highest to lowest on, the axis is logarithmic. */
const WIDE = 2.5;

/** What each verdict is called, and its colour, in the order of the legend. */
const VERDICTS: readonly { verdict: Change | null; name: string; color: string }[] = [
  { verdict: "faster", name: "faster", color: COLORS.green },
  { verdict: "slower", name: "slower", color: COLORS.red },
  { verdict: "~", name: "no difference that counts", color: COLORS.grey },
  { verdict: "too few rounds", name: "too few rounds to tell", color: COLORS.orange },
  { verdict: null, name: "not gating", color: COLORS.blue },
];

/** A row, by how many times it is as good as it was. */
interface Gain {
  row: ComparisonRow;
  gain: number;
  ci95: Interval | null;
}

/** The chart of a report that was held against another. */
export function comparisonPlans({ comparison }: Report): ChartPlan[] {
  if (comparison === undefined || comparison.rows.length === 0) return [];
  const { noisePercent, rows } = comparison;
  const gains = rows.slice(0, MOST_ROWS).map(gainOf);
  const left = rows.length - gains.length;
  const count = (verdict: Change) => rows.filter((row) => row.verdict === verdict).length;
  const title = `Against the baseline: ${count("slower")} slower, ${count("faster")} faster, of ` +
    `${rows.length} rows`;
  return [{
    name: "comparison",
    scenario: null,
    title,
    alt: `${title}. How many times as good as before: ` +
      gains.map(({ row, gain }) => `${labelOf(row)} ${gainText(gain)}`).join(", "),
    subtitle: "New over old with 95 % intervals; right is better; in the band " +
      `(±${noisePercent} %) nothing counts${left === 0 ? "" : `; ${left} more rows in the table`}`,
    isSound: true,
    legend: verdictsOf(gains).map(({ name }) => name),
    height: 150 + ROW_HEIGHT * gains.length,
    table: gainsTable(gains),
    option: gainsOption(gains, 1 + noisePercent / 100),
  }];
}

function gainsTable(gains: readonly Gain[]): ChartTable {
  return {
    axis: "y",
    heading: "Metric",
    columns: [
      { heading: "times as good", color: COLORS.blue },
      { heading: "95 % interval", color: null },
      { heading: "verdict", color: null },
    ],
    rows: gains.map(({ row, gain, ci95 }, index) => ({
      label: labelOf(row),
      cells: [
        { text: gainText(gain), value: gain, at: [gain, index] },
        ci95 === null ? null : ci95.map(gainText).join(" to "),
        VERDICTS.find(({ verdict }) => verdict === row.verdict)!.name,
      ],
    })),
  };
}

/** The verdicts that there are, in the order of the legend. */
function verdictsOf(gains: readonly Gain[]) {
  return VERDICTS.filter(({ verdict }) => gains.some(({ row }) => row.verdict === verdict));
}

/** `noise` is the ratio up to which nothing counts. */
function gainsOption(gains: readonly Gain[], noise: number): EChartsOption {
  const around = {
    markLine: rules([{ axis: "x", at: 1, text: "", color: COLORS.muted }]),
    markArea: bands("xAxis", [[1 / noise, noise]], COLORS.grey),
  };
  return {
    grid: { left: 250, right: 34, top: 88, bottom: 54 },
    xAxis: valueAxis(gainScale(gains), {
      name: "Worse  ←  how many times as good as the baseline  →  better",
      format: gainText,
    }),
    yAxis: {
      ...labelAxis(gains.map(({ row }) => labelOf(row))),
      splitLine: { show: true, lineStyle: { color: COLORS.grid } },
    },
    series: verdictsOf(gains).flatMap(({ verdict, name, color }, nth) => {
      const own = gains.map((gain, index) => ({ ...gain, index }))
        .filter(({ row }) => row.verdict === verdict);
      const intervals = own.flatMap(({ ci95, index }) =>
        ci95 === null ? [] : [[[ci95[0], index], [ci95[1], index]] as const]
      );
      return [
        strokes(name, intervals, { color }),
        {
          ...dots(name, own.map(({ gain, index }): Point => [gain, index]), { color }),
          ...(nth === 0 ? around : {}),
        },
      ];
    }),
  };
}

/** Twice and half as good are equally far from 1, where there is such a difference at all. */
function gainScale(gains: readonly Gain[]): Scale {
  const all = [1, ...gains.flatMap(({ gain, ci95 }) => [gain, ...ci95 ?? []])];
  return Math.max(...all) / Math.min(...all) >= WIDE ? logScale(all) : fittedScale(all);
}

/** How many times as good: over 1 where the new one is better, whichever way that is. */
function gainOf(row: ComparisonRow): Gain {
  const { ratio, ci95, better } = row;
  if (better === "higher") return { row, gain: ratio, ci95 };
  return { row, gain: 1 / ratio, ci95: ci95 === null ? null : [1 / ci95[1], 1 / ci95[0]] };
}

function gainText(gain: number): string {
  return `${formatNumber(gain)}x`;
}

function labelOf({ scenario, metric, statistic }: ComparisonRow): string {
  return cut(
    `${cut(scenario, 24)} ${cut(metric, 14)}${statistic === "value" ? "" : ` ${statistic}`}`,
    40,
  );
}
