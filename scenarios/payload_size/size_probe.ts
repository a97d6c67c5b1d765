/**
 * What a server does with a single call.
 *
 * @module
 */

import { ConnectError } from "../../lib/client/connect_error.ts";
import type { Message } from "../../lib/client/connection.ts";
import type { OpenLedger } from "../../lib/client/ledger.ts";
import type { Target } from "../../lib/client/target.ts";

/** How often to check if a call has been sent, in milliseconds. */
const LOOK_MS = 1;
/** A call of up to this many characters always counts as sent: the system's buffers hold it. */
const SENT_AT_ONCE = 65_536;

/** What became of a call on a connection of its own. */
export type ProbeOutcome =
  | { kind: "served" }
  /** An error for that call, in the server's words. */
  | { kind: "error"; said: string }
  /** Refused for load, in the server's words, which says nothing about the size. */
  | { kind: "rateLimited"; said: string }
  /** The server closed with this code; 1006 or 0 where no close frame came. */
  | { kind: "closed"; code: number; reason: string }
  /**
   * The server did not read all of it, and there was neither an answer nor a close frame. The native client
   * reads no close frame while it writes, so that one may have been sent all the same.
   */
  | { kind: "notTaken" }
  /** All of it was sent, and neither an answer nor a close came in time. */
  | { kind: "silent" }
  | { kind: "aborted" };

/**
 * Opens a connection, makes one call, counted in this ledger, and closes.
 *
 * @throws {ConnectError} if no connection opens
 */
export async function probeCall(
  target: Target,
  { message, ledger }: { message: Message; ledger: OpenLedger },
): Promise<ProbeOutcome> {
  const { clock } = target.options;
  await using connection = await target.connect(ledger);
  let unsentBytes = 0;
  let cancel = () => {};
  const look = () => {
    unsentBytes = connection.unsentBytes ?? unsentBytes;
    cancel = clock.after(LOOK_MS, look);
  };
  const ending = connection.call(message);
  look();
  const isSent = () => unsentBytes === 0 || message.argsJson.length <= SENT_AT_ONCE;
  const { status, errorCode, errorMessage } = await ending.finally(() => cancel());
  const said = [errorCode, errorMessage].filter(Boolean).join(": ");
  switch (status) {
    case "ok":
      return { kind: "served" };
    case "toolError":
      return { kind: "error", said };
    case "rateLimited":
      return { kind: "rateLimited", said };
    case "timeout":
      return { kind: isSent() ? "silent" : "notTaken" };
    case "connectionLost": {
      const { code, reason } = await connection.closed;
      const hasFrame = code !== 0 && code !== 1006;
      return hasFrame || isSent() ? { kind: "closed", code, reason } : { kind: "notTaken" };
    }
    case "aborted":
    case "outstanding":
      return { kind: "aborted" };
    default:
      return status satisfies never;
  }
}

/** Does a new connection open and answer this call? Counted in this ledger. */
export async function answersOnNewConnection(
  target: Target,
  call: { message: Message; ledger: OpenLedger },
): Promise<boolean> {
  try {
    return (await probeCall(target, call)).kind === "served";
  } catch (error) {
    if (error instanceof ConnectError) return false;
    throw error;
  }
}
