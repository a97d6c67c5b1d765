import { EarlyEnd, judgeRun } from "./objective.ts";
import {
  type OpenLoopConnection,
  type OpenLoopOptions,
  type OpenLoopResult,
  runOpenLoop,
} from "./open.ts";
import type { RateTrial } from "./rate_search.ts";
import { type Arrivals, createSchedule } from "./schedule.ts";

/** With fewer slots, a single slow call would be over 1 % of them: a run at a low rate takes longer. */
const FEWEST_SLOTS = 100;
/** The bound on outstanding calls never falls under this. */
const FEWEST_OUTSTANDING = 10;

type Passed = "message" | "ledger" | "warmupLedger" | "clock" | "pacer" | "signal";

/** One run at one rate. */
export interface RateTrialOptions extends Pick<OpenLoopOptions, Passed> {
  ratePerSecond: number;
  /** Whether its verdict is final: see `searchRate`. */
  confirms: boolean;
  /** What the p99 of latency must meet. */
  sloNs: number;
  /** Of the measured part, unless it would have under 100 slots; and of what goes before. */
  durationMs: number;
  leadInMs: number;
  /** Left out: Poisson. */
  arrivals?: Arrivals;
  /** One of its own for each run, or all have the same luck. */
  seed: number;
}

/**
 * Runs an open loop at a rate and holds it against the objective. A run that is sure to miss it is ended, so
 * that the latencies of such a rate are those of its beginning.
 *
 * @throws the signal's reason, if it is aborted
 */
export async function runRateTrial(
  connections: readonly OpenLoopConnection[],
  options: RateTrialOptions,
): Promise<RateTrial & { result: OpenLoopResult }> {
  const { ratePerSecond, confirms, sloNs, leadInMs, arrivals = "poisson", signal } = options;
  const durationMs = Math.max(options.durationMs, FEWEST_SLOTS / ratePerSecond * 1e3);
  const slots = Math.round(ratePerSecond * durationMs / 1e3);
  const early = new EarlyEnd({ sloNs, slots });
  const result = await runOpenLoop(connections, {
    ...options,
    schedule: createSchedule({
      ...{ ratePerSecond, arrivals, slots: null, seed: options.seed },
      durationMs: leadInMs + durationMs,
    }),
    leadInNs: leadInMs * 1e6,
    // By Little's law, more than half of it outstanding is a mean latency over the objective.
    maxOutstanding: Math.max(FEWEST_OUTSTANDING, Math.ceil(2 * ratePerSecond * sloNs / 1e9)),
    onCall: (call, intendedNs, isMeasured) =>
      isMeasured ? early.noteCall(call, intendedNs) : undefined,
    onDropped: (isMeasured) => isMeasured ? early.noteDropped() : undefined,
  });
  signal.throwIfAborted();
  const { offeredPerSecond, achievedPerSecond, ok: answered } = result;
  return {
    ...judgeRun(result, { sloNs }),
    ...{ ratePerSecond, confirms, offeredPerSecond, achievedPerSecond, answered, result },
  };
}
