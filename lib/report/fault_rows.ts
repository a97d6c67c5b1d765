/**
 * What the scenarios about limits and lost connections found, as rows of plain text, the same in every
 * format: one table for each scenario, beside that of its metrics.
 *
 * @module
 */

import type { Scalar, ScenarioReport } from "../schema.ts";
import { findDistribution, findScalar } from "./lookup.ts";
import { DASH, formatCount, formatDuration, formatInterval, formatQuantity } from "./units.ts";

/** A table with a title; every row has as many cells as there are headings. */
export interface FaultTable {
  title: string;
  headings: string[];
  rows: string[][];
}

/** The table of a scenario, `null` where it has none or found nothing. */
export function faultTable(scenario: ScenarioReport): FaultTable | null {
  const table = scenario.name === "rate-limit"
    ? limitTable(scenario)
    : scenario.name === "reconnect-storm"
    ? stormTable(scenario)
    : scenario.name === "malformed-input"
    ? conductTable(scenario)
    : null;
  return table === null || table.rows.length === 0 ? null : table;
}

function limitTable(scenario: ScenarioReport): FaultTable {
  const expected = String(scenario.parameters.expectLimits ?? "");
  const rows = [["session", "One session"], ["ip", "One IP address"]].flatMap(([owner, label]) => {
    const burst = findScalar(scenario, `${owner}Burst`);
    if (burst === undefined) return [];
    const refill = findScalar(scenario, `${owner}Refill`);
    const given = new RegExp(`(?:^|,)${owner}=([^,]+)`).exec(expected)?.[1];
    return [[label!, ...withRange(burst), ...withRange(refill), given ?? DASH]];
  });
  return {
    title: "Budgets found",
    headings: ["Budget of", "At once", "Range", "A second", "Range", "Expected"],
    rows,
  };
}

function withRange(scalar: Scalar | undefined): [string, string] {
  return scalar === undefined
    ? [DASH, DASH]
    : [formatQuantity(scalar.value, scalar.unit), formatInterval(scalar.ci95, scalar.unit)];
}

/** The phases of a storm, by the end of their metrics' names. */
const PHASES = [
  ["DropImmediate", "Clients dropped, back at once"],
  ["DropBackoff", "Clients dropped, jittered back-off"],
  ["RestartImmediate", "Server restarted, back at once"],
  ["RestartBackoff", "Server restarted, jittered back-off"],
] as const;

function stormTable(scenario: ScenarioReport): FaultTable {
  const rows = PHASES.flatMap(([phase, label]) => {
    const handshakes = findScalar(scenario, `handshakes${phase}`);
    if (handshakes === undefined) return [];
    const recovery = findDistribution(scenario, `recovery${phase}`);
    return [[
      label,
      formatDuration(findScalar(scenario, `served99${phase}`)?.value ?? null),
      formatDuration(recovery?.p50 ?? null),
      formatDuration(recovery?.max ?? null),
      formatCount(Math.max(...handshakes.rounds)),
      formatCount(sum(findScalar(scenario, `refused${phase}`)?.rounds ?? [])),
    ]];
  });
  return {
    title: "Storms",
    headings: [
      "Storm",
      "99 % Served After",
      "Median Client",
      "Slowest Client",
      "Most Handshakes at Once",
      "Refused Attempts, All Rounds",
    ],
    rows,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** How the suite's own checks are called, which are about calls and not about the protocol. */
const OWN_CHECKS: ReadonlySet<string> = new Set([
  "every message answered",
  "no error replies",
  "no stray frames",
  "ledger reconciles",
]);

/** How many rows of the protocol a server keeps, `null` where none was tried. */
export function conductCount(scenario: ScenarioReport): { kept: number; tried: number } | null {
  const rows = scenario.checks.filter(({ name }) => !OWN_CHECKS.has(name));
  const kept = rows.filter(({ passed }) => passed).length;
  return rows.length === 0 ? null : { kept, tried: rows.length };
}

function conductTable(scenario: ScenarioReport): FaultTable | null {
  const count = conductCount(scenario);
  if (count === null) return null;
  const answer = findDistribution(scenario, "answer");
  return {
    title: "Rows of the protocol",
    headings: ["Kept", "Tried", "Not Tried", "Median Answer", "Slowest Answer"],
    rows: [[
      formatCount(count.kept),
      formatCount(count.tried),
      formatCount(scenario.notMeasured.length),
      formatDuration(answer?.p50 ?? null),
      formatDuration(answer?.max ?? null),
    ]],
  };
}
