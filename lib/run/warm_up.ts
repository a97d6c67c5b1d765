import { runClosedLoop } from "../load/closed.ts";
import type { Connection } from "../client/connection.ts";
import { describeRateLimit } from "./rate_limit.ts";
import { type ScenarioContext, TargetUnusableError } from "./scenario.ts";
import type { Workload } from "./workload.ts";

/**
 * Keeps the connections busy for a while, one call at a time on each, counted in the warm-up ledger;
 * then has them count in the measured one.
 *
 * @throws {TargetUnusableError} if a rate limiter refuses calls already now
 */
export async function warmUp(
  context: ScenarioContext,
  options: {
    connections: readonly Connection[];
    durationMs: number;
    /** Of each session, where it is paced more slowly than the run's closed loops. */
    maxRatePerSecond?: number;
    /** The calls, where they are not those of the run. */
    workload?: Workload;
  },
): Promise<void> {
  const { clock, signal, target, ledger, warmupLedger } = context;
  const workload = options.workload ?? context.workload;
  const maxRatePerSecond = options.maxRatePerSecond ?? context.maxRatePerSecond;
  for (const connection of options.connections) connection.useLedger(warmupLedger);
  if (options.durationMs > 0) {
    await Promise.all(options.connections.map((connection) =>
      runClosedLoop(connection, {
        message: workload,
        inFlight: 1,
        messages: null,
        durationMs: options.durationMs,
        maxRatePerSecond,
        clock,
        signal,
        onCall: ({ status }) => status === "rateLimited" ? "stop" : undefined,
      })
    ));
    if (warmupLedger.rateLimited > 0 && target.observed.rateLimit !== null) {
      throw new TargetUnusableError(describeRateLimit(target.observed.rateLimit));
    }
  }
  for (const connection of options.connections) connection.useLedger(ledger);
}
