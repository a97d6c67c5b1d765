/**
 * Draws a plan with echarts, from its bundle, which reads no environment variables. No other module
 * loads echarts.
 *
 * @module
 */

// @ts-types="echarts"
import { init, setPlatformAPI } from "echarts/dist/echarts.esm.min";
import type { Figure } from "../document.ts";
import { escapeHtml } from "../escape.ts";
import { axisOption } from "./axes.ts";
import type { FigurePlan, Panel } from "./plan.ts";
import { CHART_STYLE, CHART_WIDTH, COLORS, figureSignature, FONT_SIZE } from "./theme.ts";

const FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

// The width of text depends on the reader's fonts: leave room for wide ones.
setPlatformAPI({ measureText: (text, font) => ({ width: textWidth(text, font) }) as never });

const WORDS = { color: COLORS.text, fontSize: FONT_SIZE };
const MARGIN = 6;
const ROW = 20;
const LEGEND_ICON = 26;
const LEGEND_GAP = 16;
const CAPTION = 22;
/** Room below a panel for the ticks of its axis, and for the axis' name. */
const MARKS = 24;
const AXIS_NAME = 22;

/**
 * The maximum width in pixels of `text` in a CSS font such as `600 15px sans-serif`, from the widths of
 * DejaVu Sans, the widest of the common fonts, rounded up.
 */
export function textWidth(text: string, font = `${FONT_SIZE}px`): number {
  const size = Number(/(\d+(?:\.\d+)?)px/.exec(font)?.[1] ?? FONT_SIZE);
  const shares = [...text].map((character) =>
    /[ .,:;|!'`ijlt()[\]f/]/.test(character)
      ? 0.4
      : /[\u0020-\u007e\u00a0-\u04ff–µ·±×]/.test(character) && !/[mwMW@%]/.test(character)
      ? 0.65
      : 1
  );
  return shares.reduce((sum, share) => sum + share, 0) * size;
}

/** The figure of a plan; the same plan gives the same bytes. */
export function drawFigure({ id, title, alt, panels }: FigurePlan): Figure {
  const named = panels.flatMap(({ series }) => series.map(({ name }) => String(name ?? "")));
  const legend = [...new Set(named)].filter((name) => name !== "");
  // A single series needs no legend.
  const rows = legend.length < 2 ? [] : legendRows(legend);
  const top = MARGIN + ROW * rows.length;
  const { grids, height } = layOut(panels, top);
  const chart = init(null, null, { renderer: "svg", ssr: true, width: CHART_WIDTH, height });
  try {
    chart.setOption({
      animation: false,
      title: panels.map(({ caption, above = 0 }, index) => ({
        ...{ text: caption, left: MARGIN, top: grids[index]!.top - CAPTION - above, padding: 0 },
        textStyle: { ...WORDS, color: COLORS.muted, fontWeight: "normal" as const },
      })),
      legend: rows.map((data, row) => ({
        ...{ data: [...data], left: MARGIN, top: top - ROW * (rows.length - row), padding: 0 },
        ...{ itemGap: LEGEND_GAP, itemWidth: LEGEND_ICON - 5, itemHeight: 10 },
        textStyle: WORDS,
      })),
      grid: grids,
      xAxis: panels.map(({ x }, gridIndex) => ({ ...axisOption(x), gridIndex })),
      yAxis: panels.map(({ y }, gridIndex) => ({ ...axisOption(y), gridIndex })),
      series: panels.flatMap(({ series }, index) =>
        series.map((one) => ({ ...one, xAxisIndex: index, yAxisIndex: index }))
      ) as never,
    });
    return { id, title, alt, svg: cleanSvg(chart.renderToSVGString(), { id, alt, height }) };
  } finally {
    // Without this the process never exits.
    chart.dispose();
  }
}

function legendRows(names: readonly string[]): string[][] {
  const rows: string[][] = [[]];
  let width = 0;
  for (const name of names) {
    const own = LEGEND_ICON + textWidth(name) + LEGEND_GAP;
    if (width > 0 && width + own > CHART_WIDTH - 2 * MARGIN) {
      rows.push([]);
      width = 0;
    }
    rows.at(-1)!.push(name);
    width += own;
  }
  return rows;
}

/** The place of each panel, all with the same left margin, for the widest tick label. */
function layOut(panels: readonly Panel[], top: number) {
  const marks = panels.flatMap(({ y }) => y.ticks.flatMap((tick) => y.format(tick).split("\n")));
  const left = Math.ceil(Math.max(0, ...marks.map((mark) => textWidth(mark)))) + MARGIN + 10;
  const grids: { left: number; right: number; top: number; height: number }[] = [];
  let height = top;
  for (const { caption, x, height: own, above = 0 } of panels) {
    height += (caption === "" ? 0 : CAPTION) + above;
    // Half of the last tick label is beyond the end of the axis.
    const end = textWidth(x.format(x.ticks.at(-1) ?? 0)) / 2;
    grids.push({ left, right: Math.ceil(end) + MARGIN, top: height, height: own });
    height += own + MARKS + ((x.name ?? "") === "" ? 0 : AXIS_NAME) + MARGIN;
  }
  return { grids, height };
}

/**
 * Makes the drawn SVG reproducible, with ids unique in a page of several, and without scripts and
 * inline styles, which a strict page refuses.
 */
function cleanSvg(
  drawn: string,
  { id, alt, height }: { id: string; alt: string; height: number },
): string {
  const body = drawn
    .replace(/<style >[\s\S]*?<\/style>\n?/, "")
    .replace(/<rect [^>]*fill="none"><\/rect>\n/, "")
    .replaceAll(/ (?:class="zr\d+-cls-\d+"|pointer-events="visible"|ecmeta_\w+="[^"]*")/g, "")
    .replaceAll(/ style="([^"]*)"/g, (_, style: string) => presentation(style))
    // echarts numbers ids across charts.
    .replaceAll(/(["#])zr\d+-c(\d+)/g, `$1chart-${id}-$2`)
    .split("\n")
    .filter((line) => !isInvisible(line))
    .map(shorten)
    .join("\n");
  const size = `width="${CHART_WIDTH}" height="${height}"`;
  const root = `${figureSignature(id)} xmlns="http://www.w3.org/2000/svg" ${size} ` +
    `viewBox="0 0 ${CHART_WIDTH} ${height}" role="img" ` +
    `aria-label="${escapeHtml(alt)}" font-family="${FONTS}">`;
  const page = `<rect ${size} fill="${COLORS.background}"/>`;
  const rest = body.slice(body.indexOf(">") + 1).trim();
  return [root, `<style>${CHART_STYLE}</style>`, page, rest, ""].join("\n");
}

/** Style declarations as attributes, because a page can forbid inline styles. */
function presentation(style: string): string {
  return style.split(";").flatMap((declaration) => {
    const [property, value] = declaration.split(":");
    return !property || !value || property === "font-family" ? [] : [` ${property}="${value}"`];
  }).join("");
}

/** True for shapes without fill and stroke, which only catch the pointer. */
function isInvisible(line: string): boolean {
  const unfilled = line.includes('fill="none"') || line.includes('fill-opacity="0"');
  const unstroked = !line.includes(' stroke="') || line.includes('stroke-width="0"');
  return line === "" || (line.startsWith("<path ") && unfilled && unstroked);
}

/** `<path …></path>` becomes `<path …/>`, and the line of a legend gets no fill. */
function shorten(line: string): string {
  const unfilled = line.includes(' stroke="') ? line.replace(' fill="#000"', ' fill="none"') : line;
  return unfilled.replace(/><\/(?:path|rect|polygon)>/, "/>");
}
