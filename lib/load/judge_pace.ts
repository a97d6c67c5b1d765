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
 * The times are of all runs together, in nanoseconds; `null`: no call has ended.
 */
export function judgePace(
  runs: readonly PacedRun[],
  { slipP99Ns, latencyP99Ns }: { slipP99Ns: number | null; latencyP99Ns: number | null },
): PaceFinding[] {
  const whole = runs.filter(({ end }) => end === "complete");
  const findings: PaceFinding[] = [];
  if (whole.length > 0) {
    const medianOf = (rate: (run: PacedRun) => number) => median(whole.map(rate));
    const offeredPerSecond = medianOf((run) => run.offeredPerSecond);
    const achievedPerSecond = medianOf((run) => run.achievedPerSecond);
    const backlogPerSecond = medianOf((run) => run.backlogSlopePerSecond);
    // Where slots are dropped, the backlog has met its bound.
    const grows = backlogPerSecond > BEHIND_SHARE * offeredPerSecond ||
      whole.some(({ sent, slots }) => sent < slots);
    if (achievedPerSecond < (1 - BEHIND_SHARE) * offeredPerSecond && grows) {
      const rates = { achievedPerSecond, offeredPerSecond, backlogPerSecond };
      findings.push({ kind: "serverBehind", ...rates });
    }
  }
  if (slipP99Ns !== null && latencyP99Ns !== null && slipP99Ns > latencyP99Ns * SLIP_SHARE) {
    findings.push({ kind: "clientLate", slipP99Ns, latencyP99Ns });
  }
  return findings;
}
