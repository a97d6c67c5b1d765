/**
 * One scenario of several shards as if one client had run it.
 *
 * @module
 */

import type { Check, ClockOffset, Measured, ScenarioReport, Validity } from "../schema.ts";
import { brokenEquations } from "../client/ledger.ts";
import { callChecks } from "../run/call_checks.ts";
import { roundNotes } from "../run/round_notes.ts";
import { mergeCheck, mergeSentences } from "./merge_checks.ts";
import { mergeLedgers } from "./merge_ledgers.ts";
import { mergeMetrics } from "./merge_metrics.ts";
import { inOneTime, togetherWarnings } from "./together.ts";

/** A scenario as one shard has reported it. */
export interface ScenarioPart {
  /** How texts call the shard: `shard 2`. */
  label: string;
  clock: ClockOffset | null;
  report: ScenarioReport;
}

/**
 * Merges those that have run it; where but one has, or none, its report stays as it is.
 *
 * @param seed of the intervals
 * @throws {Error} if a shard's histograms cannot be read
 */
export function mergeScenario(parts: readonly ScenarioPart[], seed: number): ScenarioReport {
  const ran = parts.filter(({ report }) => report.status !== "skipped");
  if (ran.length < 2) return structuredClone((ran[0] ?? parts[0]!).report);
  const reports = ran.map(({ report }) => report);
  const { metrics, unmerged } = mergeMetrics(reports.map((report) => report.metrics), seed);
  const checks = mergeChecks(ran);
  const reasons = ran.map(({ label, report }) => ({
    label,
    texts: report.reason === null ? [] : [report.reason],
  }));
  return {
    name: reports[0]!.name,
    question: reports[0]!.question,
    status: mergedStatus(reports, checks),
    reason: mergeSentences(reasons).join("; ") || null,
    ...mergedTime(reports),
    parameters: reports[0]!.parameters,
    ...(reports[0]!.overloads ? { overloads: true } : {}),
    checks,
    notMeasured: mergeNotMeasured(reports, unmerged),
    warmupLedger: mergeLedgers(reports.map(({ warmupLedger }) => warmupLedger)),
    ledger: mergeLedgers(reports.map(({ ledger }) => ledger)),
    metrics,
    validity: mergeValidity(ran, metrics),
    notes: [...commonNotes(reports), ...roundNotes(metrics)],
    measured: mergeMeasured(ran),
    ...mergeShare(reports),
  };
}

/** Nothing, where the parts are the whole. */
function mergeShare(reports: readonly ScenarioReport[]): Pick<ScenarioReport, "share"> {
  const shares = reports.flatMap(({ share }) => share ?? []);
  const connections = shares.reduce((sum, share) => sum + share.connections, 0);
  const of = shares[0]?.of;
  return of === undefined || connections === of ? {} : { share: { connections, of } };
}

function mergedStatus(
  reports: readonly ScenarioReport[],
  checks: readonly Check[],
): ScenarioReport["status"] {
  const has = (status: ScenarioReport["status"]) => reports.some((one) => one.status === status);
  if (has("interrupted")) return "interrupted";
  return has("failed") || checks.some(({ passed }) => !passed) ? "failed" : "passed";
}

function mergedTime(
  reports: readonly ScenarioReport[],
): Pick<ScenarioReport, "startedAt" | "durationMs"> {
  const starts = reports.map(({ startedAt }) => Date.parse(startedAt));
  const ends = reports.map(({ durationMs }, index) => starts[index]! + durationMs);
  const startMs = Math.min(...starts);
  return { startedAt: new Date(startMs).toISOString(), durationMs: Math.max(...ends) - startMs };
}

const RECONCILES = "ledger reconciles";

/** Those on the ledger are made anew from the whole one; the others hold where they hold on each shard. */
function mergeChecks(ran: readonly ScenarioPart[]): Check[] {
  const ledger = mergeLedgers(ran.map(({ report }) => report.ledger));
  const warmupLedger = mergeLedgers(ran.map(({ report }) => report.warmupLedger));
  const broken = [...brokenEquations(warmupLedger), ...brokenEquations(ledger)];
  const ofLedger = [
    ...callChecks({ ledger, warmupLedger }),
    {
      name: RECONCILES,
      passed: broken.length === 0,
      expected: "every call and every frame accounted for once",
      observed: broken.length === 0 ? "all equations hold" : broken.join("; "),
    },
  ];
  const names = [...new Set(ran.flatMap(({ report }) => report.checks.map(({ name }) => name)))]
    .filter((name) => !ofLedger.some((check) => check.name === name));
  const joined = names.map((name) =>
    mergeCheck(
      name,
      ran.flatMap(({ label, report }) =>
        report.checks.filter((check) => check.name === name).map((check) => ({ label, check }))
      ),
    )
  );
  return [...joined, ...ofLedger];
}

function mergeNotMeasured(
  reports: readonly ScenarioReport[],
  unmerged: ScenarioReport["notMeasured"],
): ScenarioReport["notMeasured"] {
  const all = [...reports.flatMap(({ notMeasured }) => notMeasured), ...unmerged];
  return all.filter((one, index) => all.findIndex(({ name }) => name === one.name) === index);
}

/** What all say of the run; what each says of its own rounds is said anew of the merged ones. */
function commonNotes(reports: readonly ScenarioReport[]): string[] {
  return (reports[0]!.notes ?? []).filter((note) =>
    reports.every(({ notes }) => notes?.includes(note)) && !/rounds? (is|far)\b/.test(note)
  );
}

/** Valid where every shard is and they measured together; of shares and lags the worst is given. */
function mergeValidity(
  ran: readonly ScenarioPart[],
  metrics: ScenarioReport["metrics"],
): Validity {
  const validities = ran.map(({ report }) => report.validity);
  const floor = mergeFloor(validities, metrics);
  const warnings = [
    ...mergeSentences(ran.map(({ label, report }) => ({ label, texts: report.validity.warnings }))),
    ...togetherWarnings(ran),
  ];
  return {
    valid: warnings.length === 0 && validities.every(({ valid }) => valid),
    clientCpu: worst(validities.map(({ clientCpu }) => clientCpu)),
    loopLagP99Ns: worst(validities.map(({ loopLagP99Ns }) => loopLagP99Ns)),
    ...(floor === undefined ? {} : { floor }),
    warnings,
  };
}

/** What the shards' clients reach together against servers that do nothing: the sum of their floors. */
function mergeFloor(
  validities: readonly Validity[],
  metrics: ScenarioReport["metrics"],
): Validity["floor"] {
  const floors = validities.flatMap(({ floor }) => floor ?? []);
  if (floors.length < validities.length) return undefined;
  const throughput = floors.reduce((sum, floor) => sum + floor.throughput, 0);
  const measured = metrics.find(({ name }) => name === "throughput");
  return {
    connections: floors.reduce((sum, floor) => sum + floor.connections, 0),
    throughput,
    latencyP50Ns: Math.max(...floors.map(({ latencyP50Ns }) => latencyP50Ns)),
    share: measured?.kind === "scalar" && throughput > 0 ? measured.value / throughput : null,
  };
}

function worst(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** From the first shard's beginning of a round to the last one's end; the rounds that all have. */
function mergeMeasured(ran: readonly ScenarioPart[]): Measured {
  const all = inOneTime(ran);
  const planned = new Set(all.map(({ plannedStartMs }) => plannedStartMs));
  const count = Math.min(...all.map(({ rounds }) => rounds.length));
  return {
    plannedStartMs: planned.size === 1 ? all[0]!.plannedStartMs : null,
    rounds: Array.from({ length: count }, (_, index) => ({
      startMs: Math.min(...all.map(({ rounds }) => rounds[index]!.startMs)),
      endMs: Math.max(...all.map(({ rounds }) => rounds[index]!.endMs)),
    })),
  };
}
