import type { Interval } from "../schema.ts";

/** A call that a limiter decided on, between its sending and its end, in nanoseconds of the clock. */
export interface Decision {
  sentNs: number;
  endedNs: number;
  accepted: boolean;
}

/** Every bucket that fits has its numbers within these. */
export interface BucketFit {
  capacity: Interval;
  /** From 0 where nothing was seen to come in, to Infinity where the bucket may have been full each time. */
  refillPerSecond: Interval;
}

/** The logarithms of the slowest and the fastest refill a second that are looked at, and how finely. */
const LOG_REFILLS = [Math.log(1e-6), Math.log(1e6)] as const;
const HALVINGS = 60;
/** A bucket that gains more tokens than this while one call is made is none that one client can empty. */
const MOST_TOKENS_PER_CALL = 0.5;
/** Sums of floating-point numbers are this exact. */
const ROUNDING = 1e-9;

/**
 * Which token buckets could have decided as a server was seen to, on calls that were made one at a time? A bucket holds
 * at most `capacity` tokens, is full when the first call comes, gains `refillPerSecond`, and gives one to each call
 * that it accepts.
 *
 * With s the time of a decision and N(i) the number of calls accepted before the i-th, the tokens before the
 * i-th call are the least of `capacity + refill (s(i) - s(j)) - (N(i) - N(j))` over all j up to i. The decision
 * was somewhere between sending and end, so that this is bounded from both sides. An accepted call says
 * that there may have been a token, a refused one that there may have been less: for each capacity, both
 * bound the refill.
 *
 * Calls must be made much faster than tokens come in: up to half a token for each call of the first burst, the
 * true bucket is among those that fit. Beyond, small buckets that gain as fast as calls are made would explain
 * nearly anything, so that none of them is looked at.
 *
 * @returns `null` if nothing was refused, or no bucket fits
 */
export function fitTokenBucket(decisions: readonly Decision[]): BucketFit | null {
  const firstRefused = decisions.findIndex(({ accepted }) => !accepted);
  if (firstRefused === -1) return null;
  const calls = prepare(decisions);
  const mostRefill = MOST_TOKENS_PER_CALL * (firstRefused + 1) / calls[firstRefused]!.endedS;
  const capacities: number[] = [];
  const refills: Interval[] = [];
  // What was accepted before the first refusal was there, or has come since: downwards from all of it, and all the
  // way down, as each refusal may have several causes, so that there may be gaps between those that fit.
  for (let capacity = firstRefused; capacity >= 1; capacity--) {
    const refill = refillFor(calls, capacity);
    if (refill === null || refill[0] > mostRefill) continue;
    capacities.push(capacity);
    refills.push(refill);
  }
  if (refills.length === 0) return null;
  return {
    capacity: [capacities.at(-1)!, capacities[0]!],
    refillPerSecond: [
      Math.min(...refills.map(([slowest]) => slowest)),
      Math.max(...refills.map(([, fastest]) => fastest)),
    ],
  };
}

/** A decision, in seconds from the first, with the number of calls accepted before it. */
interface CountedCall {
  sentS: number;
  endedS: number;
  accepted: boolean;
  before: number;
}

function prepare(decisions: readonly Decision[]): CountedCall[] {
  const seconds = (ns: number) => (ns - decisions[0]!.sentNs) / 1e9;
  let count = 0;
  return decisions.map(({ sentNs, endedNs, accepted }) => {
    const before = accepted ? count++ : count;
    return { sentS: seconds(sentNs), endedS: seconds(endedNs), accepted, before };
  });
}

/** The slowest and the fastest refill that explain every decision; `null` if none does. */
function refillFor(calls: readonly CountedCall[], capacity: number): Interval | null {
  const explains = (refill: number, accepted: boolean) =>
    explainsAll(calls, { capacity, refill, accepted });
  if (!explains(0, false)) return null;
  const slowest = explains(0, true) ? 0 : boundary((refill) => explains(refill, true));
  const fastest = boundary((refill) => !explains(refill, false));
  return slowest <= fastest && slowest < Infinity ? [slowest, fastest] : null;
}

/** Where a statement that holds for fast refills, and not for slow ones, begins to hold. */
function boundary(holds: (refill: number) => boolean): number {
  let [low, high]: [number, number] = [...LOG_REFILLS];
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (holds(Math.exp(middle))) high = middle;
    else low = middle;
  }
  return high === LOG_REFILLS[1] ? Infinity : Math.exp(high);
}

/**
 * May there have been a token for every accepted call, each decided late, after early ones; or less than one for every
 * refused call, each decided early, after late ones?
 */
function explainsAll(
  calls: readonly CountedCall[],
  { capacity, refill, accepted }: { capacity: number; refill: number; accepted: boolean },
): boolean {
  // Of N(j) - refill x s(j) over the calls before. The call itself bounds the tokens by the capacity only.
  let least = Infinity;
  for (const call of calls) {
    const [own, earlier] = accepted ? [call.endedS, call.sentS] : [call.sentS, call.endedS];
    const tokens = capacity + refill * own - call.before + least;
    const isEnough = tokens >= 1 - ROUNDING;
    if (call.accepted === accepted && isEnough !== accepted) return false;
    least = Math.min(least, call.before - refill * earlier);
  }
  return true;
}
