/**
 * What is wrong with a run as workflow commands of GitHub Actions, which shows them beside the job.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeCommandProperty, escapeCommandText } from "../escape.ts";
import { type Finding, findings } from "../findings.ts";
import { scenarioTally, verdictWord } from "../marks.ts";
import { runDuration } from "../run_facts.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { formatCount } from "../units.ts";

/** GitHub shows no more of a level for one step. */
const MOST_PER_LEVEL = 10;

/**
 * Lines for standard output: an error for each failure, a warning for each reason to doubt the numbers,
 * and the verdict as a notice. They are the only lines of the program that GitHub takes as commands.
 */
export function renderAnnotations(report: Report): string {
  const all = findings(report);
  const of = (level: Finding["level"]) => all.filter((finding) => finding.level === level);
  return [
    ...annotations("error", of("failure")),
    ...annotations("warning", of("warning")),
    command("notice", {
      about: null,
      text: `${verdictWord(report)}: ${scenarioTally(report)} in ${runDuration(report)}`,
    }),
  ].map((line) => `${line}\n`).join("");
}

function annotations(level: "error" | "warning", all: readonly Finding[]): string[] {
  const shown = all.length > MOST_PER_LEVEL ? all.slice(0, MOST_PER_LEVEL - 1) : all;
  const more = all.length - shown.length;
  return [
    ...shown.map(({ scenario, text }) => command(level, { about: scenario, text })),
    ...(more === 0 ? [] : [
      command(level, { about: null, text: `and ${formatCount(more)} more: see the reports` }),
    ]),
  ];
}

function command(level: string, { about, text }: { about: string | null; text: string }): string {
  const title = about === null ? "exai-ws-bench" : `exai-ws-bench: ${scenarioTitle(about)}`;
  return `::${level} title=${escapeCommandProperty(title)}::${escapeCommandText(text)}`;
}
