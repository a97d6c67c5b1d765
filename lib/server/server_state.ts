import { ConnectionSlots } from "./connection_slots.ts";
import { type Counters, createCounters, type ServerStats } from "./counters.ts";
import type { ServerOptions } from "./options.ts";

/** What a server knows of itself: the source of its statistics and of the light tools' answers. */
export interface ServerState {
  readonly options: ServerOptions;
  readonly counters: Counters;
  readonly slots: ConnectionSlots;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
}

/** The state of a server that starts now. */
export function createServerState(options: ServerOptions): ServerState {
  return {
    options,
    counters: createCounters(),
    slots: new ConnectionSlots(options.limits),
    startedAtMs: performance.now(),
  };
}

/** The counters as they stand, as a copy. */
export function readStats(state: ServerState): ServerStats {
  return {
    ...state.counters,
    connections: state.slots.total,
    uptimeMs: performance.now() - state.startedAtMs,
  };
}
