/**
 * The first screen of the page: title, status line and summary.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { phaseOf } from "../phase.ts";
import { scenarioTally, verdictMark, verdictWord } from "../marks.ts";
import { runDuration, targetKind } from "../run_facts.ts";
import { formatTimestamp } from "../units.ts";
import { stack } from "./blocks.ts";
import { renderNotes, renderSummary } from "./summary.ts";

/** Title, status line and summary. */
export function renderHead(report: Report): string {
  return stack([
    `# ${phaseOf(report).title} - ${verdictWord(report)}`,
    renderStatus(report),
    "## Summary",
    renderSummary(report),
    renderNotes(report),
  ]);
}

/** When, how long, with what outcome, and of which server. */
export function renderStatus(report: Report): string {
  return [
    `**Created:** ${escapeMarkdown(formatTimestamp(report.startedAt))}`,
    `**Duration:** ${runDuration(report)}`,
    `**Status:** ${verdictMark(report)} ${verdictWord(report)} - ${scenarioTally(report)}`,
    `**Target:** ${targetKind(report)} (${markdownCode(report.target.url)})`,
  ].join("  \n");
}
