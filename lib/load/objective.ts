import type { Call } from "../client/call.ts";
import { binPoints, theilSenTrend } from "../stats/theil_sen.ts";
import type { OpenLoopResult } from "./open.ts";

/** At least this share of the slots comes back within the schedule, and within the objective. */
const MET_SHARE = 0.99;
/** Latency may grow over a run by less than this share of the objective. */
const GROWTH_SHARE = 0.1;
/** To estimate the growth a run is cut into so many parts. */
const GROWTH_BINS = 200;
/** Calls are sent late, and replies seen late. */
const LATE_TWICE = 2;

/** `noVerdict`: it was missed, but might have been met if the client had sent no call late. */
export type Verdict = "met" | "missed" | "noVerdict";

/** What a run missed. */
export type Miss =
  /** Too few calls came back in the time that the schedule lasted. */
  | { kind: "cameBack"; inTime: number; slots: number }
  /** Latency grew: the upper bound of what it grew by over the run, and what that must stay under. */
  | { kind: "growth"; growthNs: number; limitNs: number }
  /** Too many calls took longer than the objective, failed ones included. */
  | { kind: "latency"; over: number; slots: number }
  /** Every connection was lost, or nothing was answered. */
  | { kind: "gone"; end: "connectionLost" | "silent" };

/** A run held against the objective. */
export interface Judgement {
  verdict: Verdict;
  /** Empty where it was met. */
  misses: Miss[];
  /** How late the latest call was sent. */
  longestSlipNs: number;
}

/**
 * Holds a run against an objective for the p99 of latency. The rate is sustained if at least 99 % of the
 * slots came back within the schedule, the upper bound of the Theil-Sen slope of latency times the duration
 * stays under a tenth of the objective, and at most 1 % of the calls took longer than it.
 *
 * Where the client sent calls late, no call ended later for it than by the longest slip: the times at which
 * a queue ends its work are maxima of sums of those at which work arrives (F. Baccelli et al.,
 * Synchronization and Linearity, 1992). A client that was away for that long was also late by as much to see
 * replies. So what is missed with twice the longest slip taken off each latency is the server's; what is
 * missed only without is nobody's.
 */
export function judgeRun(result: OpenLoopResult, { sloNs }: { sloNs: number }): Judgement {
  const longestSlipNs = result.slipNs.reduce((longest, ns) => Math.max(longest, ns), 0);
  const misses = missesOf(result, { sloNs, excusedNs: 0 });
  if (misses.length === 0) return { verdict: "met", misses, longestSlipNs };
  const certain = missesOf(result, { sloNs, excusedNs: LATE_TWICE * longestSlipNs });
  if (certain.length === 0) return { verdict: "noVerdict", misses, longestSlipNs };
  return { verdict: "missed", misses: certain, longestSlipNs };
}

/** What is missed with so much time taken off each latency. */
function missesOf(
  result: OpenLoopResult,
  { sloNs, excusedNs }: { sloNs: number; excusedNs: number },
): Miss[] {
  const { end, ok, slots, dropped, latencyNs } = result;
  if (end === "connectionLost" || end === "silent") return [{ kind: "gone", end }];
  const misses: Miss[] = [];
  // Slots that a client drops that sends in a burst after being away for so long.
  const excused = excusedNs > LATE_TWICE * sloNs ? dropped : 0;
  const inTime = countInTime(result, excusedNs) + excused;
  // One that falls due at the very end may always be under way.
  const isBack = inTime >= slots - Math.max(1, mayFail(slots));
  if (!isBack) misses.push({ kind: "cameBack", inTime, slots });
  const growthNs = growthOf(result) - 2 * excusedNs;
  const limitNs = sloNs * GROWTH_SHARE;
  if (growthNs >= limitNs) misses.push({ kind: "growth", growthNs, limitNs });
  const slow = latencyNs.filter((ns) => ns - excusedNs > sloNs).length;
  const over = slow + slots - ok - excused;
  if (over > mayFail(slots)) misses.push({ kind: "latency", over, slots });
  return misses;
}

/** How many of so many slots need not come back. */
function mayFail(slots: number): number {
  return Math.floor(slots * (1 - MET_SHARE) + 1e-9);
}

/** What falls due last cannot come back any sooner than the quickest call of all. */
function countInTime(
  { endedNs, serviceNs, startNs, windowNs }: OpenLoopResult,
  excusedNs: number,
): number {
  const quickestNs = serviceNs.reduce((least, ns) => Math.min(least, ns), Infinity);
  const untilNs = startNs + windowNs + quickestNs + excusedNs;
  return endedNs.filter((ns) => ns <= untilNs).length;
}

/** The upper bound of what latency grew by over the run; 0 where there are too few calls for a bound. */
function growthOf({ latencyNs, endedNs, windowNs }: OpenLoopResult): number {
  const points = Array.from(latencyNs, (y, nth) => ({ x: endedNs[nth]! - y, y }));
  points.sort((a, b) => a.x - b.x);
  const trend = theilSenTrend(binPoints(points, GROWTH_BINS));
  return (trend?.upper95 ?? 0) * windowNs;
}

/** Ends a run as soon as it is sure to miss the objective. */
export class EarlyEnd {
  readonly #sloNs: number;
  readonly #mayFail: number;
  #longestSlipNs = 0;
  #failed = 0;

  /** @param slots how many are to be measured in all */
  constructor({ sloNs, slots }: { sloNs: number; slots: number }) {
    this.#sloNs = sloNs;
    this.#mayFail = mayFail(slots);
  }

  /** Notes a measured call that has ended; `"stop"` where the run may end. */
  noteCall({ status, sentNs, endedNs }: Call, intendedNs: number): "stop" | void {
    this.#longestSlipNs = Math.max(this.#longestSlipNs, sentNs - intendedNs);
    const isOver = endedNs - intendedNs - LATE_TWICE * this.#longestSlipNs > this.#sloNs;
    if (status !== "ok" || isOver) return this.noteDropped();
  }

  /** Notes a slot that was dropped; `"stop"` where the run may end. */
  noteDropped(): "stop" | void {
    if (++this.#failed > this.#mayFail) return "stop";
  }
}
