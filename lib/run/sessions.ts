import type { Connection } from "../client/connection.ts";
import type { DistributionRecorder } from "../stats/summary.ts";
import type { ScenarioContext } from "./scenario.ts";

/**
 * Opens sessions all at once, counting in the warm-up ledger; the stack closes them. `null`, and a
 * failed check, if not all could be opened.
 */
export async function openSessions(
  context: ScenarioContext,
  { count, stack, establish }: {
    count: number;
    stack: AsyncDisposableStack;
    /** Gets the time that each of them took to open. */
    establish?: DistributionRecorder;
  },
): Promise<Connection[] | null> {
  const settled = await Promise.allSettled(
    Array.from({ length: count }, () => context.target.connect(context.warmupLedger)),
  );
  const connections = settled.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  // All at once: each may have to wait for late replies, or for a server that does not answer a close.
  stack.defer(async () => {
    await Promise.allSettled(connections.map((connection) => connection.close()));
  });
  context.signal.throwIfAborted();
  for (const { timing } of connections) establish?.record(timing.establishNs);
  const failure = settled.find((one) => one.status === "rejected");
  context.check({
    name: "all clients connected",
    passed: failure === undefined,
    expected: `${count} of ${count}`,
    observed: `${connections.length} of ${count}` +
      (failure === undefined ? "" : ` (${failure.reason.message})`),
  });
  return failure === undefined ? connections : null;
}
