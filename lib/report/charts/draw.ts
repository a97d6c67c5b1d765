/**
 * Draws a plan. The only module that loads the drawing library, all of it in one file that asks the
 * environment nothing.
 *
 * @module
 */

// @ts-types="echarts"
import { type ECharts, init, setPlatformAPI } from "echarts/dist/echarts.esm.min";
import type { Chart, ChartPlan, ChartTable } from "./chart.ts";
import { cleanSvg } from "./svg.ts";
import { textWidth } from "./text_width.ts";
import { CHART_WIDTH, COLORS } from "./theme.ts";

// How wide text will be depends on a reader's fonts: leave room for wide ones.
setPlatformAPI({ measureText: (text, font) => ({ width: textWidth(text, font) }) as never });

/** Where the legend begins, under title and subtitle. */
const LEGEND_TOP = 56;
const MARGIN = 16;

/** The picture of a plan; the same plan gives the same bytes. */
export function drawChart(plan: ChartPlan): Chart {
  const { name, scenario, title, alt, height } = plan;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: CHART_WIDTH, height });
  try {
    chart.setOption({ ...frame(plan), ...plan.option, animation: false });
    const svg = cleanSvg(chart.renderToSVGString(), { name, alt });
    return { name, scenario, title, alt, svg, table: placed(plan.table, chart) };
  } finally {
    // One that is kept is never freed.
    chart.dispose();
  }
}

/** The table with places in pixels, to a tenth. */
function placed(table: ChartTable, chart: ECharts): ChartTable {
  const pixels = (grid: number, at: readonly [number, number]) => {
    const [x, y] = chart.convertToPixel({ gridIndex: grid }, [...at]);
    return [Math.round(x * 10) / 10, Math.round(y * 10) / 10] as const;
  };
  const rows = table.rows.map(({ label, cells }) => ({
    label,
    cells: cells.map((cell) =>
      cell === null || typeof cell === "string"
        ? cell
        : { ...cell, at: pixels(cell.grid ?? 0, cell.at) }
    ),
  }));
  return { ...table, rows };
}

/** Title, subtitle and legend. */
function frame({ title, subtitle, isSound, legend }: ChartPlan) {
  return {
    title: {
      text: title,
      subtext: subtitle,
      left: MARGIN,
      top: 10,
      padding: 0,
      itemGap: 6,
      textStyle: { color: COLORS.text, fontSize: 15, fontWeight: 600 },
      subtextStyle: { color: isSound ? COLORS.muted : COLORS.red, fontSize: 12 },
    },
    legend: {
      show: legend.length > 0,
      data: legend,
      left: MARGIN,
      top: LEGEND_TOP,
      padding: 0,
      itemGap: 18,
      itemWidth: 22,
      itemHeight: 10,
      textStyle: { color: COLORS.text, fontSize: 12 },
      selectedMode: false,
    },
  } as const;
}
