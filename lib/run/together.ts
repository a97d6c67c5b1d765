import { type LoopResult, runClosedLoop } from "../load/closed.ts";
import type { Connection } from "../client/connection.ts";
import type { DistributionRecorder } from "../stats/summary.ts";
import type { LoopContext, Parameters, RoundLength } from "./scenario.ts";
import type { Workload } from "./workload.ts";

/** What several clients at once did. */
export interface TogetherResult {
  /** Successes a second of all of them, from the first call to the last reply. */
  ratePerSecond: number;
  /** Those of each client in its own time. */
  clientRates: number[];
  /** Whether each got to the end of its round. */
  complete: boolean;
}

/** Closed loops on all the connections at once. */
export async function runTogether<P extends Parameters & RoundLength>(
  context: LoopContext<P>,
  { connections, latency, inFlight = 1, workload = context.workload }: {
    connections: readonly Connection[];
    /** Calls in flight on each. */
    inFlight?: number;
    /** Gets the time of each success. */
    latency?: DistributionRecorder;
    /** The calls, where they are not those of the run. */
    workload?: Workload;
  },
): Promise<TogetherResult> {
  const { messages, durationMs } = context.parameters;
  const results = await Promise.all(connections.map((connection) =>
    runClosedLoop(connection, {
      message: workload,
      inFlight,
      messages,
      durationMs,
      maxRatePerSecond: context.maxRatePerSecond,
      clock: context.clock,
      signal: context.signal,
      onCall: (call) => {
        if (call.status === "ok") latency?.record(call.endedNs - call.sentNs);
      },
    })
  ));
  const startNs = Math.min(...results.map((result) => result.startNs));
  const endNs = Math.max(...results.map((result) => result.endNs));
  return {
    ratePerSecond: rate(results.reduce((sum, { ok }) => sum + ok, 0), endNs - startNs),
    clientRates: results.map((result) => rateOf(result)),
    complete: results.every(({ end }) => end === "complete"),
  };
}

function rateOf({ ok, startNs, endNs }: LoopResult): number {
  return rate(ok, endNs - startNs);
}

/** Events per second; 0 where no time has passed. */
function rate(count: number, elapsedNs: number): number {
  return elapsedNs === 0 ? 0 : count / (elapsedNs / 1e9);
}
