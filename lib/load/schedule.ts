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
  const { stages, share } = options;
  const { spanNs, next } = stages ? stagedSchedule(options, stages) : steadySchedule(options);
  return { spanNs, next: share === undefined ? next : shareOfSlots(next, share) };
}

function steadySchedule(options: ScheduleOptions): Schedule {
  const { ratePerSecond, slots, durationMs } = options;
  if (!(ratePerSecond > 0 && ratePerSecond < Infinity)) {
    throw new RangeError(`Cannot schedule as rate must be > 0: rate is ${ratePerSecond}`);
  }
  if (slots === null && durationMs === null) {
    throw new RangeError("Cannot schedule as neither slots nor durationMs bounds it");
  }
  const spanNs = slots === null ? durationMs! * 1e6 : slots / ratePerSecond * 1e9;
  // Rounding errors must not add a slot: 0.1/s for 10,000 ms is one.
  const endNs = slots === null ? spanNs * (1 - 1e-12) : Infinity;
  const nextPlace = unitSlots(options);
  let left = slots ?? Infinity;
  const next = () => {
    if (left-- <= 0) return null;
    const offsetNs = nextPlace() * 1e9 / ratePerSecond;
    return offsetNs < endNs ? offsetNs : null;
  };
  return { spanNs, next };
}

function stagedSchedule(options: ScheduleOptions, stages: readonly Stage[]): Schedule {
  const [at, nextPlace] = [timesOf(stages), unitSlots(options)];
  return { spanNs: spanOf(stages) * 1e6, next: () => at(nextPlace()) };
}

/**
 * The slots of rate 1, in seconds: every other schedule has them at the times at which it has come as far, so that no
 * error of constant intervals adds up. Exponential intervals are drawn by inversion of the distribution function.
 */
function unitSlots({ arrivals, seed }: ScheduleOptions): () => number {
  switch (arrivals) {
    case "constant": {
      let place = 0;
      return () => place++;
    }
    case "poisson": {
      const random = randomStream(seed, "arrivals");
      let place = 0;
      return () => place -= Math.log(1 - random());
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
