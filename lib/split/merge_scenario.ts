import type {
  Check,
  ClockOffset,
  Fact,
  Ledger,
  Measured,
  ScenarioReport,
  Validity,
} from "../schema.ts";
import { callChecks, reconciliation } from "../run/call_checks.ts";
import { mergeMetrics } from "./merge_metrics.ts";
import { byEpoch, inOneTime, togetherWarnings } from "./together.ts";

/** One part's report of a scenario. */
export interface ScenarioPart {
  /** The part's name in messages, such as `shard 2`. */
  label: string;
  clock: ClockOffset | null;
  report: ScenarioReport;
}

/**
 * Merges the reports of the parts that ran a scenario. If at most one did, its report is returned.
 *
 * @param how.seed For resampling the intervals.
 * @throws {Error} if a shard's histograms cannot be read
 */
export function mergeScenario(
  parts: readonly ScenarioPart[],
  { seed, of }: { seed: number; of: "shards" | "workers" },
): ScenarioReport {
  const ran = parts.filter(({ report }) => report.status !== "skipped");
  if (ran.length < 2) return structuredClone((ran[0] ?? parts[0]!).report);
  const reports = ran.map(({ report }) => report);
  const { name, title, question, parameters, overloads } = reports[0]!;
  const { metrics, unmerged } = mergeMetrics(reports.map((report) => report.metrics), seed);
  const ledgers = {
    warmupLedger: mergeLedgers(reports.map(({ warmupLedger }) => warmupLedger)),
    ledger: mergeLedgers(reports.map(({ ledger }) => ledger)),
  };
  const checks = mergeChecks(ran, ledgers);
  const reasons = mergeFacts(
    ran,
    ({ report: { reason } }) => reason === null ? [] : [{ kind: "reason", message: reason }],
  );
  const notMeasured = [...reports.flatMap((report) => report.notMeasured), ...unmerged];
  return {
    ...{ name, title, question },
    status: mergedStatus(reports, checks),
    reason: reasons.map(({ message }) => message).join("; ") || null,
    startedAt: reports.map(({ startedAt }) => startedAt).sort()[0]!,
    durationMs: Math.max(...reports.map(({ durationMs }) => durationMs)),
    parameters,
    ...(overloads ? { overloads } : {}),
    checks,
    notMeasured: uniqueBy(notMeasured, (one) => one.name),
    ...ledgers,
    metrics,
    validity: mergeValidity(ran, of),
    notes: mergeFacts(ran, ({ report: { notes = [] } }) => notes),
    measured: mergeMeasured(ran),
    ...mergeShare(reports),
  };
}

/** Empty if the parts make up the whole. */
function mergeShare(reports: readonly ScenarioReport[]): Pick<ScenarioReport, "share"> {
  const shares = reports.flatMap(({ share }) => share ?? []);
  const connections = sumOf(shares, (share) => share.connections);
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

/** Rebuilds the checks on the ledger from the merged one, and merges the others by name. */
function mergeChecks(
  ran: readonly ScenarioPart[],
  ledgers: { ledger: Ledger; warmupLedger: Ledger },
): Check[] {
  const overloads = ran.some(({ report }) => report.overloads);
  const ofLedger = [
    ...callChecks({ ...ledgers, overloads }),
    ...reconciliation(ledgers.ledger, ledgers.warmupLedger),
  ];
  const others = ran.flatMap(({ label, report }) =>
    report.checks.filter(({ kind }) => ofLedger.every((check) => check.kind !== kind))
      .map((check) => ({ label, check }))
  );
  return [
    ...[...Map.groupBy(others, ({ check }) => check.name).values()].map(mergeCheck),
    ...ofLedger,
  ];
}

/** Merges one check of all parts: counts are added, and it passes if it passed on every part. */
export function mergeCheck(parts: readonly { label: string; check: Check }[]): Check {
  const { kind, name } = parts[0]!.check;
  const passed = parts.every(({ check }) => check.passed);
  if (parts.every(({ check }) => check.seen !== undefined && check.wanted !== undefined)) {
    const seen = sumOf(parts, ({ check }) => check.seen!);
    const wanted = sumOf(parts, ({ check }) => check.wanted!);
    const failed = parts.filter(({ check }) => !check.passed);
    const why = failed.map(({ label, check }) => `; ${label}: ${check.observed}`).join("");
    return {
      ...{ kind, name, passed, seen, wanted },
      expected: `${wanted} of ${wanted}`,
      observed: `${seen} of ${wanted}${why}`,
    };
  }
  /** The common text, or each part's with its label. */
  const textOf = (field: "expected" | "observed") =>
    new Set(parts.map(({ check }) => check[field])).size === 1
      ? parts[0]!.check[field]
      : parts.map(({ label, check }) => `${label}: ${check[field]}`).join("; ");
  return { kind, name, passed, expected: textOf("expected"), observed: textOf("observed") };
}

/** Merges facts by message: once if all parts have it, else prefixed with the part's label. */
export function mergeFacts<F extends Fact, P extends { label: string }>(
  parts: readonly P[],
  factsOf: (part: P) => readonly F[],
): F[] {
  const given = parts.map((part) => ({
    label: part.label,
    facts: uniqueBy(factsOf(part), ({ message }) => message),
  }));
  const isCommon = ({ message }: F) =>
    given.every(({ facts }) => facts.some((one) => one.message === message));
  return [
    ...given[0]!.facts.filter(isCommon),
    ...given.flatMap(({ label, facts }) =>
      facts.filter((fact) => !isCommon(fact))
        .map((fact) => ({ ...fact, message: `${label}: ${fact.message}` }))
    ),
  ];
}

/** Sums every count of the ledgers, and keeps the first text of each name. */
export function mergeLedgers(ledgers: readonly Ledger[]): Ledger {
  return mergeValues(ledgers) as Ledger;
}

function mergeValues(values: readonly unknown[]): unknown {
  if (values.every((value) => typeof value === "number")) return sumOf(values, (count) => count);
  if (values.every((value) => typeof value === "string")) return values[0];
  const named = Map.groupBy(
    values.flatMap((value) => Object.entries(value as object)),
    ([name]) => name,
  );
  return Object.fromEntries(
    [...named].map(([name, entries]) => [name, mergeValues(entries.map(([, value]) => value))]),
  );
}

/** Valid if every part is and they measured together. Shares and lags are those of the worst. */
function mergeValidity(ran: readonly ScenarioPart[], of: "shards" | "workers"): Validity {
  const validities = ran.map(({ report }) => report.validity);
  const warnings = [
    ...mergeFacts(ran, ({ report }) => report.validity.warnings),
    ...togetherWarnings(ran, of),
  ];
  const worst = validities.toSorted((a, b) => (b.clientShare ?? -1) - (a.clientShare ?? -1))[0]!;
  const floors = validities.flatMap(({ floor }) => floor ?? []);
  return {
    valid: warnings.length === 0 && validities.every(({ valid }) => valid),
    client: CLIENTS.find((one) => validities.some(({ client }) => client === one)) ?? null,
    clientShare: worst.clientShare,
    clientShareCi95: worst.clientShareCi95,
    ...(floors.length < validities.length ? {} : {
      floor: {
        throughput: sumOf(floors, ({ throughput }) => throughput),
        latencyP50Ns: highest(floors.map(({ latencyP50Ns }) => latencyP50Ns)),
      },
    }),
    clientCpu: highest(validities.map(({ clientCpu }) => clientCpu)),
    loopLagP99Ns: highest(validities.map(({ loopLagP99Ns }) => loopLagP99Ns)),
    warnings,
  };
}

/** Worst first. */
const CLIENTS = ["bound", "undecided", "free"] as const;

/** The highest known value; `null` if there is none. */
export function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Each epoch from the earliest start to the latest end of its parts. */
function mergeMeasured(ran: readonly ScenarioPart[]): Measured {
  const all = inOneTime(ran);
  const planned = new Set(all.map(({ plannedStartMs }) => plannedStartMs));
  return {
    plannedStartMs: planned.size === 1 ? all[0]!.plannedStartMs : null,
    epochs: byEpoch(all).map((epochs) => ({
      startMs: Math.min(...epochs.map(({ startMs }) => startMs)),
      endMs: Math.max(...epochs.map(({ endMs }) => endMs)),
    })),
  };
}

function sumOf<T>(some: readonly T[], valueOf: (one: T) => number): number {
  return some.reduce((sum, one) => sum + valueOf(one), 0);
}

/** Keeps the first item of each key. */
function uniqueBy<T>(some: readonly T[], keyOf: (one: T) => string): T[] {
  return [...Map.groupBy(some, keyOf).values()].map(([first]) => first!);
}
