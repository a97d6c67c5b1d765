/** Says when an epoch of some scenarios begins. */
export interface StartGate {
  /**
   * In unix milliseconds; `null`: at once. Resolves when that is known, which may take as long as the other
   * shards need to be ready.
   *
   * @param turn the same on all shards
   */
  startOf(turn: Turn): Promise<number | null>;
}

/** The turn of some scenarios in an epoch. */
export interface Turn {
  /** Turns come in the order of this number. */
  order: number;
  /** How long after the first turn it begins as planned; `null`: when those before it are over. */
  offsetMs: number | null;
}

/** A first epoch that begins more than this after its time is late. */
export const LATE_START_MS = 50;

/** For the sessions of the next epoch, and the garbage of the last. */
export const ALLOWANCE_MS = 1_500;

/**
 * The times at which epochs begin, the same for all shards without a word between them: the first at the time
 * given, each further one when those before it should be over. After one that lasts as long as its calls take,
 * nothing is planned.
 *
 * @param startAtMs in unix milliseconds
 */
export function plannedStarts(startAtMs: number): StartGate {
  return {
    startOf: ({ offsetMs }) => Promise.resolve(offsetMs === null ? null : startAtMs + offsetMs),
  };
}

/** How much later than planned the first epoch began, in milliseconds; `null`: not planned, or none began. */
export function startOffsetMs(
  { plannedStartMs, epochs: [first] }: {
    plannedStartMs: number | null;
    epochs: readonly { startMs: number }[];
  },
): number | null {
  return plannedStartMs === null || first === undefined ? null : first.startMs - plannedStartMs;
}
