import type { StartGate } from "./round_times.ts";
import { roundPeriodMs } from "./round_times.ts";
import type { PlannedScenario } from "./runner.ts";

/** For the client's floor of one scenario, and the sessions of the next. */
const ALLOWANCE_MS = 3_000;

/**
 * The times at which split scenarios begin, the same for all shards without a word between them: the first
 * at the time given, each further one when those before it should be over. Behind one whose rounds last as
 * long as their calls take, nothing is planned.
 *
 * @param startAtMs in unix milliseconds
 */
export function plannedStarts(planned: readonly PlannedScenario[], startAtMs: number): StartGate {
  const starts = new Map<string, number>();
  let nextMs = startAtMs;
  for (const { scenario, parameters } of planned) {
    if (scenario.sharding === undefined) continue;
    const before = starts.size > 0;
    const warmupMs = Number(parameters.warmupMs ?? 0);
    if (before) nextMs += ALLOWANCE_MS + warmupMs;
    starts.set(scenario.name, nextMs);
    const periodMs = roundPeriodMs(parameters);
    if (periodMs === null) break;
    nextMs += parameters.rounds * periodMs;
  }
  return { startOf: (scenario) => Promise.resolve(starts.get(scenario) ?? null) };
}
