import { binPoints, slopeUpperBound } from "../stats/theil_sen.ts";
import type { OpenLoopOptions, OpenLoopResult } from "./open.ts";

/** Share of the slots that must come back within the schedule, and within the objective. */
const MET_SHARE = 0.99;
/** Limit of the growth of latency over a run, as a share of the objective. */
const GROWTH_SHARE = 0.1;
/** Points that a run is reduced to before the growth is estimated. */
const GROWTH_BINS = 200;
/** A late client delays a call twice: when it is sent, and when its reply is read. */
const LATE_TWICE = 2;

/** `noVerdict`: missed, but perhaps only because the client sent calls late. */
export type Verdict = "met" | "missed" | "noVerdict";

/** A part of the objective that a run missed. */
export type Miss =
  /** Too few calls came back within the schedule. */
  | { kind: "cameBack"; inTime: number; slots: number }
  /** Upper bound of the growth of latency over the run, and the limit that it must stay under. */
  | { kind: "growth"; growthNs: number; limitNs: number }
  /** Too many calls failed or took longer than the objective. */
  | { kind: "latency"; over: number; slots: number }
  /** Every connection was lost, or nothing was answered. */
  | { kind: "gone"; end: "connectionLost" | "silent" };

/** A run judged against the objective. */
export interface Judgement {
  verdict: Verdict;
  /** Empty if met. */
  misses: Miss[];
}

/**
 * Judges a run against an objective for the p99 of latency. The rate is sustained if at least 99 %
 * of the slots came back within the schedule, the upper bound of the Theil-Sen slope of latency
 * times the duration is under a tenth of the objective, and at most 1 % of the calls took longer
 * than it.
 *
 * If the client sent calls late, that delayed the end of any call by at most the longest slip: the
 * departure times of a queue are maxima of sums of its arrival times (F. Baccelli et al.,
 * Synchronization and Linearity, 1992). A client that was busy that long also read replies late by
 * as much. So a run that still misses with twice the longest slip subtracted from each latency is
 * the server's miss; otherwise there is no verdict.
 */
export function judgeRun(result: OpenLoopResult, { sloNs }: { sloNs: number }): Judgement {
  const misses = missesOf(result, { sloNs, excusedNs: 0 });
  if (misses.length === 0) return { verdict: "met", misses };
  const longestSlipNs = result.slipNs.reduce((longest, ns) => Math.max(longest, ns), 0);
  const certain = missesOf(result, { sloNs, excusedNs: LATE_TWICE * longestSlipNs });
  if (certain.length === 0) return { verdict: "noVerdict", misses };
  return { verdict: "missed", misses: certain };
}

/** Misses of a run with `excusedNs` subtracted from each latency. */
function missesOf(
  result: OpenLoopResult,
  { sloNs, excusedNs }: { sloNs: number; excusedNs: number },
): Miss[] {
  const { end, ok, slots, dropped, latencyNs } = result;
  if (end === "connectionLost" || end === "silent") return [{ kind: "gone", end }];
  const misses: Miss[] = [];
  // After being busy for that long, a client sends in a burst and drops slots.
  const excused = excusedNs > LATE_TWICE * sloNs ? dropped : 0;
  const inTime = countInTime(result, excusedNs) + excused;
  // One call that falls due at the very end may always be in flight.
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

/** Number of slots that need not come back. */
function mayFail(slots: number): number {
  return Math.floor(slots * (1 - MET_SHARE) + 1e-9);
}

/** Calls that ended within the schedule plus the shortest service time, for the last slot. */
function countInTime(
  { endedNs, serviceNs, startNs, windowNs }: OpenLoopResult,
  excusedNs: number,
): number {
  const quickestNs = serviceNs.reduce((least, ns) => Math.min(least, ns), Infinity);
  const untilNs = startNs + windowNs + quickestNs + excusedNs;
  return endedNs.filter((ns) => ns <= untilNs).length;
}

/** Upper bound of the growth of latency over the run; 0 with too few calls for a bound. */
function growthOf({ latencyNs, endedNs, windowNs }: OpenLoopResult): number {
  const points = Array.from(latencyNs, (y, nth) => ({ x: endedNs[nth]! - y, y }));
  points.sort((a, b) => a.x - b.x);
  return (slopeUpperBound(binPoints(points, GROWTH_BINS)) ?? 0) * windowNs;
}

/**
 * Callbacks of an open loop that end a run as soon as it is certain to miss the objective.
 *
 * @param slots Number of slots to be measured in total.
 */
export function endsEarly({ sloNs, slots }: { sloNs: number; slots: number }) {
  const most = mayFail(slots);
  let [longestSlipNs, failed] = [0, 0];
  const onDropped = () => ++failed > most ? "stop" : undefined;
  return {
    onDropped,
    onCall({ status, sentNs, endedNs }, intendedNs) {
      longestSlipNs = Math.max(longestSlipNs, sentNs - intendedNs);
      const isOver = endedNs - intendedNs - LATE_TWICE * longestSlipNs > sloNs;
      return status !== "ok" || isOver ? onDropped() : undefined;
    },
  } satisfies Pick<OpenLoopOptions, "onCall" | "onDropped">;
}
