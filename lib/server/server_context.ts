import { CallMemory } from "./call_memory.ts";
import type { Dialect } from "./dialect.ts";
import { NOV } from "./dialect_nov.ts";
import { OCT, OCT25 } from "./dialect_oct.ts";
import { createDispatcher, type Dispatcher } from "./dispatch.ts";
import type { DialectName, ServerOptions } from "./options.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { SlowDown } from "./slow_down.ts";
import { createServerState, type ServerState } from "./server_state.ts";

/** All that the connections of one server share. */
export interface ServerContext {
  readonly options: ServerOptions;
  readonly dialect: Dialect;
  readonly state: ServerState;
  readonly dispatcher: Dispatcher;
  readonly limiter: RateLimiter;
  readonly memory: CallMemory;
  readonly slowDown: SlowDown;
  /** Aborted when the server stops: ends the heavy calls under way. */
  readonly stopping: AbortSignal;
}

/** What answering needs of the connection that a message came from. */
export interface Peer {
  readonly number: number;
  readonly sessionId: string;
  readonly ip: string;
  /** Sends a frame: `false` if the connection has gone. */
  send(frame: string): boolean;
  /** Sends a frame that may be like an earlier one: `false` also where the dialect drops it. */
  sendRepeatable(frame: string): boolean;
}

/** The parts of a server that starts now. */
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
  switch (name) {
    case "oct25":
      return OCT25;
    case "oct":
      return OCT;
    case "nov":
      return NOV;
    default:
      return name satisfies never;
  }
}
