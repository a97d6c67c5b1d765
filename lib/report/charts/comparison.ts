/**
 * Old against new: each row of a comparison with its interval, the better side always on the right.
 *
 * @module
 */

import type { Change, ComparisonRow, Interval, Report } from "../../contract.ts";
import { formatNumber } from "../units.ts";
import { fittedScale, valueAxis } from "./axes.ts";
import type { ChartPlan } from "./chart.ts";
import { labelAxis } from "./labels.ts";
import { bands, dots, rules, strokes } from "./series.ts";
import { COLORS } from "./theme.ts";
import { cut } from "./words.ts";

/** More rows would not fit a page. */
const MOST_ROWS = 24;
const ROW_HEIGHT = 30;

/** What each verdict is called, and its colour, in the order of the legend. */
const VERDICTS: readonly { verdict: Change | null; name: string; color: string }[] = [
  { verdict: "faster", name: "faster", color: COLORS.green },
  { verdict: "slower", name: "slower", color: COLORS.red },
  { verdict: "~", name: "no difference that counts", color: COLORS.grey },
  { verdict: "too few rounds", name: "too few rounds to tell", color: COLORS.orange },
  { verdict: null, name: "not gating", color: COLORS.blue },
];

/** The chart of a report that was held against another. */
export function comparisonPlans({ comparison }: Report): ChartPlan[] {
  if (comparison === undefined || comparison.rows.length === 0) return [];
  const rows = comparison.rows.slice(0, MOST_ROWS);
  const { noisePercent } = comparison;
  const count = (verdict: Change) =>
    comparison.rows.filter((row) => row.verdict === verdict).length;
  const title = `Against the baseline: ${count("slower")} slower, ${count("faster")} faster, of ` +
    `${comparison.rows.length} rows`;
  const noise = 1 + noisePercent / 100;
  const gains = rows.map(gainOf);
  const left = comparison.rows.length - rows.length;
  const used = VERDICTS.filter(({ verdict }) => rows.some((row) => row.verdict === verdict));
  return [{
    name: "comparison",
    scenario: null,
    title,
    alt: `${title}. How many times as good as before: ` +
      rows.map((row, index) => `${labelOf(row)} ${gainText(gains[index]!.gain)}`).join(", "),
    subtitle:
      `New over old with 95 % intervals; right is better; within the band (±${noisePercent} %) ` +
      `nothing counts${left === 0 ? "" : `; ${left} more rows in the table`}`,
    isSound: true,
    legend: used.map(({ name }) => name),
    height: 150 + ROW_HEIGHT * rows.length,
    option: {
      grid: { left: 250, right: 34, top: 88, bottom: 54 },
      xAxis: valueAxis(
        fittedScale([1, ...gains.flatMap(({ gain, ci95 }) => [gain, ...ci95 ?? []])]),
        { name: "Worse  ←  how many times as good as the baseline  →  better", format: gainText },
      ),
      yAxis: {
        ...labelAxis(rows.map(labelOf)),
        splitLine: { show: true, lineStyle: { color: COLORS.grid } },
      },
      series: used.flatMap(({ verdict, name, color }, nth) => {
        const own = gains.flatMap((gain, index) =>
          rows[index]!.verdict === verdict ? [{ ...gain, index }] : []
        );
        return [
          strokes(
            name,
            own.flatMap(({ ci95, index }) =>
              ci95 === null ? [] : [[[ci95[0], index], [ci95[1], index]] as const]
            ),
            { color },
          ),
          {
            ...dots(name, own.map(({ gain, index }) => [gain, index]), { color }),
            ...(nth > 0 ? {} : {
              markLine: rules([{ axis: "x", at: 1, text: "", color: COLORS.muted }]),
              markArea: bands("xAxis", [[1 / noise, noise]], COLORS.grey),
            }),
          },
        ];
      }),
    },
  }];
}

/** How many times as good: over 1 where the new one is better, whichever way that is. */
function gainOf({ ratio, ci95, better }: ComparisonRow): { gain: number; ci95: Interval | null } {
  if (better === "higher") return { gain: ratio, ci95 };
  return { gain: 1 / ratio, ci95: ci95 === null ? null : [1 / ci95[1], 1 / ci95[0]] };
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
