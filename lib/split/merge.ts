import type {
  MergedShard,
  Reason,
  Report,
  ScenarioReport,
  ShardPlace,
  ShardScenario,
} from "../schema.ts";
import { EXIT, failedCheckReasons, verdictOf } from "../run/verdict.ts";
import { highest, mergeFacts, mergeScenario, type ScenarioPart } from "./merge_scenario.ts";
import { inOneTime } from "./together.ts";

export interface MergeOptions {
  /** The kind of parts: shards or workers. */
  of: NonNullable<Report["merged"]>["of"];
  command: string[];
  /** Expected number of parts. */
  count: number;
  /** Workers that died during the run. */
  lost?: readonly { index: number; reason: string }[];
}

/** The report of one part of a run. */
export interface Part {
  /** From 1. */
  index: number;
  report: Report;
}

type NamedPart = Part & Omit<ScenarioPart, "report">;

/**
 * Merges the reports of a run's parts, at least one, as if one client had run. The caller must make
 * sure that they are of one run.
 *
 * @throws {Error} if a histogram cannot be read
 */
export function mergeReports(given: readonly Part[], options: MergeOptions): Report {
  const parts = given.toSorted((a, b) => a.index - b.index).map((part): NamedPart => ({
    ...part,
    label: labelOf(part.index, options),
    // Workers share a clock.
    clock: options.of === "workers" ? null : part.report.shard?.clock ?? null,
  }));
  const reports = parts.map(({ report }) => report);
  const { shard: _, merged: __, thresholds: ___, comparison: ____, ...first } = reports[0]!;
  const names = new Set(reports.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)));
  const scenarios = [...names].map((name) => mergeShares(sharesOf(name, parts), first, options));
  const begun = reports.filter(({ scenarios }) => scenarios.length > 0);
  // The rates are left out: a part's calls a second are not the server's.
  const limits = reports.flatMap(({ rateLimit }) => rateLimit ?? []);
  const aged = reports.flatMap(({ drift }) => drift ?? [])[0];
  return {
    ...first,
    // ISO times in UTC sort as text.
    startedAt: reports.map(({ startedAt }) => startedAt).sort()[0]!,
    finishedAt: reports.map(({ finishedAt }) => finishedAt).sort().at(-1)!,
    command: options.command,
    epochs: Math.min(...(begun.length === 0 ? reports : begun).map(({ epochs }) => epochs)),
    verdict: verdictOf(mergeReasons(parts, scenarios, options)),
    preflight: reports.find(({ preflight }) => preflight.length > 0)?.preflight ?? [],
    // One that refused calls of the run says more than one that was found before it.
    rateLimit: limits.find(({ scenario }) => scenario !== null) ?? limits[0] ?? null,
    ...(aged === undefined ? {} : { drift: { ratio: aged.ratio, p: aged.p } }),
    unitBaseline: reports.find(({ unitBaseline }) => unitBaseline !== null)?.unitBaseline ?? null,
    merged: { of: options.of, parts: describeParts(parts, options) },
    scenarios,
  };
}

function labelOf(index: number, { of }: MergeOptions): string {
  return `${of === "shards" ? "shard" : "worker"} ${index}`;
}

function sharesOf(name: string, parts: readonly NamedPart[]) {
  return parts.flatMap(({ report, ...part }) =>
    report.scenarios.filter((one) => one.name === name).map((one) => ({ ...part, report: one }))
  );
}

/** Merges one scenario. It is invalid if a part died, as the load was then less than asked for. */
function mergeShares(
  shares: readonly ScenarioPart[],
  { seed }: Pick<Report, "seed">,
  options: MergeOptions,
): ScenarioReport {
  const scenario = mergeScenario(shares, { seed, of: options.of });
  const { lost = [], count } = options;
  const isSplit = shares.some(({ report }) => report.share !== undefined);
  if (lost.length === 0 || !isSplit) return scenario;
  const { validity } = scenario;
  const warnings = lost.map(({ index }) => ({
    kind: "missingPart",
    message: `${labelOf(index, options)} of ${count} died: from then on the figures are those ` +
      "of the others",
    index,
  }));
  return {
    ...scenario,
    validity: { ...validity, valid: false, warnings: [...validity.warnings, ...warnings] },
  };
}

/** Describes each part, including those that died, in order. */
function describeParts(parts: readonly NamedPart[], { lost = [] }: MergeOptions): MergedShard[] {
  const indices = new Set([...parts, ...lost].map(({ index }) => index));
  return [...indices].sort((a, b) => a - b).map((index) => {
    const part = parts.find((one) => one.index === index);
    const { environment } = (part ?? parts[0]!).report;
    return {
      index,
      lost: lost.find((one) => one.index === index)?.reason ?? null,
      machine: `${environment.cpuModel}, ${environment.cpuCount} cores`,
      late: part?.report.shard?.late ?? false,
      clock: part?.clock ?? null,
      scenarios: (part?.report.scenarios ?? []).map((scenario) =>
        describeScenario(scenario, startOffsetMs(index, sharesOf(scenario.name, parts)))
      ),
    };
  });
}

function describeScenario(
  { name, status, metrics, ledger: { sent, ok }, validity }: ScenarioReport,
  startOffsetMs: number | null,
): ShardScenario {
  const rates = metrics.filter((metric) => metric.kind === "scalar").filter(({ merge }) => merge);
  const throughput = rates.find(({ role }) => role === "headline") ?? rates[0];
  const distributions = metrics.filter((metric) => metric.kind === "distribution");
  const main = distributions.find(({ role }) => role !== "detail") ?? distributions[0];
  return {
    ...{ name, status, sent, ok, startOffsetMs },
    ratePerSecond: throughput?.value ?? null,
    p99: main?.p99 ?? null,
    valid: validity.valid,
  };
}

/** Start of a part's first epoch after the planned start, or else after the earliest part's. */
function startOffsetMs(index: number, shares: ReturnType<typeof sharesOf>): number | null {
  const measured = shares.filter(({ report }) => report.measured?.epochs[0] !== undefined);
  const own = measured.findIndex((part) => part.index === index);
  if (own < 0) return null;
  const times = inOneTime(measured);
  const startsMs = times.map(({ epochs }) => epochs[0]!.startMs);
  return startsMs[own]! - (times[own]!.plannedStartMs ?? Math.min(...startsMs));
}

/**
 * Reasons from the merged checks, other reasons (prefixed with the part's name unless all parts
 * give them), and lost parts.
 */
function mergeReasons(
  parts: readonly NamedPart[],
  scenarios: readonly ScenarioReport[],
  options: MergeOptions,
): Reason[] {
  const keyOf = ({ scenario, message }: Reason) => JSON.stringify([scenario, message]);
  const checked = new Set(
    parts.flatMap(({ report }) => report.scenarios.flatMap(failedCheckReasons)).map(keyOf),
  );
  // These are merged with the counts of their checks.
  const isOfCheck = (reason: Reason) => checked.has(keyOf(reason));
  const reasons = parts.flatMap(({ report }) => report.verdict.reasons);
  const judged = new Set(reasons.filter(isOfCheck).map(({ scenario }) => scenario));
  const kinds = Map.groupBy(
    reasons.filter((reason) => !isOfCheck(reason)),
    ({ code, scenario }) => JSON.stringify([code, scenario]),
  );
  return [
    ...scenarios.filter(({ name }) => judged.has(name)).flatMap(failedCheckReasons),
    ...[...kinds.values()].flatMap((kind) =>
      mergeFacts(parts, ({ report }) => report.verdict.reasons.filter((one) => kind.includes(one)))
    ),
    ...(options.lost ?? []).map(({ index, reason }) => ({
      code: EXIT.checkFailed,
      kind: "lostPart",
      scenario: null,
      message: `${labelOf(index, options)} of ${options.count} died: ${reason}; from then on the ` +
        "figures are those of the others",
    })),
  ];
}

/** Turns the merged report of a shard's workers into that shard's report. */
export function asShard(
  report: Report,
  place: ShardPlace,
  parts: readonly Pick<Report, "shard">[],
): Report {
  const shards = parts.flatMap(({ shard }) => shard ?? []);
  return {
    ...report,
    shard: {
      ...place,
      startAtMs: shards[0]?.startAtMs ?? null,
      startOffsetMs: highest(shards.map(({ startOffsetMs }) => startOffsetMs)),
      late: shards.some(({ late }) => late),
      clock: shards[0]?.clock ?? null,
    },
  };
}
