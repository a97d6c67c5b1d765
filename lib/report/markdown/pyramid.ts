/**
 * "Performance comparison": the testing pyramid.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { calledTools, callsHeavyTool, heavyThroughput, isHeavyPhase } from "../heavy.ts";
import { insights } from "../insights.ts";
import { singleThroughput, slowdown, slowerOrFaster } from "../key_numbers.ts";
import { pyramidLevels, pyramidRatio } from "../pyramid.ts";
import { toneMark } from "../marks.ts";
import { DASH, formatDuration, formatRate } from "../units.ts";
import { list, stack } from "./blocks.ts";
import { type Figures, runFigure } from "./figures.ts";

/** The pyramid as text, and what it does and does not show. */
export function renderPyramid(report: Report, figures: Figures): string {
  const slowdowns = insights(report).filter(({ topic }) =>
    topic === "slowdown" || topic === "layers"
  );
  return stack([
    "## 📈 Performance Comparison",
    "### Testing Pyramid Validation",
    pyramid(report),
    runFigure(figures, "testing-pyramid"),
    ratioSentence(report),
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
function endToEnd(report: Report): Omit<Level, "name"> {
  const throughput = heavyThroughput(report);
  if (throughput !== null) {
    const here = isHeavyPhase(report) ? "  ← WE ARE HERE" : "";
    return { value: formatRate(throughput), note: `(heavy tools, one client)${here}` };
  }
  const note = callsHeavyTool(report)
    ? "(the level above is of a heavy tool itself)"
    : "(heavy tools: not measured in this run)";
  return { value: DASH, note };
}

/** The three levels from the very same calls, where the run took them apart. */
function pyramid(report: Report): string {
  const levels = pyramidLevels(report);
  return levels === null ? ratePyramid(report) : draw(
    levels.map(({ name, medianNs, what }, index) => ({
      name: `${name}:`,
      value: formatRate(1e9 / medianNs),
      note: `(${what}: ${formatDuration(medianNs)})${index === 2 ? "  ← WE ARE HERE" : ""}`,
    })),
    levels.slice(1).map(({ medianNs }, index) => slowerOrFaster(medianNs / levels[index].medianNs)),
  );
}

function ratioSentence(report: Report): string {
  const ratio = pyramidRatio(report);
  return ratio === null ? "" : `**Unit : integration : end-to-end = ${ratio}** ` +
    "(medians, one call at a time; calls a second above are one over them)";
}

/** One line of the pyramid. */
interface Level {
  name: string;
  value: string;
  note: string;
}

function ratePyramid(report: Report): string {
  const single = singleThroughput(report);
  const heavy = heavyThroughput(report);
  const ratio = slowdown(report, single);
  const absent = { value: DASH, note: "(not measured in this run)" };
  const unit = report.unitBaseline === null ? absent : {
    value: formatRate(report.unitBaseline.throughput),
    note: "(one call without a socket)",
  };
  const integration = single === null ? absent : {
    value: formatRate(single),
    note: "(WebSocket protocol + server)  ← WE ARE HERE",
  };
  return draw([
    { name: "Unit Tests:", ...unit },
    { name: "Integration Tests:", ...integration },
    { name: "End-to-End Tests:", ...endToEnd(report) },
  ], [
    ratio === null ? "not measured" : slowerOrFaster(ratio),
    single === null || !heavy ? "not measured" : slowerOrFaster(single / heavy),
  ]);
}

/** The levels, with what lies between each and the next. */
function draw(levels: Level[], steps: string[]): string {
  // The numbers end in one column: the widest decides.
  const width = Math.max(...levels.map(({ value }) => value.length));
  const lines = levels.flatMap(({ name, value, note }, index) => [
    `${name.padEnd(18)}  ${value.padStart(width)}  ${note}`,
    ...(index < steps.length ? [" ".repeat(24) + `↓ ${steps[index]}`] : []),
  ]);
  return ["```text", ...lines, "```"].join("\n");
}
