/**
 * "Performance comparison": the testing pyramid.
 *
 * @module
 */

import type { Report } from "../../contract.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { calledTools, callsHeavyTool, heavyThroughput, isHeavyPhase } from "../heavy.ts";
import { insights } from "../insights.ts";
import { singleThroughput, slowdown, slowerOrFaster } from "../key_numbers.ts";
import { toneMark } from "../marks.ts";
import { DASH, formatRate } from "../units.ts";
import { list, stack } from "./blocks.ts";

/** The pyramid as text, and what it does and does not show. */
export function renderPyramid(report: Report): string {
  const slowdowns = insights(report).filter(({ topic }) => topic === "slowdown");
  return stack([
    "## 📈 Performance Comparison",
    "### Testing Pyramid Validation",
    pyramid(report),
    "**Reality Check:**",
    list([
      ...slowdowns.map(({ tone, text }) => `${toneMark(tone)} ${escapeMarkdown(text)}`),
      toolSentence(report),
    ]),
  ]);
}

/** Which tools the numbers are for. */
function toolSentence(report: Report): string {
  const tools = calledTools(report).map(markdownCode);
  return tools.length === 1
    ? `⚠️ Every number is for the tool ${tools[0]}; other tools were not measured in this run`
    : `⚠️ The numbers are for the tools ${tools.join(", ")}; others were not measured in this run`;
}

/** The level of heavy tools: its throughput, or why it has none. */
function endToEnd(report: Report): string {
  const throughput = heavyThroughput(report);
  if (throughput !== null) {
    const here = isHeavyPhase(report) ? "  ← WE ARE HERE" : "";
    return `${formatRate(throughput)}  (heavy tools, one client)${here}`;
  }
  return callsHeavyTool(report)
    ? `${DASH}  (the level above is of a heavy tool itself)`
    : `${DASH}  (heavy tools: not measured in this run)`;
}

function pyramid(report: Report): string {
  const single = singleThroughput(report);
  const heavy = heavyThroughput(report);
  const ratio = slowdown(report, single);
  const unit = report.unitBaseline === null
    ? `${DASH}  (not measured in this run)`
    : `${formatRate(report.unitBaseline.throughput)}  (one call without a socket)`;
  const integration = single === null
    ? `${DASH}  (not measured in this run)`
    : `${formatRate(single)}  (WebSocket protocol + server)  ← WE ARE HERE`;
  const levels = [
    ["Unit Tests:", unit],
    ["Integration Tests:", integration],
    ["End-to-End Tests:", endToEnd(report)],
  ];
  // The numbers end in one column: the widest decides.
  const width = Math.max(...levels.map(([, text]) => text.split("  ")[0].length));
  const [first, second, third] = levels.map(([name, text]) => {
    const [value, ...notes] = text.split("  ");
    return `${name.padEnd(18)}  ${value.padStart(width)}  ${notes.join("  ")}`;
  });
  const arrow = (text: string) => " ".repeat(24) + `↓ ${text}`;
  return [
    "```text",
    first,
    arrow(ratio === null ? "not measured" : slowerOrFaster(ratio)),
    second,
    arrow(single === null || !heavy ? "not measured" : slowerOrFaster(single / heavy)),
    third,
    "```",
  ].join("\n");
}
