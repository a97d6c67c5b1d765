import type { MergedShard, Report, ScenarioReport, ShardScenario } from "../contract.ts";
import type { MergeOptions, Part } from "./parts.ts";
import { inOneTime } from "./together.ts";

/** What each part did, those that died included, in the order of their places. */
export function describeParts(
  parts: readonly Part[],
  options: Pick<MergeOptions, "lost">,
): MergedShard[] {
  const present = parts.map((part): MergedShard => ({
    index: part.index,
    lost: options.lost?.find(({ index }) => index === part.index)?.reason ?? null,
    machine: machineOf(part.report),
    late: part.report.shard?.late ?? false,
    clock: part.report.shard?.clock ?? null,
    scenarios: part.report.scenarios.map((scenario) => describeScenario(scenario, { part, parts })),
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
  { part, parts }: { part: Part; parts: readonly Part[] },
): ShardScenario {
  const throughput = scenario.metrics.find(({ name }) => name === "throughput");
  const distributions = scenario.metrics.filter((metric) => metric.kind === "distribution");
  const main = distributions.find(({ name }) => name === "latency") ?? distributions[0];
  return {
    name: scenario.name,
    status: scenario.status,
    sent: scenario.ledger.sent,
    ok: scenario.ledger.ok,
    ratePerSecond: throughput?.kind === "scalar" ? throughput.value : null,
    p99: main?.p99 ?? null,
    valid: scenario.validity.valid,
    startOffsetMs: offsetOf(scenario.name, { part, parts }),
  };
}

/** By the first part's clock, after the planned start, or else after the earliest part's. */
function offsetOf(
  name: string,
  { part, parts }: { part: Part; parts: readonly Part[] },
): number | null {
  const shares = parts.flatMap(({ index, report }) =>
    report.scenarios.filter((one) => one.name === name && one.measured?.rounds[0] !== undefined)
      .map((one) => ({ index, clock: report.shard?.clock ?? null, report: one }))
  );
  const times = inOneTime(shares);
  const own = times[shares.findIndex(({ index }) => index === part.index)];
  if (own === undefined) return null;
  const first = Math.min(...times.map(({ rounds }) => rounds[0]!.startMs));
  return own.rounds[0]!.startMs - (own.plannedStartMs ?? first);
}
