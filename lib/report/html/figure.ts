/**
 * Charts within the page: the picture, and beneath it the same numbers as a table, whose cells have their
 * places in the picture. By these the page's script finds what a reader points at.
 *
 * @module
 */

import type { Chart, ChartCell, ChartTable } from "../charts/chart.ts";
import { CHART_STYLE } from "../charts/theme.ts";
import { DASH } from "../units.ts";
import { cells, frame, inline, type Markup, markup } from "./markup.ts";

/** Charts one below the other. */
export function figuresMarkup(charts: readonly Chart[]): Markup[] {
  return charts.map(figureMarkup);
}

function figureMarkup({ title, svg, table }: Chart): Markup {
  return markup`<figure class="chart" data-axis="${table.axis}">
<div class="scroll picture" role="region" aria-label="Chart: ${title}" tabindex="0">${
    picture(svg)
  }</div>
<details><summary>Numbers of this chart</summary>
${valueTable(title, table)}
</details>
</figure>`;
}

/** Of our own making, every text in it escaped; its style is the page's. */
function picture(svg: string): Markup {
  return { html: svg.replace(`<style>${CHART_STYLE}</style>\n`, "").trimEnd() };
}

function valueTable(title: string, { heading, columns, rows }: ChartTable): Markup {
  const headings = columns.map(({ heading, color }) =>
    color === null ? heading : markup`<th scope="col" data-color="${color}">${heading}</th>`
  );
  return frame(
    `Numbers: ${title}`,
    [heading, ...headings],
    rows.map((row) => markup`<tr>${cells([row.label])}${inline(row.cells.map(cellMarkup))}</tr>`),
  );
}

function cellMarkup(cell: ChartCell | string | null): Markup {
  if (cell === null) return markup`<td class="number">${DASH}</td>`;
  if (typeof cell === "string") return markup`<td>${cell}</td>`;
  const { text, value, at: [x, y] } = cell;
  return markup`<td data-value="${value}" data-x="${x}" data-y="${y}">${text}</td>`;
}
