import type { MergedShard, Report, ScenarioReport, ShardScenario } from "../schema.ts";
import { clockOf, type MergeOptions, type Part } from "./parts.ts";
import { inOneTime } from "./together.ts";

/** What each part did, those that died included, in the order of their places. */
export function describeParts(
  parts: readonly Part[],
  options: Pick<MergeOptions, "lost" | "of">,
): MergedShard[] {
  const present = parts.map((part): MergedShard => ({
    index: part.index,
    lost: options.lost?.find(({ index }) => index === part.index)?.reason ?? null,
    machine: machineOf(part.report),
    late: part.report.shard?.late ?? false,
    clock: clockOf(part.report, options),
    scenarios: part.report.scenarios.map((scenario) =>
      describeScenario(scenario, { part, times: startsOf(scenario.name, parts, options) })
    ),
  }));
  const absent = (options.lost ?? [])
    .filter(({ index }) => !parts.some((part) => part.index === index))
    .map(({ index, reason }): MergedShard => ({
      index,
      lost: reason,
      machine: machineOf(parts[0]!.report),
      late: false,
      clock: null,
      scenarios: [],
    }));
  return [...present, ...absent].sort((a, b) => a.index - b.index);
}

function machineOf({ environment }: Report): string {
  return `${environment.cpuModel}, ${environment.cpuCount} cores`;
}

function describeScenario(
  scenario: ScenarioReport,
  { part, times }: { part: Part; times: ReadonlyMap<number, number> },
): ShardScenario {
  const rates = scenario.metrics.filter((metric) => metric.kind === "scalar" && metric.merge);
  const throughput = rates.find(({ role }) => role === "headline") ?? rates[0];
  const distributions = scenario.metrics.filter((metric) => metric.kind === "distribution");
  const main = distributions.find(({ role }) => role !== "detail") ?? distributions[0];
  return {
    name: scenario.name,
    status: scenario.status,
    sent: scenario.ledger.sent,
    ok: scenario.ledger.ok,
    ratePerSecond: throughput?.kind === "scalar" ? throughput.value : null,
    p99: main?.p99 ?? null,
    valid: scenario.validity.valid,
    startOffsetMs: times.get(part.index) ?? null,
  };
}

/**
 * By part, when its first epoch began: in milliseconds after the planned start, or else after the earliest
 * part's, by the first part's clock.
 */
function startsOf(
  name: string,
  parts: readonly Part[],
  options: Pick<MergeOptions, "of">,
): Map<number, number> {
  const shares = parts.flatMap(({ index, report }) =>
    report.scenarios.filter((one) => one.name === name && one.measured?.epochs[0] !== undefined)
      .map((one) => ({ index, clock: clockOf(report, options), report: one }))
  );
  const times = inOneTime(shares);
  const first = Math.min(...times.map(({ epochs }) => epochs[0]!.startMs));
  return new Map(times.map(({ plannedStartMs, epochs }, nth) => [
    shares[nth]!.index,
    epochs[0]!.startMs - (plannedStartMs ?? first),
  ]));
}
