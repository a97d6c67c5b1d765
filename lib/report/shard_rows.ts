/**
 * What each shard or worker of a merged report did, as rows of plain text, the same in every format.
 *
 * @module
 */

import type { MergedShard, Report, ShardScenario } from "../schema.ts";
import { DASH, formatCount, formatDuration, formatMilliseconds, formatRate } from "./units.ts";

/** The headings of {@linkcode shardRows}. */
export const SHARD_HEADINGS = [
  "Part",
  "Scenario",
  "Served",
  "Rate",
  "P99",
  "Valid",
  "Start offset",
  "Clock",
  "Machine",
];

/** One row for each scenario that a part ran, and one for a part that died before it ran any. */
export function shardRows(report: Report): string[][] {
  return (report.merged?.parts ?? []).flatMap((part) => {
    const ran = part.scenarios.filter(({ status }) => status !== "skipped");
    const rows = ran.map((scenario) => scenarioRow(part, scenario, report));
    return part.lost === null ? rows : [...rows, lostRow(part, report)];
  });
}

/** `shard 2`, `worker 2`. */
function partName({ index }: MergedShard, { merged }: Report): string {
  return `${merged?.of === "workers" ? "worker" : "shard"} ${index}`;
}

function scenarioRow(part: MergedShard, scenario: ShardScenario, report: Report): string[] {
  return [
    partName(part, report),
    scenario.name,
    `${formatCount(scenario.ok)}/${formatCount(scenario.sent)}`,
    formatRate(scenario.ratePerSecond),
    formatDuration(scenario.p99),
    validText(scenario),
    startText(scenario.startOffsetMs, part.late),
    clockText(part),
    part.machine,
  ];
}

/** A dash where nothing was measured that could be valid. */
function validText({ valid, status, sent, ratePerSecond, p99 }: ShardScenario): string {
  const isEmpty = sent === 0 && ratePerSecond === null && p99 === null;
  if (isEmpty && status !== "passed") return DASH;
  return valid ? "yes" : "no";
}

function startText(offsetMs: number | null, late: boolean): string {
  if (offsetMs === null) return DASH;
  return `${formatSigned(offsetMs)}${late ? ", late" : ""}`;
}

/** What the server's clock is ahead of the part's, and how sure that is. */
function clockText({ clock }: MergedShard): string {
  return clock === null
    ? DASH
    : `${formatSigned(clock.offsetMs)} ± ${formatMilliseconds(clock.errorMs)}`;
}

function formatSigned(milliseconds: number): string {
  const sign = milliseconds < 0 ? "-" : "+";
  return `${sign}${formatMilliseconds(Math.abs(milliseconds))}`;
}

function lostRow(part: MergedShard, report: Report): string[] {
  const cells = SHARD_HEADINGS.map(() => DASH);
  cells[0] = partName(part, report);
  cells[1] = `died: ${part.lost}`;
  return cells;
}

/** How a report of one shard is told: its place, and how late it began; `null` for that of a whole run. */
export function shardText({ shard }: Report): string | null {
  if (shard === undefined) return null;
  const start = shard.startOffsetMs === null
    ? ""
    : `, began ${formatSigned(shard.startOffsetMs)} from the time planned${
      shard.late ? ": late" : ""
    }`;
  const clock = shard.clock === null
    ? ""
    : `, the server's clock ${formatSigned(shard.clock.offsetMs)} ± ${
      formatMilliseconds(shard.clock.errorMs)
    }`;
  return `${shard.index} of ${shard.count}${start}${clock}`;
}
