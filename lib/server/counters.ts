/**
 * The server's own counts. `callsReceived` is the sum of served, failed, refused, unanswered and
 * running calls, so a client's ledger can be checked against it.
 */
export class Counters {
  connectionsAccepted = 0;
  connectionsRefused = 0;
  handshakesRefused = 0;
  callsReceived = 0;
  /** Successes sent, including those from a cache. */
  callsServed = 0;
  /** Part of `callsServed`: not computed for this call. */
  callsFromCache = 0;
  /** Answered with an error other than a refusal for load. */
  callsFailed = 0;
  /** Refused for load: rate limit, oversized call, or call already running. */
  callsRefused = 0;
  /** Not answered: the reply repeated an earlier frame, or the connection was gone. */
  callsUnanswered = 0;
  /** Messages that were not JSON or had no known op. */
  messagesMalformed = 0;
  framesSent = 0;
  /** Not sent: identical to an earlier frame of the same connection. */
  framesDropped = 0;
}

/** The counters, and the connections open now. */
export interface ServerStats extends Counters {
  connections: number;
  uptimeMs: number;
}
