import { type OpenLoopOptions, type OpenLoopResult, runOpenLoop } from "../load/open.ts";
import { createSchedule, type ScheduleOptions } from "../load/schedule.ts";
import { shareOf } from "../load/share.ts";
import { ConnectionPool } from "./connection_pool.ts";
import type { ScenarioContext } from "./scenario.ts";

/** The schedule of a scenario that keeps it from its beginning to its end. */
type PacedOptions = Pick<ScheduleOptions, "ratePerSecond" | "durationMs" | "stages"> & {
  /** That times the timeout is the most calls outstanding, unless that is a parameter. */
  peakPerSecond: number;
  leadInMs: number;
  /** Hears of measured calls. */
  onCall: NonNullable<OpenLoopOptions["onCall"]>;
};

/**
 * Connections for a shard's share of a schedule, and how to send it on them, keeping no times. Dispose of it; `null`:
 * not all of them opened, which has failed a check.
 *
 * @throws the signal's reason, if it is aborted
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
    async run({ peakPerSecond, leadInMs, onCall, ...schedule }) {
      const most = maxOutstanding ?? Math.ceil(peakPerSecond * target.options.timeoutMs / 1e3);
      const result = await runOpenLoop(pool.connections, {
        ...{ ledger, warmupLedger, clock, pacer, signal, message: workload },
        schedule: createSchedule({
          ...schedule,
          ...{ arrivals: "constant", slots: null, seed, share: { connections, place } },
        }),
        leadInNs: leadInMs * 1e6,
        maxOutstanding: Math.max(1, shareOf(most, place)),
        // Millions of them would be the client's memory.
        keepsTimes: false,
        onCall: (call, dueNs, isMeasured) =>
          isMeasured ? onCall(call, dueNs, isMeasured) : undefined,
      });
      signal.throwIfAborted();
      return result;
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}
