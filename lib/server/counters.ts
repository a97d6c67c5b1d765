/**
 * What the server counts of itself. `callsReceived` is the sum of served, failed, refused, unanswered
 * and those still running, so that a client's ledger can be checked against it.
 */
export interface Counters {
  connectionsAccepted: number;
  connectionsRefused: number;
  handshakesRefused: number;
  callsReceived: number;
  /** Successes sent, those from a cache included. */
  callsServed: number;
  /** Those of `callsServed` that were not computed for this call. */
  callsFromCache: number;
  /** Answered with an error that is not a refusal for load. */
  callsFailed: number;
  /** Refused for load: a rate limit, an oversized call, a call that is already running. */
  callsRefused: number;
  /** The reply was not sent, being identical to an earlier one, or the connection had gone. */
  callsUnanswered: number;
  /** Messages that were not JSON, or had no op that the server knows. */
  messagesMalformed: number;
  framesSent: number;
  /** Not sent, being identical to an earlier frame of that connection. */
  framesDropped: number;
}

/** The counters, and the connections open now. */
export interface ServerStats extends Counters {
  connections: number;
  uptimeMs: number;
}

/** All zero. */
export function createCounters(): Counters {
  return {
    connectionsAccepted: 0,
    connectionsRefused: 0,
    handshakesRefused: 0,
    callsReceived: 0,
    callsServed: 0,
    callsFromCache: 0,
    callsFailed: 0,
    callsRefused: 0,
    callsUnanswered: 0,
    messagesMalformed: 0,
    framesSent: 0,
    framesDropped: 0,
  };
}
