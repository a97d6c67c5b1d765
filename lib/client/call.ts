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
 * One call, from its sending to its end. Times are nanoseconds of the clock.
 *
 * Its object is used again for another call as soon as its `onEnd` has returned: keep a copy, not it.
 */
export interface Call {
  readonly id: string;
  /** Its place in the session, from 1. */
  readonly nth: number;
  readonly ledger: OpenLedger;
  readonly onEnd: (call: Call) => void;
  /** The tool that it calls; "": it is no call of a tool. */
  tool: string;
  sentNs: number;
  endedNs: number;
  status: CallStatus | "outstanding";
  /** Whether a stream_complete frame came for it. */
  streamed: boolean;
  /** When the first frame came that told of its progress, a stream_complete aside; 0: none has. */
  firstProgressNs: number;
  /** Whether its success was marked as one from a cache. */
  fromCache: boolean;
  /** The server's words for an error, else "". */
  errorCode: string;
  errorMessage: string;
}

/** What the replies of a server have shown about it so far; shared by all connections of a run. */
export interface Observed {
  /** Whether any success was announced by stream_complete. */
  streamComplete: boolean;
  /** The first call that was refused for load, with its place in its session and the server's words. */
  rateLimit: { atCall: number; message: string } | null;
  /** The longest that a refusal asked to wait, in seconds, by whose limit it was. */
  retryAfter?: Partial<Record<LimitOwner, number>>;
  /** Whether the server gave a session another id than the client asked for. */
  assignsSessions?: boolean;
}

/**
 * Whether a success came from a cache: by the server's own mark, or by the lack of the stream_complete
 * that its computed successes have.
 */
export function isFromCache(
  { fromCache, streamed }: Pick<Call, "fromCache" | "streamed">,
  { streamComplete }: Observed,
): boolean {
  return fromCache || (streamComplete && !streamed);
}
