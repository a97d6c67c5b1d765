/**
 * The first screen of the page: title, status line and summary.
 *
 * @module
 */

import type { Report } from "../../contract.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { type Finding, findings } from "../findings.ts";
import { calledTools } from "../heavy.ts";
import { keyNumbers } from "../key_numbers.ts";
import { numberMark, scenarioTally, verdictMark, verdictWord } from "../marks.ts";
import { phaseOf } from "../phase.ts";
import { runDuration, targetKind } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { formatTimestamp } from "../units.ts";
import { list, right, stack, table } from "./blocks.ts";

/** Title, status line and summary. */
export function renderHead(report: Report): string {
  return stack([
    `# ${phaseOf(report).title} - ${verdictWord(report)}`,
    statusLine(report),
    "## Summary",
    measuredSentence(report),
    table(
      ["Metric", right("Result"), ""],
      keyNumbers(report).map((number) => [
        escapeMarkdown(number.label),
        `**${number.value}**`,
        numberMark(number),
      ]),
    ),
    renderFindings(findings(report)),
  ]);
}

function statusLine(report: Report): string {
  return [
    `**Created:** ${escapeMarkdown(formatTimestamp(report.startedAt))}`,
    `**Duration:** ${runDuration(report)}`,
    `**Status:** ${verdictMark(report)} ${verdictWord(report)} - ${scenarioTally(report)}`,
    `**Target:** ${targetKind(report)} (${markdownCode(report.target.url)})`,
  ].join("  \n");
}

function measuredSentence(report: Report): string {
  const { protocol } = report.target;
  const tools = calledTools(report);
  return `Calls of the tool${tools.length === 1 ? "" : "s"} ${
    tools.map(markdownCode).join(", ")
  } over real WebSocket connections ` +
    `(protocol ${protocol}, profile ${escapeMarkdown(report.profile)}) to ${targetKind(report)}. ` +
    "Only calls that were served count in latency and throughput.";
}

/** What is wrong and what was left out, the gravest first. */
function renderFindings(all: Finding[]): string {
  const grave = all.filter(({ level }) => level !== "note");
  const notes = all.filter(({ level }) => level === "note");
  return stack([
    grave.length === 0
      ? "**What is wrong:** nothing that this run could see."
      : "**What is wrong:**\n\n" + list(grave.map((finding) =>
        `${finding.level === "failure" ? "❌" : "⚠️"} ${findingText(finding)}`
      )),
    notes.length === 0 ? "" : "**Worth knowing:**\n\n" + list(notes.map(findingText)),
  ]);
}

/** One finding with the scenario that it is about, escaped. */
export function findingText({ scenario, text }: Finding): string {
  const about = scenario === null ? "" : `${escapeMarkdown(scenarioTitle(scenario))}: `;
  return about + escapeMarkdown(text);
}
