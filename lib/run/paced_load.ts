import type { Call } from "../client/call.ts";
import { type OpenLoopResult, runOpenLoop } from "../load/open.ts";
import { createSchedule, type ScheduleOptions } from "../load/schedule.ts";
import { shareOf } from "../load/share.ts";
import { ConnectionPool } from "./connection_pool.ts";
import type { ScenarioContext } from "./scenario.ts";

/** The schedule of a scenario that follows one schedule throughout. */
type PacedOptions = Pick<ScheduleOptions, "ratePerSecond" | "durationMs" | "stages"> & {
  /** Times the timeout, this is the default of `maxOutstanding`. */
  peakPerSecond: number;
  leadInMs: number;
  /** Called when a measured call ends. */
  onCall: (call: Call, dueNs: number) => void;
  /** Called for each measured slot that is dropped. */
  onDropped?: (dueNs: number) => void;
};

/**
 * Opens connections on which to run this shard's share of a schedule, without keeping times.
 * Dispose of the result, which is `null` if some connections (and so a check) failed.
 *
 * @throws the signal's reason, if aborted
 */
export async function openPaced(
  context: ScenarioContext<{ connections: number; maxOutstanding: number | null }>,
): Promise<AsyncDisposable & { run(options: PacedOptions): Promise<OpenLoopResult> } | null> {
  const { target, clock, place, signal, ledger, warmupLedger, seed, workload } = context;
  const { connections, maxOutstanding } = context.parameters;
  const pacer = await context.pacer();
  const pool = await ConnectionPool.openAll(context, shareOf(connections, place));
  if (pool === null) return null;
  return {
    async run({ peakPerSecond, leadInMs, onCall, onDropped, ...schedule }) {
      const most = maxOutstanding ?? Math.ceil(peakPerSecond * target.options.timeoutMs / 1e3);
      const result = await runOpenLoop(pool.connections, {
        ...{ ledger, warmupLedger, clock, pacer, signal, message: workload },
        schedule: createSchedule({
          ...schedule,
          ...{ arrivals: "constant", slots: null, seed, share: { connections, place } },
        }),
        leadInNs: leadInMs * 1e6,
        maxOutstanding: Math.max(1, shareOf(most, place)),
        // Millions of times would take too much memory.
        keepsTimes: false,
        onCall,
        ...(onDropped === undefined ? {} : { onDropped }),
      });
      signal.throwIfAborted();
      return result;
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}
