/**
 * Decides when a turn begins, in unix milliseconds; `null`: immediately. Can take until all shards
 * are ready. The turn is the same on all of them.
 */
export type StartGate = (turn: Turn) => Promise<number | null>;

/** The turn of one or more scenarios in an epoch. */
export interface Turn {
  order: number;
  /** Planned start, after that of the first turn; `null`: when the previous turns have ended. */
  offsetMs: number | null;
}

/** A first epoch is late if it begins over this time after its planned start. */
export const LATE_START_MS = 50;

/** Time between turns, to collect garbage and open sessions. */
export const ALLOWANCE_MS = 1_500;

/**
 * Start times that are the same on all shards without communication: the first turn starts at
 * `startAtMs` (unix time), and each further one when the previous ones should have ended. Turns
 * after one of unknown length are not planned.
 */
export function plannedStarts(startAtMs: number): StartGate {
  return ({ offsetMs }) => Promise.resolve(offsetMs === null ? null : startAtMs + offsetMs);
}

/** Delay of the first epoch, in milliseconds; `null`: it was not planned, or did not begin. */
export function startOffsetMs(
  { plannedStartMs, epochs: [first] }: {
    plannedStartMs: number | null;
    epochs: readonly { startMs: number }[];
  },
): number | null {
  return plannedStartMs === null || first === undefined ? null : first.startMs - plannedStartMs;
}
