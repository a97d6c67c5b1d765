/**
 * What a server does with one call of a given size.
 *
 * @module
 */

import { ConnectError } from "../client/connect_error.ts";
import type { Message } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type { Target } from "../client/target.ts";

/** How often to look whether a call is sent, in milliseconds. */
const LOOK_MS = 1;
/** A call that is no longer than this, in characters, is always taken: the system's buffers hold it. */
const SENT_AT_ONCE = 65_536;

/** What became of a call on a connection of its own. */
export type ProbeOutcome =
  | { kind: "served" }
  /** An error for that call, in the server's words. */
  | { kind: "error"; said: string }
  /** Refused for load, in the server's words: that says nothing about its size. */
  | { kind: "rateLimited"; said: string }
  /** The server closed with this code; 1006 or 0 where no close frame came. */
  | { kind: "closed"; code: number; reason: string }
  /**
   * The server did not take all of it, and it ended without an answer or a close frame. The native client
   * reads no close frame while it writes, so that one may have come all the same.
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

/** Whether a new connection opens and answers this call; counted in this ledger. */
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
