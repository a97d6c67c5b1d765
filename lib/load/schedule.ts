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
  /** Of the slots, those of a lead-in, due within this many intervals. Default: 0. */
  leadInSlots?: number;
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
 * of a Poisson process, with independent exponential intervals and so no slot at 0. A number of
 * slots is exactly the number within the span, and the same holds for the lead-in.
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
  const [timeOf, nextUnit] = [timesOf(stages), unitSlots({ ...options, slots: null })];
  return { spanNs: spanOf(stages) * 1e6, next: () => timeOf(nextUnit()) };
}

/**
 * Slots at rate 1, in seconds. Other schedules scale these, so rounding errors of constant
 * intervals do not add up. Exponential intervals are drawn by inversion. Given the number of slots
 * of a Poisson process, their times are independent and uniform (E. Çinlar, Introduction to
 * Stochastic Processes, 1975, chapter 4); in rising order, each is the least of those left.
 */
function unitSlots({ arrivals, seed, slots, leadInSlots = 0 }: ScheduleOptions): () => number {
  let seconds = 0;
  if (arrivals === "constant") return () => seconds++;
  const random = randomStream(seed, "arrivals");
  if (slots === null) return () => seconds -= Math.log(1 - random());
  let [left, endSeconds] = [leadInSlots, leadInSlots];
  return () => {
    if (left === 0) [left, endSeconds, seconds] = [slots - leadInSlots, slots, leadInSlots];
    const share = -Math.expm1(Math.log1p(-random()) / left--);
    return seconds += share * (endSeconds - seconds);
  };
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
