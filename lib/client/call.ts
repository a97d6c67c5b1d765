import type { OpenLedger } from "./ledger.ts";
import type { LimitOwner } from "./limiter_words.ts";

/** How a call can end. */
export type CallStatus =
  | "ok"
  | "toolError"
  | "rateLimited"
  | "timeout"
  | "connectionLost"
  | "aborted";

/**
 * One call, from send to end; times are clock nanoseconds.
 *
 * The object is reused for another call as soon as `onEnd` returns: copy it to keep it.
 */
export interface Call {
  id: string;
  /** Position in the session, from 1. */
  nth: number;
  ledger: OpenLedger;
  onEnd: (call: Call) => void;
  /** The called tool; "" if it is not a tool call. */
  tool: string;
  sentNs: number;
  endedNs: number;
  status: CallStatus | "outstanding";
  /** True once a stream_complete frame came. */
  streamed: boolean;
  /** Arrival of the first progress frame other than stream_complete; 0: none came. */
  firstProgressNs: number;
  /** True if the success was marked as cached. */
  fromCache: boolean;
  /** Error code and message from the server, else "". */
  errorCode: string;
  errorMessage: string;
}

/** What a server's replies have revealed so far; shared by all connections of a run. */
export interface Observed {
  /** True once a success was announced by stream_complete. */
  streamComplete: boolean;
  /** The first rate-limited call: its position in its session, and the server's message. */
  rateLimit: { atCall: number; message: string } | null;
  /** The longest wait a refusal asked for, in seconds, by owner of the limit. */
  retryAfter?: Partial<Record<LimitOwner, number>>;
  /** True if the server replaced a session id that the client asked for. */
  assignsSessions?: boolean;
}

/** True if a success is marked as cached, or lacks the stream_complete of computed successes. */
export function isFromCache(
  { fromCache, streamed }: Pick<Call, "fromCache" | "streamed">,
  { streamComplete }: Observed,
): boolean {
  return fromCache || (streamComplete && !streamed);
}
