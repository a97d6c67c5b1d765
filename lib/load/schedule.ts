/**
 * When the calls of an open loop are due: fixed beforehand, whatever the server does.
 *
 * @module
 */

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
  /** Leaves the slots of other shards out; left out: the schedule is whole. */
  share?: ScheduleShare;
}

/** Slot k of the whole goes out on connection k mod `connections`, and belongs to that one's shard. */
export interface ScheduleShare {
  /** Of all shards together. */
  connections: number;
  place: ShardPlace;
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
  const { stages = null, ratePerSecond, slots, durationMs } = options;
  if (stages !== null) return { spanNs: spanOf(stages) * 1e6, next: sharedSlots(options) };
  if (!(ratePerSecond > 0 && ratePerSecond < Infinity)) {
    throw new RangeError(`Cannot schedule as rate must be > 0: rate is ${ratePerSecond}`);
  }
  if (slots === null && durationMs === null) {
    throw new RangeError("Cannot schedule as neither slots nor durationMs bounds it");
  }
  const spanNs = slots === null ? durationMs! * 1e6 : slots / ratePerSecond * 1e9;
  return { spanNs, next: sharedSlots(options) };
}

function sharedSlots(options: ScheduleOptions): Schedule["next"] {
  const next = wholeSlots(options);
  return options.share === undefined ? next : shareOfSlots(next, options.share);
}

function wholeSlots(options: ScheduleOptions): Schedule["next"] {
  if (options.stages) return stagedSlots(options, options.stages);
  switch (options.arrivals) {
    case "constant":
      return constantSlots(options.ratePerSecond, options.slots ?? slotsWithin(options));
    case "poisson":
      return poissonSlots(options);
    default:
      return options.arrivals satisfies never;
  }
}

/** Those of the slots whose connection is the shard's. */
function shareOfSlots(
  next: Schedule["next"],
  { connections, place }: ScheduleShare,
): Schedule["next"] {
  let slot = 0;
  return () => {
    for (let offsetNs = next(); offsetNs !== null; offsetNs = next()) {
      if (owns(place, slot++ % connections)) return offsetNs;
    }
    return null;
  };
}

/** Rounding errors of the product must not add a slot: 0.1/s for 10,000 ms is one. */
function slotsWithin({ ratePerSecond, durationMs }: ScheduleOptions): number {
  return Math.ceil(ratePerSecond * durationMs! / 1000 * (1 - 1e-12));
}

/** Those of rate 1, evenly or at random, at the times at which the stages have come as far. */
function stagedSlots(
  { arrivals, seed }: ScheduleOptions,
  stages: readonly Stage[],
): Schedule["next"] {
  const random = randomStream(seed, "arrivals");
  const at = timesOf(stages);
  let slots = arrivals === "constant" ? -1 : 0;
  return () => at(slots += arrivals === "constant" ? 1 : -Math.log(1 - random()));
}

/** Each offset is computed on its own, so that no error adds up however long the run. */
function constantSlots(ratePerSecond: number, slots: number): Schedule["next"] {
  let slot = 0;
  return () => slot < slots ? slot++ * 1e9 / ratePerSecond : null;
}

/** Intervals by inversion of the exponential distribution function. */
function poissonSlots(options: ScheduleOptions): Schedule["next"] {
  const meanNs = 1e9 / options.ratePerSecond;
  const endNs = options.slots === null ? options.durationMs! * 1e6 : Infinity;
  const slots = options.slots ?? Infinity;
  const random = randomStream(options.seed, "arrivals");
  let offsetNs = 0;
  let slot = 0;
  return () => {
    if (slot++ >= slots) return null;
    offsetNs -= Math.log(1 - random()) * meanNs;
    return offsetNs < endNs ? offsetNs : null;
  };
}
