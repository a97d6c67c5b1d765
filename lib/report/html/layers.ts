import type { Report } from "../../schema.ts";
import { LAYER_HEADINGS, layerNotes, layerRows } from "../layers.ts";
import { pyramidRatio } from "../pyramid.ts";
import { cells, frame, items, type Markup, markup } from "./markup.ts";

/** The waterfall of a call, whose layers have but one order, where the run took one apart. */
export function layersMarkup(report: Report): Markup {
  const rows = layerRows(report);
  if (rows.length === 0) return { html: "" };
  const ratio = pyramidRatio(report);
  const pyramid = ratio === null ? [] : [
    `Testing pyramid, unit : integration : end-to-end = ${ratio} (medians, one call at a time).`,
  ];
  return markup`<h2>Where the time of a call goes</h2>
${frame("Layers of a call", LAYER_HEADINGS, rows.map((row) => markup`<tr>${cells(row)}</tr>`))}
<ul>
${items([...layerNotes(report), ...pyramid])}
</ul>
`;
}
