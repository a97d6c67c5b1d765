import { CallMemory } from "./call_memory.ts";
import type { Dialect } from "./dialect.ts";
import { NOV } from "./dialect_nov.ts";
import { OCT, OCT25 } from "./dialect_oct.ts";
import { createDispatcher, type Dispatcher } from "./dispatch.ts";
import type { DialectName, ServerOptions } from "./options.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { SlowDown } from "./slow_down.ts";
import { createServerState, type ServerState } from "./server_state.ts";

/** What the connections of a server share. */
export interface ServerContext {
  readonly options: ServerOptions;
  readonly dialect: Dialect;
  readonly state: ServerState;
  readonly dispatcher: Dispatcher;
  readonly limiter: RateLimiter;
  readonly memory: CallMemory;
  readonly slowDown: SlowDown;
  /** Aborted when the server stops, which ends heavy calls in progress. */
  readonly stopping: AbortSignal;
}

/** The connection that a message came from. */
export interface Peer {
  readonly number: number;
  readonly sessionId: string;
  readonly ip: string;
  /** Sends a frame. Returns false if the connection is gone. */
  send(frame: string): boolean;
  /** Sends a frame that could repeat an earlier one. Also returns false if the dialect drops it. */
  sendRepeatable(frame: string): boolean;
}

/** The context of a server that starts now. */
export function createServerContext(options: ServerOptions, stopping: AbortSignal): ServerContext {
  const state = createServerState(options);
  return {
    options,
    dialect: dialectNamed(options.dialect),
    state,
    dispatcher: createDispatcher(options, state),
    limiter: new RateLimiter(options.limits),
    memory: new CallMemory(),
    slowDown: new SlowDown(options.slowDownMs),
    stopping,
  };
}

/** The dialect of that name. */
export function dialectNamed(name: DialectName): Dialect {
  return { oct25: OCT25, oct: OCT, nov: NOV }[name];
}
