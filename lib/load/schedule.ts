import type { ShardPlace } from "../schema.ts";
import { randomStream } from "../stats/random.ts";
import { owns } from "./share.ts";
import { spanOf, type Stage, timesOf } from "./stages.ts";

/** Spacing of arrivals: even, or random like those of many independent clients. */
export const ARRIVALS = ["constant", "poisson"] as const;
export type Arrivals = typeof ARRIVALS[number];

/** The schedule of the whole run, even where only a share of it is made. */
export interface ScheduleOptions {
  /** More than 0. */
  ratePerSecond: number;
  arrivals: Arrivals;
  /** Number of slots; takes precedence over the duration. One of the two must be given. */
  slots: number | null;
  durationMs: number | null;
  /** The same seed gives the same random arrivals. */
  seed: number;
  /** A changing rate, instead of the rate, the slots and the duration. */
  stages?: readonly Stage[] | null;
  /**
   * Keeps only the slots of one shard. Slot k is sent on connection k mod `connections`, counted
   * over all shards, and belongs to that connection's shard. Default: all slots.
   */
  share?: { connections: number; place: ShardPlace };
}

/** The slots of one run; each is read once. */
export interface Schedule {
  /** Length of the schedule. The last slot is due a little earlier. */
  readonly spanNs: number;
  /** When the next slot is due, in nanoseconds from the start, never falling; `null` at the end. */
  next(): number | null;
}

/**
 * Makes a schedule of constant intervals, starting at 0 with rate x duration slots, rounded up; or
 * of a Poisson process, with independent exponential intervals and so no slot at 0.
 *
 * The slots of a share, random ones too, are due when they are in the whole schedule: together, the
 * shares of all shards are exactly the whole, however it is split.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { stages, share } = options;
  const { spanNs, next } = stages ? stagedSchedule(options, stages) : steadySchedule(options);
  return { spanNs, next: share === undefined ? next : shareOfSlots(next, share) };
}

function steadySchedule(options: ScheduleOptions): Schedule {
  const { ratePerSecond, slots, durationMs } = options;
  const spanNs = slots === null ? durationMs! * 1e6 : slots / ratePerSecond * 1e9;
  // Rounding errors must not add a slot: 0.1/s for 10,000 ms is one.
  const endNs = slots === null ? spanNs * (1 - 1e-12) : Infinity;
  const nextUnit = unitSlots(options);
  let left = slots ?? Infinity;
  const next = () => {
    if (left-- <= 0) return null;
    const offsetNs = nextUnit() * 1e9 / ratePerSecond;
    return offsetNs < endNs ? offsetNs : null;
  };
  return { spanNs, next };
}

function stagedSchedule(options: ScheduleOptions, stages: readonly Stage[]): Schedule {
  const [timeOf, nextUnit] = [timesOf(stages), unitSlots(options)];
  return { spanNs: spanOf(stages) * 1e6, next: () => timeOf(nextUnit()) };
}

/**
 * Slots at rate 1, in seconds. Other schedules scale these, so rounding errors of constant
 * intervals do not add up. Exponential intervals are drawn by inversion.
 */
function unitSlots({ arrivals, seed }: ScheduleOptions): () => number {
  let seconds = 0;
  if (arrivals === "constant") return () => seconds++;
  const random = randomStream(seed, "arrivals");
  return () => seconds -= Math.log(1 - random());
}

/** Keeps the slots whose connection belongs to the shard. */
function shareOfSlots(
  next: Schedule["next"],
  { connections, place }: NonNullable<ScheduleOptions["share"]>,
): Schedule["next"] {
  let slot = 0;
  return () => {
    for (let offsetNs = next(); offsetNs !== null; offsetNs = next()) {
      if (owns(place, slot++ % connections)) return offsetNs;
    }
    return null;
  };
}
