import { median } from "../stats/median.ts";
import type { OpenLoopResult } from "./open.ts";

/** Why the figures of an open loop cannot be taken at face value; rates in calls a second. */
export type PaceFinding =
  /** The server did not keep up with the rate. */
  | {
    kind: "serverBehind";
    achievedPerSecond: number;
    offeredPerSecond: number;
    backlogPerSecond: number;
  }
  /** The client sent calls so late that the latencies are not the server's. */
  | { kind: "clientLate"; slipP99Ns: number; latencyP99Ns: number };

/** The part of a run that is judged. */
export type PacedRun = Pick<
  OpenLoopResult,
  "slots" | "sent" | "offeredPerSecond" | "achievedPerSecond" | "backlogSlopePerSecond" | "end"
>;

/** Share of the offered rate that may be missed, or added to the backlog. */
const BEHIND_SHARE = 0.01;
/** Maximum p99 of slip, as a share of the p99 of latency. */
const SLIP_SHARE = 0.1;

/**
 * Judges whether the server kept up with the rate, and the client with its schedule. Rates are
 * medians over the runs, so that a pause at the end of a single run decides nothing.
 *
 * The percentiles are of all runs together; `null`: no call has ended.
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
    // Slots are dropped once the backlog has reached its bound.
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
