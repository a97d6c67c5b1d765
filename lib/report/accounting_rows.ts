/**
 * The ledgers, validity and environment of a run as rows of plain text, the same in every format.
 *
 * @module
 */

import type { Ledger, Report, ScenarioReport, Validity } from "../schema.ts";
import { type Cell, quantity, textRows } from "./cells.ts";
import { formatCodes } from "./ledger.ts";
import { isJudged } from "./lookup.ts";
import { shardText } from "./shard_rows.ts";
import {
  DASH,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
} from "./units.ts";

/** The headings of {@linkcode callRows}. */
export const CALL_HEADINGS = [
  "Scenario",
  "Sent",
  "Ok",
  "Cached",
  "Tool error",
  "Rate limited",
  "Timeout",
  "Lost",
  "Aborted",
  "Dropped",
  "Error codes",
  "Close codes",
];

/** The headings of {@linkcode frameRows}. */
export const FRAME_HEADINGS = [
  "Scenario",
  "Received",
  "Final",
  "Progress",
  "Late",
  "Duplicate",
  "Orphan",
  "Malformed",
];

/** The headings of {@linkcode validityRows}. */
export const VALIDITY_HEADINGS = [
  "Scenario",
  "Valid",
  "Client CPU",
  "Loop lag P99",
  "Share of the client's floor",
  "Warnings",
];

/** What became of every call, one row for each scenario, and one for its warm-up where it had one. */
export function callRows(report: Report): string[][] {
  return textRows(callCells(report));
}

/** The rows of {@linkcode callRows} with their counts. */
export function callCells(report: Report): Cell[][] {
  return ledgers(report).map(([label, ledger]) => [
    label,
    ...[
      ledger.sent,
      ledger.ok,
      ledger.cached,
      ledger.toolError,
      ledger.rateLimited,
      ledger.timeout,
      ledger.connectionLost,
      ledger.aborted,
      ledger.dropped,
    ].map((count) => quantity(count, formatCount)),
    formatCodes(ledger.errorCodes) || DASH,
    formatCodes(ledger.closeCodes) || DASH,
  ]);
}

/** What every frame turned out to be, in the rows of {@linkcode callRows}. */
export function frameRows(report: Report): string[][] {
  return textRows(frameCells(report));
}

/** The rows of {@linkcode frameRows} with their counts. */
export function frameCells(report: Report): Cell[][] {
  return ledgers(report).map(([label, { frames }]) => [
    label,
    ...[
      frames.received,
      frames.final,
      frames.progress,
      frames.late,
      frames.duplicate,
      frames.orphan,
      frames.malformed,
    ].map((count) => quantity(count, formatCount)),
  ]);
}

function ledgers(report: Report): [label: string, ledger: Ledger][] {
  return report.scenarios.flatMap(({ name, ledger, warmupLedger }) => {
    const warm = warmupLedger.sent > 0 || warmupLedger.frames.received > 0;
    const rows: [string, Ledger][] = [[name, ledger]];
    return warm ? [...rows, [`${name}, warm-up`, warmupLedger]] : rows;
  });
}

/** Whether the client could have bounded the numbers, one row for each scenario. */
export function validityRows(report: Report): string[][] {
  return textRows(validityCells(report));
}

/** The rows of {@linkcode validityRows} with their values: shares from 0 to 1, and nanoseconds. */
export function validityCells(report: Report): Cell[][] {
  return report.scenarios.map((scenario) => [
    scenario.name,
    validityText(scenario),
    ...validityFigures(scenario.validity),
  ]);
}

/** A dash where too little was seen to tell. */
function validityText(scenario: ScenarioReport): string {
  if (!isJudged(scenario)) return DASH;
  return scenario.validity.valid ? "yes" : "no";
}

function validityFigures(validity: Validity): Cell[] {
  return [
    quantity(validity.clientCpu, formatPercent),
    quantity(validity.loopLagP99Ns, formatDuration),
    quantity(validity.floor?.share ?? null, () => floorText(validity)),
    validity.warnings.join("; ") || DASH,
  ];
}

/** `21% of 33,000 msg/s`: the share of what the client reaches against a server that does nothing. */
function floorText({ floor }: Validity): string {
  return floor === undefined
    ? DASH
    : `${formatPercent(floor.share)} of ${formatRate(floor.throughput)}`;
}

/** The machine, the software and the settings of the run, as pairs of name and value. */
export function environmentRows(report: Report): [name: string, value: string][] {
  const { environment, suite, target } = report;
  return [
    ["Target", `${target.url} (${target.kind})`],
    ["Protocol", target.protocol],
    ["Tool", target.tool],
    ["Profile", report.profile],
    ["Seed", String(report.seed)],
    ...shardRow(report),
    ["Suite", `${suite.name} ${suite.version}${suite.commit === null ? "" : ` (${suite.commit})`}`],
    ["Operating system", `${environment.os}, ${environment.arch}`],
    ["Processor", `${environment.cpuModel}, ${formatCount(environment.cpuCount)} cores`],
    ["Memory", formatBytes(environment.memoryBytes)],
    ["Deno", `${environment.deno} (V8 ${environment.v8})`],
    ["mitata", environment.mitata],
  ];
}

function shardRow(report: Report): [name: string, value: string][] {
  const text = shardText(report);
  return text === null ? [] : [["Shard", text]];
}
