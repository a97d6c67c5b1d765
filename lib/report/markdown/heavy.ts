/**
 * "Heavy tools": each tool's times, and what a heavy call does to cheap ones.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import {
  HEAVY_TOOL_HEADINGS,
  heavyToolRows,
  INTERFERENCE_HEADINGS,
  interferenceRows,
} from "../heavy.ts";
import { insights } from "../insights.ts";
import { keyNumbers } from "../key_numbers.ts";
import { numberMark, toneMark } from "../marks.ts";
import { list, right, stack, table } from "./blocks.ts";

/** The key numbers of the phase of heavy tools. */
export function renderHeavyPerformance(report: Report): string {
  return stack([
    "## 📊 Performance Results",
    "### Load, Concurrency and Latency Measured",
    table(
      ["Metric", right("Result"), "What It Is", "Scenario"],
      keyNumbers(report).map((number) => [
        `**${escapeMarkdown(number.label)}**`,
        number.value,
        number.comparison,
        numberMark(number),
      ]),
    ),
  ]);
}

/** The tables of heavy tools; empty where none was measured. */
export function renderHeavyTools(report: Report): string {
  const tools = heavyToolRows(report);
  const cheap = interferenceRows(report);
  if (tools.length + cheap.length === 0) return "";
  const about = insights(report).filter(({ topic }) => topic === "heavy");
  return stack([
    "## ⚙️ Heavy Tools",
    tools.length === 0 ? "" : stack([
      "### From Call to Result",
      columns(HEAVY_TOOL_HEADINGS, tools.map(([tool, ...rest]) => [markdownCode(tool), ...rest])),
      "Times are medians, but for the longest; one client calls one tool at a time, or all clients " +
      "the mix of tools at once.",
    ]),
    cheap.length === 0 ? "" : stack([
      "### Cheap Calls Beside a Heavy One",
      columns(INTERFERENCE_HEADINGS, cheap),
    ]),
    about.length === 0
      ? ""
      : list(about.map(({ tone, text }) => `${toneMark(tone)} ${escapeMarkdown(text)}`)),
  ]);
}

function columns(headings: readonly string[], rows: string[][]): string {
  return table(headings.map((text, column) => column === 0 ? text : right(text)), rows);
}
