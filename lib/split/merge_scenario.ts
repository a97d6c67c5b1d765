/**
 * One scenario of several shards as if one client had run it.
 *
 * @module
 */

import type { Check, ClockOffset, Measured, ScenarioReport, Validity } from "../schema.ts";
import { callChecks, reconciliation } from "../run/call_checks.ts";
import { mergeCheck, mergeFacts } from "./merge_checks.ts";
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
  const [first] = reports;
  const { metrics, unmerged } = mergeMetrics(reports.map((report) => report.metrics), seed);
  const checks = mergeChecks(ran);
  const reasons = mergeFacts(ran.map(({ label, report: { reason } }) => ({
    label,
    facts: reason === null ? [] : [{ kind: "reason", message: reason }],
  })));
  return {
    name: first!.name,
    title: first!.title,
    question: first!.question,
    status: mergedStatus(reports, checks),
    reason: reasons.map(({ message }) => message).join("; ") || null,
    ...mergedTime(reports),
    parameters: first!.parameters,
    ...(first!.overloads ? { overloads: true } : {}),
    checks,
    notMeasured: mergeNotMeasured(reports, unmerged),
    warmupLedger: mergeLedgers(reports.map(({ warmupLedger }) => warmupLedger)),
    ledger: mergeLedgers(reports.map(({ ledger }) => ledger)),
    metrics,
    validity: mergeValidity(ran),
    notes: mergeFacts(ran.map(({ label, report: { notes = [] } }) => ({ label, facts: notes }))),
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
  return {
    startedAt: new Date(Math.min(...starts)).toISOString(),
    durationMs: Math.max(...reports.map(({ durationMs }) => durationMs)),
  };
}

/** Those on the ledger are made anew from the whole one; the others hold where they hold on each shard. */
function mergeChecks(ran: readonly ScenarioPart[]): Check[] {
  const ledger = mergeLedgers(ran.map(({ report }) => report.ledger));
  const warmupLedger = mergeLedgers(ran.map(({ report }) => report.warmupLedger));
  const overloads = ran.some(({ report }) => report.overloads);
  const ofLedger = [
    ...callChecks({ ledger, warmupLedger, overloads }),
    ...reconciliation(ledger, warmupLedger),
  ];
  const all = ran.flatMap(({ label, report }) => report.checks.map((check) => ({ label, check })));
  const isOther = ({ kind }: Check) => !ofLedger.some((check) => check.kind === kind);
  const names = new Set(all.flatMap(({ check }) => isOther(check) ? [check.name] : []));
  return [
    ...[...names].map((name) => mergeCheck(all.filter(({ check }) => check.name === name))),
    ...ofLedger,
  ];
}

function mergeNotMeasured(
  reports: readonly ScenarioReport[],
  unmerged: ScenarioReport["notMeasured"],
): ScenarioReport["notMeasured"] {
  const all = [...reports.flatMap(({ notMeasured }) => notMeasured), ...unmerged];
  return all.filter((one, index) => all.findIndex(({ name }) => name === one.name) === index);
}

/** Valid where every shard is and they measured together; of shares and lags the worst is given. */
function mergeValidity(ran: readonly ScenarioPart[]): Validity {
  const validities = ran.map(({ report }) => report.validity);
  const warnings = [
    ...mergeFacts(
      ran.map(({ label, report }) => ({ label, facts: report.validity.warnings })),
    ),
    ...togetherWarnings(ran),
  ];
  const worst = validities.toSorted((a, b) => (b.clientShare ?? -1) - (a.clientShare ?? -1))[0]!;
  const floors = validities.flatMap(({ floor }) => floor ?? []);
  return {
    valid: warnings.length === 0 && validities.every(({ valid }) => valid),
    client: worstClient(validities),
    clientShare: worst.clientShare,
    clientShareCi95: worst.clientShareCi95,
    ...(floors.length < validities.length ? {} : {
      floor: {
        throughput: floors.reduce((sum, { throughput }) => sum + throughput, 0),
        latencyP50Ns: highest(floors.map(({ latencyP50Ns }) => latencyP50Ns)),
      },
    }),
    clientCpu: highest(validities.map(({ clientCpu }) => clientCpu)),
    loopLagP99Ns: highest(validities.map(({ loopLagP99Ns }) => loopLagP99Ns)),
    warnings,
  };
}

const CLIENTS = ["bound", "undecided", "free"] as const;

function worstClient(validities: readonly Validity[]): Validity["client"] {
  return CLIENTS.find((one) => validities.some(({ client }) => client === one)) ?? null;
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** From the first shard's beginning of an epoch to the last one's end; the epochs that all have. */
function mergeMeasured(ran: readonly ScenarioPart[]): Measured {
  const all = inOneTime(ran);
  const planned = new Set(all.map(({ plannedStartMs }) => plannedStartMs));
  const count = Math.min(...all.map(({ epochs }) => epochs.length));
  return {
    plannedStartMs: planned.size === 1 ? all[0]!.plannedStartMs : null,
    epochs: Array.from({ length: count }, (_, index) => ({
      startMs: Math.min(...all.map(({ epochs }) => epochs[index]!.startMs)),
      endMs: Math.max(...all.map(({ epochs }) => epochs[index]!.endMs)),
    })),
  };
}
