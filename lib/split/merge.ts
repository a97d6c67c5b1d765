import type {
  MergedShard,
  Reason,
  Report,
  ScenarioReport,
  ShardPlace,
  ShardScenario,
} from "../schema.ts";
import { EXIT, failedCheckReasons, verdictOf } from "../run/verdict.ts";
import { mergeFacts, mergeScenario, type ScenarioPart } from "./merge_scenario.ts";
import { inOneTime } from "./together.ts";

/** How the reports of the parts of a run, which are shards or workers, are merged. */
export interface MergeOptions {
  of: NonNullable<Report["merged"]>["of"];
  command: string[];
  /** How many there should be. */
  count: number;
  /** Workers that died before they could report all. */
  lost?: readonly { index: number; reason: string }[];
}

/** A report with its place among the parts, from 1. */
export interface Part {
  index: number;
  report: Report;
}

type NamedPart = Part & Omit<ScenarioPart, "report">;

/**
 * Merges the reports of the parts of one run as if one client had run. Whether they are of one run, and all of them, is for the
 * caller to know.
 *
 * @throws {RangeError} if there is none
 * @throws {Error} if a histogram cannot be read
 */
export function mergeReports(given: readonly Part[], options: MergeOptions): Report {
  if (given.length === 0) throw new RangeError("Cannot merge reports as there is none");
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
  const measured = begun.length === 0 ? reports : begun;
  // The calls a second of a part are not those of the server.
  const aged = reports.flatMap(({ drift }) => drift ?? [])[0];
  return {
    ...first,
    startedAt: isoTime(Math.min(...reports.map(({ startedAt }) => Date.parse(startedAt)))),
    finishedAt: isoTime(Math.max(...reports.map(({ finishedAt }) => Date.parse(finishedAt)))),
    command: options.command,
    epochs: Math.min(...measured.map(({ epochs }) => epochs)),
    verdict: verdictOf(mergeReasons(parts, scenarios, options)),
    preflight: reports.find(({ preflight }) => preflight.length > 0)?.preflight ?? [],
    rateLimit: reports.find(({ rateLimit }) => rateLimit !== null)?.rateLimit ?? null,
    ...(aged === undefined ? {} : { drift: { ratio: aged.ratio, p: aged.p } }),
    unitBaseline: reports.find(({ unitBaseline }) => unitBaseline !== null)?.unitBaseline ?? null,
    merged: { of: options.of, parts: describeParts(parts, options) },
    scenarios,
  };
}

function labelOf(index: number, { of }: Pick<MergeOptions, "of">): string {
  return `${of === "shards" ? "shard" : "worker"} ${index}`;
}

function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

function sharesOf(name: string, parts: readonly NamedPart[]) {
  return parts.flatMap(({ report, ...part }) =>
    report.scenarios.filter((one) => one.name === name).map((one) => ({ ...part, report: one }))
  );
}

/** With a part lost, the load of a split scenario was not the one asked for from then on. */
function mergeShares(
  shares: readonly ScenarioPart[],
  { seed }: Pick<Report, "seed">,
  options: MergeOptions,
): ScenarioReport {
  const scenario = mergeScenario(shares, seed);
  const { lost = [], count } = options;
  const isSplit = shares.some(({ report }) => report.share !== undefined);
  if (lost.length === 0 || !isSplit) return scenario;
  const { validity } = scenario;
  const warnings = lost.map(({ index }) => ({
    kind: "missingPart",
    message:
      `${labelOf(index, options)} of ${count} is missing from where it died: the rest of the ` +
      "figures are those of the others",
    index,
  }));
  return {
    ...scenario,
    validity: { ...validity, valid: false, warnings: [...validity.warnings, ...warnings] },
  };
}

/** What each part did, those that died included, in the order of their places. */
function describeParts(
  parts: readonly NamedPart[],
  { lost = [] }: MergeOptions,
): MergedShard[] {
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

/**
 * When a part's first epoch began: in milliseconds after the planned start, or else after the earliest
 * part's, by the first part's clock.
 */
function startOffsetMs(index: number, shares: ReturnType<typeof sharesOf>): number | null {
  const measured = shares.filter(({ report }) => report.measured?.epochs[0] !== undefined);
  const starts = inOneTime(measured).map(({ plannedStartMs, epochs }, nth) => ({
    index: measured[nth]!.index,
    plannedStartMs,
    startMs: epochs[0]!.startMs,
  }));
  const own = starts.find((start) => start.index === index);
  if (own === undefined) return null;
  return own.startMs - (own.plannedStartMs ?? Math.min(...starts.map(({ startMs }) => startMs)));
}

/**
 * What the merged checks say, with the counts of the whole; each other reason once where all parts give it,
 * else with the part's name before it; and the lost parts.
 */
function mergeReasons(
  parts: readonly NamedPart[],
  scenarios: readonly ScenarioReport[],
  options: MergeOptions,
): Reason[] {
  const { ofCheck = [], other = [] } = Object.groupBy(
    parts.flatMap(({ label, report }) =>
      report.verdict.reasons.map((reason) => ({
        label,
        reason,
        isOfCheck: isOfCheck(reason, report),
      }))
    ),
    ({ isOfCheck }) => isOfCheck ? "ofCheck" : "other",
  );
  const judged = new Set(ofCheck.map(({ reason }) => reason.scenario));
  const kinds = Map.groupBy(other, ({ reason }) => JSON.stringify([reason.code, reason.scenario]));
  const merged = [...kinds.values()].flatMap((given) =>
    mergeFacts(
      parts,
      ({ label }) => given.flatMap((one) => one.label === label ? [one.reason] : []),
    )
  );
  const lost = (options.lost ?? []).map(({ index, reason }) => ({
    code: EXIT.checkFailed,
    kind: "lostPart",
    scenario: null,
    message: `${labelOf(index, options)} of ${options.count} died: ${reason}; from then on the ` +
      "figures are those of the others",
  }));
  return [
    ...scenarios.filter(({ name }) => judged.has(name)).flatMap(failedCheckReasons),
    ...merged,
    ...lost,
  ];
}

/** Is a reason that of a check, which is merged with its counts rather than given for each part? */
function isOfCheck(reason: Reason, { scenarios }: Report): boolean {
  return scenarios.flatMap(failedCheckReasons).some(({ scenario, message }) =>
    scenario === reason.scenario && message === reason.message
  );
}

/** The same report as that of one shard, which is itself made of parts. */
export function asShard(
  report: Report,
  place: ShardPlace,
  parts: readonly Pick<Report, "shard">[],
): Report {
  const shards = parts.flatMap(({ shard }) => shard ?? []);
  const offsets = shards.flatMap(({ startOffsetMs }) => startOffsetMs ?? []);
  return {
    ...report,
    shard: {
      ...place,
      startAtMs: shards[0]?.startAtMs ?? null,
      startOffsetMs: offsets.length === 0 ? null : Math.max(...offsets),
      late: shards.some(({ late }) => late),
      clock: shards[0]?.clock ?? null,
    },
  };
}
