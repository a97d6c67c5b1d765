/**
 * What a reader has to know first: what was measured, whether to trust it, five numbers, what is wrong
 * and what to do next.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import type { Finding } from "../findings.ts";
import { firstScreen, MOST_OPEN_NOTES } from "../first_screen.ts";
import { calledTools } from "../heavy.ts";
import { keyNumbers } from "../key_numbers.ts";
import { numberMark, toneMark } from "../marks.ts";
import { splitSentence, targetKind } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { trustVerdict } from "../trust.ts";
import { formatCount } from "../units.ts";
import { list, numbered, right, stack, table } from "./blocks.ts";

/** The summary, without a heading of its own. */
export function renderSummary(report: Report): string {
  const { tone, text } = trustVerdict(report);
  const { grave, further, steps } = firstScreen(report);
  return stack([
    measuredSentence(report),
    `**Can it be trusted?** ${toneMark(tone)} ${escapeMarkdown(text)}`,
    table(
      ["Metric", right("Result"), ""],
      keyNumbers(report).map((number) => [
        number.label,
        `**${number.value}**`,
        numberMark(number),
      ]),
    ),
    renderGrave(grave, further.length),
    "**What to do next:**\n\n" + numbered(steps.map(escapeMarkdown)),
  ]);
}

function measuredSentence(report: Report): string {
  const { protocol } = report.target;
  const tools = calledTools(report);
  const named = `tool${tools.length === 1 ? "" : "s"} ${tools.map(markdownCode).join(", ")}`;
  const split = splitSentence(report);
  return `Calls of the ${named} over real WebSocket connections ` +
    `(protocol ${protocol}, profile ${escapeMarkdown(report.profile)}) to ${targetKind(report)}. ` +
    `${split}${split === "" ? "" : " "}` +
    "Only calls that were served count in latency and throughput.";
}

function renderGrave(grave: readonly Finding[], more: number): string {
  if (grave.length === 0) return "**What is wrong:** nothing that this run could see.";
  return "**What is wrong:**\n\n" + list([
    ...grave.map(graveLine),
    ...(more > 0 ? [`and ${formatCount(more)} more, under Accounting in report.md`] : []),
  ]);
}

/** What is wrong and has no room in the summary; empty where all of it has. */
export function renderFurtherFindings(report: Report): string {
  const { further } = firstScreen(report);
  return further.length === 0 ? "" : stack(["### Further findings", list(further.map(graveLine))]);
}

/** What is no fault, and yet good to know; empty where there is nothing. */
export function renderNotes(report: Report): string {
  const { notes } = firstScreen(report);
  if (notes.length === 0) return "";
  const items = list(notes.map(findingText));
  return notes.length <= MOST_OPEN_NOTES
    ? `**Worth knowing:**\n\n${items}`
    : `<details>\n<summary>Worth knowing (${notes.length} notes)</summary>\n\n${items}\n\n</details>`;
}

function graveLine(finding: Finding): string {
  return `${finding.level === "failure" ? "❌" : "⚠️"} ${findingText(finding)}`;
}

/** One finding with the scenario that it is about, escaped. */
function findingText({ scenario, text }: Finding): string {
  const about = scenario === null ? "" : `${escapeMarkdown(scenarioTitle(scenario))}: `;
  return about + escapeMarkdown(text);
}
