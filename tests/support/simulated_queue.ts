import type { OpenLoopResult } from "../../lib/load/open.ts";
import { type Arrivals, createSchedule } from "../../lib/load/schedule.ts";
import { randomStream } from "../../lib/stats/random.ts";
import { slotsOf } from "./slots_of.ts";

/** An open loop against a server that works on one call at a time, with constant service times. */
export interface SimulatedRun {
  capacityPerSecond: number;
  ratePerSecond: number;
  arrivals: Arrivals;
  leadInMs: number;
  durationMs: number;
  seed: number;
  /** Times in which the client does not run; calls due in the meantime are sent late. */
  absences?: { perSecond: number; meanMs: number };
}

/** What the open loop would measure; departures by Lindley's recursion. */
export function simulateRun(run: SimulatedRun): OpenLoopResult {
  const { leadInMs, durationMs, capacityPerSecond, seed } = run;
  const schedule = createSchedule({ ...run, slots: null, durationMs: leadInMs + durationMs });
  const [startNs, overNs] = [leadInMs * 1e6, schedule.spanNs];
  const sendingOf = lateSending(run);
  const noise = randomStream(seed, "wire");
  const calls: { dueNs: number; sentNs: number; endedNs: number }[] = [];
  let [freeNs, inWindow] = [0, 0];
  for (const dueNs of slotsOf(schedule)) {
    const sentNs = sendingOf(dueNs);
    freeNs = Math.max(freeNs, sentNs) + 1e9 / capacityPerSecond;
    const endedNs = freeNs + 50_000 + 20_000 * noise();
    if (endedNs >= startNs && endedNs <= overNs) inWindow++;
    if (dueNs >= startNs) calls.push({ dueNs, sentNs, endedNs });
  }
  const slots = calls.length;
  return {
    ...{ slots, sent: slots, ok: slots, dropped: 0, censored: 0, end: "complete" },
    latencyNs: Float64Array.from(calls, ({ dueNs, endedNs }) => endedNs - dueNs),
    serviceNs: Float64Array.from(calls, ({ sentNs, endedNs }) => endedNs - sentNs),
    endedNs: Float64Array.from(calls, ({ endedNs }) => endedNs),
    slipNs: Float64Array.from(calls, ({ dueNs, sentNs }) => sentNs - dueNs),
    startNs,
    windowNs: durationMs * 1e6,
    achievedPerSecond: inWindow / durationMs * 1e3,
    offeredPerSecond: slots / durationMs * 1e3,
    backlogSlopePerSecond: 0,
  };
}

/** When a call due at a given time is sent; due times must ascend. */
function lateSending({ absences, seed }: SimulatedRun): (dueNs: number) => number {
  if (absences === undefined) return (dueNs) => dueNs;
  const random = randomStream(seed, "absences");
  const exponential = (mean: number) => -Math.log(1 - random()) * mean;
  let awayNs = exponential(1e9 / absences.perSecond);
  let backNs = awayNs + exponential(absences.meanMs * 1e6);
  return (dueNs) => {
    while (dueNs >= backNs) {
      awayNs = backNs + exponential(1e9 / absences.perSecond);
      backNs = awayNs + exponential(absences.meanMs * 1e6);
    }
    return dueNs >= awayNs ? backNs : dueNs;
  };
}
