/**
 * The last sections of the phase document: next steps, files, checklist, criteria and insights.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import {
  allPassedCriterion,
  baselineCriterion,
  comparisonCriterion,
  type Criterion,
  protocolCriterion,
  realConnectionsCriterion,
  scenarioCriterion,
  validityCriterion,
} from "../criteria.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { heavyGoals } from "../heavy_goals.ts";
import { callsHeavyTool, heavyThroughput, isHeavyPhase } from "../heavy.ts";
import { insights } from "../insights.ts";
import { concurrentClients, singleThroughput } from "../key_numbers.ts";
import { findDistribution, findScalar, findScenario, isSound } from "../lookup.ts";
import { scenarioTally, toneMark, verdictMark, verdictWord } from "../marks.ts";
import { nextSteps } from "../next_steps.ts";
import {
  formatCompactRate,
  formatCount,
  formatDuration,
  formatRate,
  formatTimestamp,
} from "../units.ts";
import { criterionLine } from "./achievements.ts";
import { list, numbered, stack } from "./blocks.ts";
import type { Figures } from "./figures.ts";

/** What to do next. */
export function renderNextSteps(report: Report): string {
  return stack(["## 🔄 Next Steps", numbered(nextSteps(report).map(escapeMarkdown))]);
}

/** The files of the run; which of them were written is the choice of `--format`. */
export function renderFiles(report: Report, { charts }: Figures): string {
  return stack([
    "## 📝 Files",
    list([
      "`report.json`: every number of this page and more, for scripts and comparisons",
      "`report.md`: this page",
      ...(charts.length === 0 ? [] : ["`charts/`: the pictures of this page, as SVG"]),
      "`report.html`: the same for a browser, in one file",
      "`junit.xml`: scenarios and checks for a CI system (with `--format junit`)",
    ]),
    `**Test Results:** ${verdictMark(report)} ${scenarioTally(report)}`,
  ]);
}

/** The checklist of the phase document: a box is ticked by a result only. */
export function renderChecklist(report: Report): string {
  const items: Criterion[] = isHeavyPhase(report) ? heavyChecklist(report) : [
    realConnectionsCriterion(report),
    protocolCriterion(report),
    baselineCriterion(report),
    scenarioCriterion(report, concurrentText(report), "concurrent-connections"),
    scenarioCriterion(report, "Reconnection validated", "reconnection"),
    scenarioCriterion(report, "Authentication validated", "authentication"),
    scenarioCriterion(report, "Connection limits validated", "connection-limit"),
    comparisonCriterion(report),
    allPassedCriterion(report),
    validityCriterion(report),
  ];
  return stack([
    "## ✅ Validation Checklist",
    list(
      items.map(({ text, met, note }) =>
        `[${met === true ? "x" : " "}] ${text}: ${escapeMarkdown(note)}`
      ),
    ),
  ]);
}

function heavyChecklist(report: Report): Criterion[] {
  return [
    realConnectionsCriterion(report),
    scenarioCriterion(report, "Heavy tools tested", "heavy-tools"),
    scenarioCriterion(report, "Cheap calls beside heavy ones tested", "head-of-line"),
    allPassedCriterion(report),
    validityCriterion(report),
  ];
}

function concurrentText(report: Report): string {
  const clients = concurrentClients(report);
  return `Concurrent connections tested${
    clients === null ? "" : ` (${formatCount(clients)} clients)`
  }`;
}

/** The goals of the phase, each with its outcome. */
export function renderSuccessCriteria(report: Report): string {
  const goals: Criterion[] = isHeavyPhase(report) ? heavyGoals(report) : [
    { ...realConnectionsCriterion(report), text: "Create real WebSocket integration tests" },
    { ...protocolCriterion(report), text: "Test WebSocket protocol + component integration" },
    { ...baselineCriterion(report), text: "Establish baseline performance metrics" },
    scenarioCriterion(report, "Validate authentication", "authentication"),
    scenarioCriterion(report, "Validate connection handling", "reconnection"),
    { ...comparisonCriterion(report), text: "Document performance comparison to unit tests" },
  ];
  const met = goals.filter((goal) => goal.met === true).length;
  return stack([
    `## 🎯 Success Criteria: ${met} of ${goals.length} met`,
    list(goals.map(criterionLine)),
    `**Status:** ${verdictMark(report)} **${verdictWord(report)}**`,
  ]);
}

/** What the numbers say, and what follows from them. */
export function renderInsights(report: Report): string {
  const implications = implicationLines(report);
  return stack([
    "## 📊 Performance Insights",
    "**Key Findings:**",
    numbered(insights(report).map(({ tone, text }) => `${toneMark(tone)} ${escapeMarkdown(text)}`)),
    implications.length === 0 ? "" : "**Implications for Production:**\n\n" + list(implications),
    "---",
    `**Last Updated:** ${escapeMarkdown(formatTimestamp(report.finishedAt))}`,
  ]);
}

/** A latency up to which a person does not notice waiting, in nanoseconds. */
const INTERACTIVE_NS = 100e6;

function implicationLines(report: Report): string[] {
  const scenario = findScenario(report, "message-throughput");
  const single = singleThroughput(report);
  const sound = isSound(scenario);
  const p95 = findDistribution(scenario, "latency")?.p95 ?? null;
  const concurrent = findScenario(report, "concurrent-connections");
  const speedup = isSound(concurrent) ? findScalar(concurrent, "speedup") : undefined;
  const tool = markdownCode(report.target.tool);
  const lines: string[] = [];
  if (single !== null) {
    lines.push(
      sound
        ? `✅ One client gets ${formatCompactRate(single)} from ${tool} under these conditions`
        : "⚠️ The throughput of one client is not to be relied on: its scenario failed or is not valid",
    );
  }
  if (p95 !== null && sound) {
    lines.push(
      p95 < INTERACTIVE_NS
        ? `✅ Low latency: P95 of ${
          formatDuration(p95)
        } suits interactive applications (under 100 ms)`
        : `⚠️ P95 of ${formatDuration(p95)} is felt in interactive applications (100 ms or more)`,
    );
  }
  if (speedup !== undefined) lines.push(speedupLine(speedup.ci95?.[0] ?? speedup.value));
  const heavy = heavyLine(report);
  if (heavy !== "") lines.push(heavy);
  return lines;
}

/** What heavy tools give, or that this run does not know; empty where it says nothing of any tool. */
function heavyLine(report: Report): string {
  const scenario = findScenario(report, "heavy-tools");
  const throughput = heavyThroughput(report);
  if (throughput !== null) {
    const rate = formatRate(throughput);
    return isSound(scenario)
      ? `✅ One client gets ${rate} from heavy tools, one call at a time`
      : `⚠️ The ${rate} from heavy tools are not to be relied on: their scenario failed or is not valid`;
  }
  if (singleThroughput(report) === null || callsHeavyTool(report)) return "";
  return "⚠️ Heavy tools are slower by what they do: not measured in this run";
}

/** `sure` is the lower end of the speedup, where there is an interval. */
function speedupLine(sure: number): string {
  return sure > 1
    ? "✅ Concurrent clients improve throughput (good for multi-user scenarios)"
    : "⚠️ More clients are not shown to bring more throughput: plan capacity by the total";
}
