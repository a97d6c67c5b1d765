/**
 * Each heavy tool's times, and what a heavy call does to cheap ones.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import {
  HEAVY_TOOL_HEADINGS,
  heavyToolCells,
  INTERFERENCE_HEADINGS,
  interferenceCells,
} from "../heavy.ts";
import { type Markup, markup, table } from "./markup.ts";

/** The tables of heavy tools, on lines of their own; nothing where none was measured. */
export function heavyMarkup(report: Report): Markup | "" {
  const tools = heavyToolCells(report);
  const cheap = interferenceCells(report);
  if (tools.length + cheap.length === 0) return "";
  return markup`
<h2>Heavy tools</h2>
${tools.length === 0 ? "" : table("From call to result", HEAVY_TOOL_HEADINGS, tools)}
${cheap.length === 0 ? "" : table("Cheap calls beside a heavy one", INTERFERENCE_HEADINGS, cheap)}`;
}
