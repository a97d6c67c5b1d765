/**
 * Heavy tools in the terminal: one line for each, and one for each place of a cheap call.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeTerminal } from "../escape.ts";
import {
  HEAVY_TOOL_HEADINGS,
  heavyToolRows,
  INTERFERENCE_HEADINGS,
  interferenceRows,
} from "../heavy.ts";
import { columns, paint } from "./text.ts";

/** The tables of heavy tools, each followed by an empty line; none where nothing was measured. */
export function heavyLines(report: Report, options: { color: boolean; width: number }): string[] {
  return [
    ...block(HEAVY_TOOL_HEADINGS, heavyToolRows(report), options),
    ...block(INTERFERENCE_HEADINGS, interferenceRows(report), options),
  ];
}

function block(
  headings: readonly string[],
  rows: string[][],
  { color, width }: { color: boolean; width: number },
): string[] {
  if (rows.length === 0) return [];
  const cells = rows.map(([name, ...values]) => [escapeTerminal(name!), ...values]);
  const lower = headings.map((heading) => heading.toLowerCase());
  const [first, ...lines] = columns([lower, ...cells], { alignments: ["left", "right"], width });
  return [paint(first!, "dim", color), ...lines, ""];
}
