import type { Connection, Message } from "../../client/connection.ts";
import { describeRateLimit } from "../rate_limit.ts";
import { type ScenarioContext, TargetUnusableError } from "../scenario.ts";

/** A call as it went over the wire. */
export interface RecordedCall {
  message: Message;
  /** The frames that came back, the last of them the final one; without those that no call asked for. */
  reply: string[];
  /** How long it took. */
  callNs: number;
}

/**
 * Makes one call, counted as warm-up, and keeps the frames of its reply.
 *
 * @throws {TargetUnusableError} if a rate limiter refuses it
 * @throws {Error} if it fails in another way
 */
export async function recordReply(
  { workload, signal, ledger, warmupLedger, target }: ScenarioContext,
  connection: Connection,
): Promise<RecordedCall> {
  const message = workload();
  const reply: string[] = [];
  connection.useLedger(warmupLedger);
  const { protocol } = target.options;
  connection.onFrame((text) => {
    if (protocol.classify(text).kind !== "notification") reply.push(text);
  });
  if (!connection.isOpen) {
    signal.throwIfAborted();
    throw new Error("Cannot take a call apart as the connection was lost");
  }
  const call = await connection.call(message);
  connection.onFrame(null);
  connection.useLedger(ledger);
  signal.throwIfAborted();
  if (call.status === "rateLimited") {
    throw new TargetUnusableError(
      describeRateLimit({ atCall: call.nth, message: call.errorMessage }),
    );
  }
  if (call.status !== "ok") {
    throw new Error(`Cannot take a call apart as it failed: ${call.errorCode || call.status}`);
  }
  return { message, reply, callNs: call.endedNs - call.sentNs };
}
