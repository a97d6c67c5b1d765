import type { Interval } from "../schema.ts";

/** A limiter's decision on a call, made between its sending and its end; clock in nanoseconds. */
export interface Decision {
  sentNs: number;
  endedNs: number;
  accepted: boolean;
}

/** The ranges of all buckets that fit. */
export interface BucketFit {
  capacity: Interval;
  /** From 0 if no refill was seen, to Infinity if the bucket could have been full each time. */
  refillPerSecond: Interval;
}

/** The search range of log refill per second, and its resolution. */
const LOG_REFILLS = [Math.log(1e-6), Math.log(1e6)] as const;
const HALVINGS = 60;
/** One client cannot empty a bucket that gains more tokens than this per call. */
const MOST_TOKENS_PER_CALL = 0.5;
/** Precision of floating-point sums. */
const ROUNDING = 1e-9;

/**
 * Finds the token buckets that explain a server's decisions on calls made one at a time. A bucket
 * holds at most `capacity` tokens, is full at the first call, gains `refillPerSecond`, and spends
 * one token on each call that it accepts.
 *
 * With s(i) the time of the i-th decision and N(i) the number of calls accepted before it, the i-th
 * call finds min over j ≤ i of `capacity + refill (s(i) - s(j)) - (N(i) - N(j))` tokens. A decision
 * fell between sending and end, which bounds this from both sides. An accepted call requires that
 * there can have been a token, a refused one that there can have been less: for each capacity, both
 * bound the refill.
 *
 * Calls must be much faster than the refill. Up to half a token per call of the first burst, the
 * true bucket is among those that fit. Faster refills are not considered, as small buckets that
 * refill as fast as calls are made would explain nearly anything.
 *
 * @returns `null` if nothing was refused, or no bucket fits
 */
export function fitTokenBucket(decisions: readonly Decision[]): BucketFit | null {
  const firstRefused = decisions.findIndex(({ accepted }) => !accepted);
  if (firstRefused === -1) return null;
  const calls = prepare(decisions);
  const mostRefill = MOST_TOKENS_PER_CALL * (firstRefused + 1) / calls[firstRefused].endedS;
  const fits: { capacity: number; refill: Interval }[] = [];
  // Calls accepted before the first refusal used the capacity or the refill since, so start with
  // all of them. Try every smaller capacity, as there can be gaps between those that fit.
  for (let capacity = firstRefused; capacity >= 1; capacity--) {
    const refill = refillFor(calls, capacity);
    if (refill !== null && refill[0] <= mostRefill) fits.push({ capacity, refill });
  }
  if (fits.length === 0) return null;
  return {
    capacity: [fits.at(-1)!.capacity, fits[0].capacity],
    refillPerSecond: [
      Math.min(...fits.map(({ refill }) => refill[0])),
      Math.max(...fits.map(({ refill }) => refill[1])),
    ],
  };
}

type CountedCall = ReturnType<typeof prepare>[number];

/** Times in seconds since the first call, and the number of calls accepted before each call. */
function prepare(decisions: readonly Decision[]) {
  const seconds = (ns: number) => (ns - decisions[0].sentNs) / 1e9;
  let count = 0;
  return decisions.map(({ sentNs, endedNs, accepted }) => {
    const before = accepted ? count++ : count;
    return { sentS: seconds(sentNs), endedS: seconds(endedNs), accepted, before };
  });
}

/** The slowest and fastest refill that explain all decisions; `null` if none does. */
function refillFor(calls: readonly CountedCall[], capacity: number): Interval | null {
  const explains = (refill: number, accepted: boolean) =>
    explainsAll(calls, { capacity, refill, accepted });
  if (!explains(0, false)) return null;
  const slowest = explains(0, true) ? 0 : boundary((refill) => explains(refill, true));
  const fastest = boundary((refill) => !explains(refill, false));
  return slowest <= fastest && slowest < Infinity ? [slowest, fastest] : null;
}

/** The slowest refill from which a condition holds, by bisection; `Infinity` if it never does. */
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
 * True if every accepted call can have found a token, when it is decided late and the calls before
 * it early; or, unless `accepted`, if every refused call can have found less than one, when it is
 * decided early and the calls before it late.
 */
function explainsAll(
  calls: readonly CountedCall[],
  { capacity, refill, accepted }: { capacity: number; refill: number; accepted: boolean },
): boolean {
  // The minimum of N(j) - refill × s(j) over earlier calls; j = i only bounds by the capacity.
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
