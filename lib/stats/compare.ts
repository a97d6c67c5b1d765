import type { Comparison, ComparisonRow, NewErrors, Report } from "../schema.ts";
import { findAllDifferences, findDifferences, IncomparableError } from "./comparability.ts";
import {
  type Candidate,
  candidatesOf,
  findUnpaired,
  pairScenarios,
  type ScenarioPair,
} from "./compared_rows.ts";
import { judgeChange, type Judgement, MINIMUM_BASELINES, UNDECIDED } from "./judge.ts";
import { findNewErrors } from "./ledger_errors.ts";

export interface CompareOptions {
  /** Noise between runs in per cent, used with fewer than 4 earlier runs; `null` if unknown. */
  noisePercent: number | null;
  /** Changes of at most this many per cent do not matter. */
  bandPercent: number;
  /** Compares reports of different measurements too, and lists the differences. */
  force: boolean;
}

/**
 * Compares a run with earlier runs of the same workload, server and environment; the rule is in
 * docs/method.md, "Comparing with earlier runs". With four or more earlier runs the noise between
 * runs is learned from them. With fewer, nothing gates unless the noise is stated.
 *
 * @param olds at least one earlier report
 * @throws {IncomparableError} if workload, server or environment differ, unless forced
 */
export function compareReports(
  olds: readonly Report[],
  now: Report,
  { noisePercent, bandPercent, force }: CompareOptions,
): Comparison {
  const differences = findAllDifferences(olds, now);
  if (differences.length > 0 && !force) throw new IncomparableError(differences);
  const stated = noisePercent === null ? "unknown" : "stated";
  const noise = olds.length >= MINIMUM_BASELINES ? "learned" : stated;
  const pairs = pairScenarios(olds, now);
  const candidates = pairs.flatMap((pair) => candidatesOf(pair));
  const gates = ({ isGate }: Candidate) => isGate && noise !== "unknown";
  const rows = candidates.filter(gates).length;
  const judged = candidates.map((candidate) => ({
    ...candidate.row,
    ...judge(candidate, { noisePercent, bandPercent, rows }),
    gating: gates(candidate),
  }));
  return {
    ...{ noise, noisePercent, bandPercent, baselines: olds.length, differences },
    ...foundIn(pairs, judged),
    ...findUnpaired(olds, now),
  };
}

/**
 * Adds a comparison that is shown but decides nothing: with the earlier runs (oldest first) that
 * passed and measured the same workload, on the same server and machine, with as many shards.
 * Returns the report unchanged if there is no such run, if the user gave baselines, or if the run
 * was interrupted.
 */
export function compareWithEarlier(
  report: Report,
  earlier: readonly Report[],
  { noisePercent, bandPercent }: Omit<CompareOptions, "force">,
): Report {
  if (report.comparison !== undefined || report.verdict.status === "interrupted") return report;
  const parts = ({ merged }: Report) => merged?.parts.length ?? 1;
  const base = earlier.filter((old) =>
    old.verdict.status === "passed" && old.ab === undefined && parts(old) === parts(report) &&
    findDifferences(old, report).length === 0
  );
  if (base.length === 0) return report;
  const comparison = compareReports(base, report, { noisePercent, bandPercent, force: false });
  return {
    ...report,
    comparison: {
      ...comparison,
      automatic: true,
      rows: comparison.rows.map((row) => ({ ...row, gating: false })),
      // A run of fewer scenarios is not missing the others.
      onlyInOld: [],
      onlyInNew: [],
      regressions: [],
    },
  };
}

/** The rows, the new errors, and a sentence for each regression among them. */
export function foundIn(
  pairs: readonly ScenarioPair[],
  rows: ComparisonRow[],
): Pick<Comparison, "rows" | "newErrors" | "regressions"> {
  const newErrors = pairs.flatMap(newErrorsOf);
  const slower = rows.filter(({ gating, verdict }) => gating && verdict === "slower");
  const regressions = [...slower.map(describeSlower), ...newErrors.map(describeErrors)];
  return { rows, newErrors, regressions };
}

/** Judges a row, or says why it cannot be judged. */
function judge(
  { olds, now, row: { better }, unusable }: Candidate,
  options: Parameters<typeof judgeChange>[1],
): Judgement {
  const values = olds.flatMap(({ value }) => value ?? []);
  const old = values.at(-1) ?? null;
  const missing = { ...UNDECIDED, old, new: now?.value ?? null, ratio: null };
  if (unusable !== null) return { ...missing, why: unusable };
  if (now === null) return { ...missing, why: "vanished" };
  if (olds.length === 0) return { ...missing, why: "notInBaselines" };
  if (now.value === null || values.length === 0) return { ...missing, why: "tooFewSamples" };
  if ([...values, now.value].some((value) => !(value > 0))) {
    return { ...missing, why: "notPositive" };
  }
  const judgement = judgeChange({ olds: values, now: now.value, better }, options);
  if (isCertain(judgement, { olds, now })) return judgement;
  return { ...judgement, verdict: "undecided", why: "noAnswer", need: null };
}

/** False if a time is known only as "at least", and the true one could change the verdict. */
function isCertain(
  { verdict, ratio }: Judgement,
  { olds, now }: { olds: Candidate["olds"]; now: NonNullable<Candidate["now"]> },
): boolean {
  if (verdict === "undecided") return true;
  const rises = verdict !== "same" && ratio! > 1;
  const falls = verdict !== "same" && ratio! < 1;
  return (rises || !now.isAtLeast) && (falls || !olds.some(({ isAtLeast }) => isAtLeast));
}

/** None in a scenario that makes calls fail on purpose, as the kinds and numbers are chance. */
function newErrorsOf({ olds, now }: ScenarioPair): NewErrors[] {
  const passed = olds.filter(({ status }) => status === "passed");
  if (now.overloads || now.status !== "passed" || passed.length === 0) return [];
  return findNewErrors(passed.map(({ ledger }) => ledger), now.ledger)
    .map((errors) => ({ scenario: now.name, ...errors }));
}

function describeSlower({ scenario, metric, at = {}, statistic, ratio }: ComparisonRow): string {
  const name = [metric, ...Object.values(at), ...(statistic === "value" ? [] : [statistic])];
  const change = Math.abs(ratio! - 1) * 100;
  const direction = ratio! > 1 ? "up" : "down";
  return `${scenario}: ${name.join(" ")} is ${direction} by ${change.toFixed(1)} %`;
}

function describeErrors(errors: NewErrors): string {
  const { scenario, kind, old } = errors;
  const before = old === 0 ? "the earlier runs had none" : `the earlier runs had ${old} in all`;
  return `${scenario}: ${errors.new} × ${kind}, where ${before}`;
}
