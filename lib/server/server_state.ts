import { ConnectionSlots } from "./connection_slots.ts";
import { Counters, type ServerStats } from "./counters.ts";
import type { ServerOptions } from "./options.ts";

/** Source of a server's statistics and of the light tools' answers. */
export interface ServerState {
  readonly options: ServerOptions;
  readonly counters: Counters;
  readonly slots: ConnectionSlots;
  /** By `performance.now()`. */
  readonly startedAtMs: number;
}

/** State of a server that starts now. */
export function createServerState(options: ServerOptions): ServerState {
  return {
    options,
    counters: new Counters(),
    slots: new ConnectionSlots(options.limits),
    startedAtMs: performance.now(),
  };
}

/** A copy of the present counts. */
export function readStats(state: ServerState): ServerStats {
  return {
    ...state.counters,
    connections: state.slots.total,
    uptimeMs: performance.now() - state.startedAtMs,
  };
}
