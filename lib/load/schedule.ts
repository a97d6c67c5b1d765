import type { ShardPlace } from "../schema.ts";
import { randomStream } from "../stats/random.ts";
import { owns } from "./share.ts";
import { spanOf, type Stage, timesOf } from "./stages.ts";

/** How arrivals are spaced: evenly, or at random as those of many independent clients are. */
export const ARRIVALS = ["constant", "poisson"] as const;
export type Arrivals = typeof ARRIVALS[number];

/** What a schedule is made from: that of the whole run, also for a share of it. A count beats a duration. */
export interface ScheduleOptions {
  ratePerSecond: number;
  arrivals: Arrivals;
  /** How many slots there are; `null`: as many as the duration holds. */
  slots: number | null;
  /** Slots are due before this time has passed; `null`: no such bound. */
  durationMs: number | null;
  /** The same seed gives the same schedule. Used where arrivals are random. */
  seed: number;
  /** A rate that changes, in place of the rate, the slots and the duration. */
  stages?: readonly Stage[] | null;
  /**
   * Leaves the slots of other shards out: slot k of the whole goes out on connection k mod `connections`, of those of
   * all shards, and belongs to that one's shard. Left out: the schedule is whole.
   */
  share?: { connections: number; place: ShardPlace };
}

/** The slots of one run, each to be asked for once. */
export interface Schedule {
  /** How long it lasts: the duration, or by its rate. The last slot is due a little earlier. */
  readonly spanNs: number;
  /** When the next slot is due, in nanoseconds from the start, never falling; `null` at the end. */
  next(): number | null;
}

/**
 * A schedule of constant intervals, the first slot due at 0; or of a Poisson process, whose intervals
 * are exponential and independent, so that it also has no slot at 0.
 *
 * With constant intervals there are rate x duration slots, rounded up.
 *
 * A share has its slots at the times that they have in the whole schedule, random ones too: the shares of
 * all shards together are the whole, slot by slot and connection by connection, however it is split.
 *
 * @throws {RangeError} if the rate is not over 0, or neither slots nor duration bounds it
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { stages = null, ratePerSecond, slots, durationMs, share } = options;
  const next = slotsOf(options);
  const schedule = (spanNs: number): Schedule => ({
    spanNs,
    next: share === undefined ? next : shareOfSlots(next, share),
  });
  if (stages !== null) return schedule(spanOf(stages) * 1e6);
  if (!(ratePerSecond > 0 && ratePerSecond < Infinity)) {
    throw new RangeError(`Cannot schedule as rate must be > 0: rate is ${ratePerSecond}`);
  }
  if (slots === null && durationMs === null) {
    throw new RangeError("Cannot schedule as neither slots nor durationMs bounds it");
  }
  return schedule(slots === null ? durationMs! * 1e6 : slots / ratePerSecond * 1e9);
}

/**
 * Those of rate 1, at the times at which the rate or the stages have come as far: each is computed on its own, so that
 * with constant intervals no error adds up however long the run.
 */
function slotsOf(options: ScheduleOptions): Schedule["next"] {
  const { ratePerSecond, slots, durationMs, stages } = options;
  const step = stepOf(options);
  let place = options.arrivals === "constant" ? -1 : 0;
  if (stages) {
    const at = timesOf(stages);
    return () => at(place += step());
  }
  // Rounding errors must not add a slot: 0.1/s for 10,000 ms is one.
  const endNs = slots === null ? durationMs! * 1e6 * (1 - 1e-12) : Infinity;
  let left = slots ?? Infinity;
  return () => {
    if (left-- <= 0) return null;
    const offsetNs = (place += step()) * 1e9 / ratePerSecond;
    return offsetNs < endNs ? offsetNs : null;
  };
}

/** Draws an interval of rate 1; exponential ones by inversion of the distribution function. */
function stepOf({ arrivals, seed }: ScheduleOptions): () => number {
  switch (arrivals) {
    case "constant":
      return () => 1;
    case "poisson": {
      const random = randomStream(seed, "arrivals");
      return () => -Math.log(1 - random());
    }
    default:
      return arrivals satisfies never;
  }
}

/** Those of the slots whose connection is the shard's. */
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
