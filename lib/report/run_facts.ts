/**
 * The run and its target in words, for the head of every format.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { formatMilliseconds } from "./units.ts";

/** Which server the numbers are about; the address and the tool follow it. */
export function targetKind(report: Report): string {
  return report.target.kind === "embedded"
    ? "the bundled reference server, started and stopped by this run"
    : "an external server";
}

/** From start to finish, as text; a dash where the times in the report cannot be read. */
export function runDuration(report: Report): string {
  const milliseconds = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
  return formatMilliseconds(Number.isFinite(milliseconds) ? milliseconds : null);
}

/** What a split run's numbers are of: one share, or so many that were merged; empty for any other. */
export function splitSentence({ shard, merged }: Report): string {
  const lost = merged?.parts.filter((part) => part.lost !== null).length ?? 0;
  return [
    ...(shard === undefined
      ? []
      : [`This is the share of shard ${shard.index} of ${shard.count} alone.`]),
    ...(merged === undefined ? [] : [
      `Merged from ${merged.parts.length} ${merged.of}${
        lost > 0 ? `, ${lost} of which died` : ""
      }.`,
    ]),
  ].join(" ");
}

/** The command as a person would type it: arguments with other characters in them are quoted. */
export function commandLine(report: Report): string {
  return report.command.map((argument) =>
    /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
  ).join(" ");
}
