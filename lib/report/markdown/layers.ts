/**
 * "Overhead breakdown": the layers of a call, with a figure for each.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeMarkdown } from "../escape.ts";
import { LAYER_HEADINGS, layerNotes, layerRows } from "../layers.ts";
import { list, right, stack, table } from "./blocks.ts";

/** Columns of text; the others hold numbers. */
const TEXT_HEADINGS = ["Layer", "Waterfall", "Remark"];

/** The waterfall, or that there is none in this run. */
export function renderLayers(report: Report): string {
  const rows = layerRows(report);
  if (rows.length === 0) {
    return "The split of the full call into its layers (framing, serialisation, network, routing, tool) " +
      "is not measured in this run.";
  }
  return stack([
    "**Overhead Breakdown:**",
    table(
      LAYER_HEADINGS.map((heading) => TEXT_HEADINGS.includes(heading) ? heading : right(heading)),
      rows.map((row) => row.map((cell) => cell === "" ? "" : escapeMarkdown(cell))),
    ),
    list(layerNotes(report).map(escapeMarkdown)),
  ]);
}
