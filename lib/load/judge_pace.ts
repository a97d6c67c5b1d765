import { median } from "../stats/median.ts";
import type { OpenLoopResult } from "./open.ts";

/** What runs of an open loop say against server and client; rates in calls a second. */
export type PaceFinding =
  /** The server did not keep up with the rate. */
  | {
    kind: "serverBehind";
    achievedPerSecond: number;
    offeredPerSecond: number;
    backlogPerSecond: number;
  }
  /** The client was late by too much for the latencies to be the server's. */
  | { kind: "clientLate"; slipP99Ns: number; latencyP99Ns: number };

/** What is looked at of a run. */
export type PacedRun = Pick<
  OpenLoopResult,
  "slots" | "sent" | "offeredPerSecond" | "achievedPerSecond" | "backlogSlopePerSecond" | "end"
>;

/** With less of the offered rate achieved, and that much of it added to the backlog, the server falls behind. */
const BEHIND_SHARE = 0.01;
/** The p99 of slip may be this share of that of latency. */
const SLIP_SHARE = 0.1;

/**
 * Did the server keep up with the rate, and the client with its schedule? In runs of one rate, by their medians,
 * so that a pause at the end of a single run decides nothing. Both may have failed.
 *
 * @param times of all runs together, in nanoseconds; `null`: no call has ended
 */
export function judgePace(
  runs: readonly PacedRun[],
  times: { slipP99Ns: number | null; latencyP99Ns: number | null },
): PaceFinding[] {
  const whole = runs.filter(({ end }) => end === "complete");
  return [...serverBehind(whole), ...clientLate(times)];
}

function serverBehind(runs: readonly PacedRun[]): PaceFinding[] {
  if (runs.length === 0) return [];
  const offered = median(runs.map(({ offeredPerSecond }) => offeredPerSecond));
  const achieved = median(runs.map(({ achievedPerSecond }) => achievedPerSecond));
  const backlog = median(runs.map(({ backlogSlopePerSecond }) => backlogSlopePerSecond));
  // Where slots are dropped, the backlog has met its bound.
  const grows = backlog > BEHIND_SHARE * offered || runs.some(({ sent, slots }) => sent < slots);
  if (achieved >= (1 - BEHIND_SHARE) * offered || !grows) return [];
  return [{
    kind: "serverBehind",
    achievedPerSecond: achieved,
    offeredPerSecond: offered,
    backlogPerSecond: backlog,
  }];
}

function clientLate(
  { slipP99Ns, latencyP99Ns }: { slipP99Ns: number | null; latencyP99Ns: number | null },
): PaceFinding[] {
  if (slipP99Ns === null || latencyP99Ns === null) return [];
  if (slipP99Ns <= latencyP99Ns * SLIP_SHARE) return [];
  return [{ kind: "clientLate", slipP99Ns, latencyP99Ns }];
}
