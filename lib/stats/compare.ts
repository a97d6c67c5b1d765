/**
 * Compares two reports: what has become faster or slower, beyond noise and beyond chance. The rule
 * is in docs/method.md, "Comparison".
 *
 * @module
 */

import type { Comparison, ComparisonRow, NewErrors, Report, ScenarioReport } from "../schema.ts";
import { findDifferences, IncomparableError, sharedScenarios } from "./comparability.ts";
import type { Judgement } from "./compare_types.ts";
import { type Candidate, candidatesOf, chooseGating } from "./gating.ts";
import { judgeRows } from "./judge.ts";
import { ERROR_KINDS } from "./ledger_errors.ts";

export { IncomparableError } from "./comparability.ts";

export interface CompareOptions {
  /** Changes of at most this many per cent do not count; 3 by default. */
  noisePercent?: number;
  /** Compares what is not comparable, too, and lists the differences. */
  force?: boolean;
}

/**
 * Compares an earlier report with a later one of the same workload, server and environment.
 *
 * @throws {IncomparableError} if workload, server or environment differ, unless forced
 * @throws {RangeError} if the noise is negative, or a metric has more than 100 rounds
 */
export function compareReports(
  oldReport: Report,
  newReport: Report,
  options: CompareOptions = {},
): Comparison {
  const { noisePercent = 3, force = false } = options;
  const differences = findDifferences(oldReport, newReport);
  if (differences.length > 0 && !force) throw new IncomparableError(differences);
  const shared = sharedScenarios(oldReport, newReport);
  const candidates = shared.flatMap(([before, after]) => candidatesOf(before, after));
  const rows = judgeCandidates(candidates, noisePercent);
  const newErrors = shared.flatMap(([before, after]) => findNewErrors(before, after));
  return {
    noisePercent,
    differences,
    rows,
    newErrors,
    onlyInOld: namesMissing(oldReport, newReport),
    onlyInNew: namesMissing(newReport, oldReport),
    regressions: [
      ...rows.filter(({ verdict }) => verdict === "slower").map(describeSlower),
      ...newErrors.map(describeErrors),
    ],
  };
}

/** The gating rows, judged together, and then the others, each on its own and without a verdict. */
function judgeCandidates(candidates: readonly Candidate[], noisePercent: number): ComparisonRow[] {
  const chosen = chooseGating(candidates);
  const gating = candidates.filter((candidate) => chosen.has(candidate));
  const judgements = judgeRows(gating, { noisePercent });
  const others = candidates.filter((candidate) => !chosen.has(candidate));
  return [
    ...gating.map((candidate, index) => toRow(candidate, judgements[index], { gating: true })),
    ...others.map((candidate) => {
      const [alone] = judgeRows([candidate], { noisePercent });
      return toRow(candidate, alone, { gating: false });
    }),
  ];
}

function toRow(
  candidate: Candidate,
  judgement: Judgement,
  { gating }: { gating: boolean },
): ComparisonRow {
  return {
    ...candidate,
    ...judgement,
    gating,
    oldRounds: candidate.oldRounds.length,
    newRounds: candidate.newRounds.length,
    adjustedP: gating ? judgement.adjustedP : null,
    verdict: gating ? judgement.verdict : null,
    roundsNeeded: gating ? judgement.roundsNeeded : null,
  };
}

/** None in a scenario that fails calls on purpose: of which kind they are is chance. */
function findNewErrors(before: ScenarioReport, after: ScenarioReport): NewErrors[] {
  if (after.overloads) return [];
  return ERROR_KINDS.filter((kind) => after.ledger[kind] > 0 && before.ledger[kind] === 0)
    .map((kind) => ({ scenario: after.name, kind, count: after.ledger[kind] }));
}

function namesMissing(from: Report, report: Report): string[] {
  const known = new Set(report.scenarios.map(({ name }) => name));
  return from.scenarios.map(({ name }) => name).filter((name) => !known.has(name));
}

function describeSlower(row: ComparisonRow): string {
  const statistic = row.statistic === "value" ? "" : ` ${row.statistic}`;
  const change = Math.abs(row.ratio - 1) * 100;
  const direction = row.ratio > 1 ? "up" : "down";
  return `${row.scenario}: ${row.metric}${statistic} is ${direction} by ${change.toFixed(1)} %`;
}

function describeErrors({ scenario, kind, count }: NewErrors): string {
  return `${scenario}: ${count} calls ended as ${kind}, where the earlier run had none`;
}
