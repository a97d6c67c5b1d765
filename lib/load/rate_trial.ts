import { endsEarly, judgeRun } from "./objective.ts";
import {
  type OpenLoopConnection,
  type OpenLoopOptions,
  type OpenLoopResult,
  runOpenLoop,
} from "./open.ts";
import type { RateTrial } from "./rate_search.ts";
import { type Arrivals, createSchedule } from "./schedule.ts";

/** With fewer, a single slow call would be over 1 % of the slots. Runs at low rates take longer. */
const FEWEST_SLOTS = 100;
const FEWEST_OUTSTANDING = 10;

type Passed = "message" | "ledger" | "warmupLedger" | "clock" | "pacer" | "signal";

export interface RateTrialOptions extends Pick<OpenLoopOptions, Passed> {
  ratePerSecond: number;
  /** True if the verdict is final, see `searchRate`. */
  confirms: boolean;
  /** The objective for the p99 of latency. */
  sloNs: number;
  /** Duration of the measured part; extended if it holds under 100 slots. */
  durationMs: number;
  leadInMs: number;
  arrivals: Arrivals;
  /** Use a different one for each run, or all get the same arrivals. */
  seed: number;
}

/**
 * Runs an open loop at a rate and judges it against the objective. A run that is certain to miss is
 * ended early, so its latencies are only those of its beginning.
 *
 * @throws the signal's reason, if it is aborted
 */
export async function runRateTrial(
  connections: readonly OpenLoopConnection[],
  options: RateTrialOptions,
): Promise<RateTrial & { result: OpenLoopResult }> {
  const { ratePerSecond, confirms, sloNs, leadInMs, arrivals, seed } = options;
  const durationMs = Math.max(options.durationMs, FEWEST_SLOTS / ratePerSecond * 1e3);
  const slots = Math.round(ratePerSecond * durationMs / 1e3);
  const result = await runOpenLoop(connections, {
    ...options,
    schedule: createSchedule({
      ...{ ratePerSecond, arrivals, slots: null, seed },
      durationMs: leadInMs + durationMs,
    }),
    leadInNs: leadInMs * 1e6,
    // By Little's law, half of this many outstanding already means a mean latency at the objective.
    maxOutstanding: Math.max(FEWEST_OUTSTANDING, Math.ceil(2 * ratePerSecond * sloNs / 1e9)),
    ...endsEarly({ sloNs, slots }),
  });
  options.signal.throwIfAborted();
  const { offeredPerSecond, achievedPerSecond, ok: answered } = result;
  return {
    ...judgeRun(result, { sloNs }),
    ...{ ratePerSecond, confirms, offeredPerSecond, achievedPerSecond, answered, result },
  };
}
