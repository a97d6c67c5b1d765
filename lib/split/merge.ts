/**
 * The reports of shards or workers as one, as if one client had run.
 *
 * @module
 */

import type { Reason, Report, ScenarioReport, ShardPlace } from "../schema.ts";
import { EXIT, failedCheckReasons, verdictOf } from "../run/verdict.ts";
import { mergeFacts } from "./merge_checks.ts";
import { describeParts } from "./describe_parts.ts";
import { clockOf, labelOf, type MergeOptions, type Part } from "./parts.ts";
import { mergeScenario, type ScenarioPart } from "./merge_scenario.ts";

/**
 * Merges the reports of the parts of one run. Whether they are of one run, and all of them, is for the
 * caller to know.
 *
 * @throws {RangeError} if there is none
 * @throws {Error} if a histogram cannot be read
 */
export function mergeReports(parts: readonly Part[], options: MergeOptions): Report {
  if (parts.length === 0) throw new RangeError("Cannot merge reports as there is none");
  const sorted = parts.toSorted((a, b) => a.index - b.index);
  const reports = sorted.map(({ report }) => report);
  const { shard: _, merged: __, thresholds: ___, comparison: ____, ...first } = reports[0]!;
  const scenarios = mergeScenarios(sorted, options);
  const begun = reports.filter(({ scenarios }) => scenarios.length > 0);
  const measured = begun.length === 0 ? reports : begun;
  // The calls a second of a part are not those of the server.
  const aged = reports.flatMap(({ drift }) => drift ?? [])[0];
  return {
    ...first,
    startedAt: earliest(reports.map(({ startedAt }) => startedAt)),
    finishedAt: latest(reports.map(({ finishedAt }) => finishedAt)),
    command: options.command,
    epochs: Math.min(...measured.map(({ epochs }) => epochs)),
    verdict: verdictOf(mergeReasons(sorted, scenarios, options)),
    preflight: reports.find(({ preflight }) => preflight.length > 0)?.preflight ?? [],
    rateLimit: reports.find(({ rateLimit }) => rateLimit !== null)?.rateLimit ?? null,
    ...(aged === undefined ? {} : { drift: { ratio: aged.ratio, p: aged.p } }),
    unitBaseline: reports.find(({ unitBaseline }) => unitBaseline !== null)?.unitBaseline ?? null,
    merged: { of: options.of, parts: describeParts(sorted, options) },
    scenarios,
  };
}

function mergeScenarios(parts: readonly Part[], options: MergeOptions): ScenarioReport[] {
  const names = [
    ...new Set(parts.flatMap(({ report }) => report.scenarios.map(({ name }) => name))),
  ];
  return names.map((name) => {
    const shares = sharesOf(name, parts, options);
    const merged = mergeScenario(shares, parts[0]!.report.seed);
    const isSplit = shares.some(({ report }) => report.share !== undefined);
    return isSplit ? withoutLost(merged, options) : merged;
  });
}

function sharesOf(
  name: string,
  parts: readonly Part[],
  options: MergeOptions,
): ScenarioPart[] {
  return parts.flatMap(({ index, report }) =>
    report.scenarios.filter((scenario) => scenario.name === name).map((scenario) => ({
      label: labelOf(index, options),
      clock: clockOf(report, options),
      report: scenario,
    }))
  );
}

/** The load was not the one asked for, from when a part was lost. */
function withoutLost(scenario: ScenarioReport, options: MergeOptions): ScenarioReport {
  const { lost = [], count } = options;
  if (lost.length === 0) return scenario;
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

/**
 * What the merged checks say, with the counts of the whole; each other reason once where all parts give it,
 * else with the part's name before it; and the lost parts.
 */
function mergeReasons(
  parts: readonly Part[],
  scenarios: readonly ScenarioReport[],
  options: MergeOptions,
): Reason[] {
  const own = parts.map(({ index, report }) => ({
    label: labelOf(index, options),
    reasons: report.verdict.reasons.filter((reason) => !isOfCheck(reason, report)),
  }));
  const judged = new Set(
    parts.flatMap(({ report }) =>
      report.verdict.reasons.filter((reason) => isOfCheck(reason, report))
    ).map(({ scenario }) => scenario),
  );
  const ofChecks = scenarios.filter(({ name }) => judged.has(name)).flatMap(failedCheckReasons);
  const all = own.flatMap(({ reasons }) => reasons);
  const kinds = all.filter(({ code, scenario }, index) =>
    all.findIndex((one) => one.code === code && one.scenario === scenario) === index
  );
  const merged = kinds.flatMap(({ code, scenario }) =>
    mergeFacts(own.map(({ label, reasons }) => ({
      label,
      facts: reasons.filter((reason) => reason.code === code && reason.scenario === scenario),
    })))
  );
  const lost = (options.lost ?? []).map(({ index, reason }) => ({
    code: EXIT.checkFailed,
    kind: "lostPart",
    scenario: null,
    message: `${labelOf(index, options)} of ${options.count} died: ${reason}; from then on the ` +
      "figures are those of the others",
  }));
  return [...ofChecks, ...merged, ...lost];
}

/** Is a reason that of a check, which is merged with its counts rather than given for each part? */
function isOfCheck(reason: Reason, { scenarios }: Report): boolean {
  return scenarios.some((scenario) =>
    failedCheckReasons(scenario).some(({ scenario, message }) =>
      scenario === reason.scenario && message === reason.message
    )
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

function earliest(times: readonly string[]): string {
  return times.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0]!;
}

function latest(times: readonly string[]): string {
  return times.toSorted((a, b) => Date.parse(b) - Date.parse(a))[0]!;
}
