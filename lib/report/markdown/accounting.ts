/**
 * The proof behind the numbers: verdict, ledger, validity, environment, command.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import {
  CALL_HEADINGS,
  callRows,
  environmentRows,
  FRAME_HEADINGS,
  frameRows,
  VALIDITY_HEADINGS,
  validityRows,
} from "../accounting_rows.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import { SHARD_HEADINGS, shardRows } from "../shard_rows.ts";
import { verdictMark } from "../marks.ts";
import { commandLine } from "../run_facts.ts";
import { type Column, list, right, stack, table } from "./blocks.ts";
import { renderFurtherFindings } from "./summary.ts";

/** What a reader needs to check the claims of the page. */
export function renderAccounting(report: Report): string {
  return stack([
    "## 🧾 Accounting",
    "### Verdict",
    verdict(report),
    renderFurtherFindings(report),
    ...perShard(report),
    ...(report.scenarios.length === 0 ? [] : perScenario(report)),
    "### Environment",
    table(
      ["What", "Value"],
      environmentRows(report).map(([name, value]) => [name, markdownCode(value)]),
    ),
    "### Command",
    markdownCode(commandLine(report)),
  ]);
}

function verdict(report: Report): string {
  const { status, exitCode, reasons } = report.verdict;
  return stack([
    `${verdictMark(report)} ${status}, exit code ${exitCode}`,
    list(
      reasons.map(({ code, scenario, message }) =>
        `exit code ${code}${scenario === null ? "" : `, ${escapeMarkdown(scenario)}`}: ` +
        escapeMarkdown(message)
      ),
    ),
  ]);
}

function perShard(report: Report): string[] {
  if (report.merged === undefined) return [];
  return [
    report.merged.of === "shards" ? "### Shards" : "### Workers",
    "What each part did of the whole; the start is by the first part's clock, the clock is the server's " +
    "less the part's:",
    escapedTable(SHARD_HEADINGS, shardRows(report)),
  ];
}

function perScenario(report: Report): string[] {
  return [
    "### Ledger",
    "What became of every call that was sent, and of every frame that came in:",
    escapedTable(numeric(CALL_HEADINGS, 9), callRows(report)),
    escapedTable(numeric(FRAME_HEADINGS, 7), frameRows(report)),
    "### Validity",
    "Whether the client itself could have bounded the numbers:",
    escapedTable(VALIDITY_HEADINGS, validityRows(report)),
  ];
}

/** Headings with `count` right-aligned columns after the first. */
function numeric(headings: string[], count: number): Column[] {
  return headings.map((heading, index) => index > 0 && index <= count ? right(heading) : heading);
}

function escapedTable(columns: Column[], rows: string[][]): string {
  return table(columns, rows.map((cells) => cells.map(escapeMarkdown)));
}
