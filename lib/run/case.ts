import type { SliceClient, SliceLength } from "../load/closed.ts";
import type { PacedRun } from "../load/open.ts";
import type { Arrivals } from "../load/schedule.ts";

/** One thing to measure. Scenarios that ask for equal cases share the slices. */
export interface Case {
  clients: number;
  /** Per connection. */
  inFlight: number;
  /** Size of an argument to add to each call; 0: none. */
  payloadBytes: number;
  /** Calls per second of all clients together, independent of replies; `null`: a closed loop. */
  ratePerSecond: number | null;
  /** This and the next two apply to open loops only. */
  arrivals?: Arrivals;
  maxOutstanding?: number | null;
  /** A rate that varies, in the format of `parseStages`. `ratePerSecond` is its peak. */
  stages?: string | null;
  /** Measures only this layer of a call, with a rig that the scenario opens. */
  layer?: string;
}

/** One client with one call in flight. */
export const ONE_CLIENT: Case = { clients: 1, inFlight: 1, payloadBytes: 0, ratePerSecond: null };

/** A key that is the same for equal cases. */
export function caseKey(one: Case): string {
  const { clients, inFlight, payloadBytes, ratePerSecond, layer } = one;
  const { arrivals = "constant", maxOutstanding = null, stages = null } = one;
  const open = ratePerSecond === null ? [] : [arrivals, maxOutstanding, stages];
  return JSON.stringify([clients, inFlight, payloadBytes, ratePerSecond, ...open, layer ?? null]);
}

/** True if it is measured on the target, each call after the reply to another. */
export function isTargetLoop({ ratePerSecond, layer }: Case): boolean {
  return ratePerSecond === null && layer === undefined;
}

/** One uninterrupted measurement of a case. */
export interface Slice {
  /** False if it ended early. It has no rate then. */
  complete: boolean;
  /** True if a closed loop ended because the server stopped replying. Default: false. */
  silent?: boolean;
  /** Successes of each client in its window. An open loop has one window for all clients. */
  clients: readonly SliceClient[];
  /** Times of the measured successes. Overwritten by the next slice. */
  timesNs: Float64Array;
  /** Measured calls without a reply. */
  censored: number;
  /** Calls of the whole slice that were answered, and those that overtook an earlier call. */
  answered: number;
  outOfOrder: number;
  /** CPU time of this thread during the whole slice, and the duration of the slice. */
  clientCpuNs: number;
  elapsedNs: number;
  /** Further results of an open loop: see lib/load/open.ts. */
  open?: PacedRun & Record<"serviceNs" | "slipNs" | "endedNs", Float64Array>;
}

/** Measures cases with a `layer`, which are not calls to the target. */
export interface Rig {
  measure(length: SliceLength): Promise<Slice>;
}
