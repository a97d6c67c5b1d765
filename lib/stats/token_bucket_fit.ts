/**
 * Which token buckets could have decided as a server was seen to: a bucket holds at most `capacity` tokens,
 * is full when the first call comes, gains `refillPerSecond`, and gives one to each call that it accepts.
 *
 * @module
 */

import type { Interval } from "../contract.ts";

/** A call that a limiter decided on, and when it was sent, in nanoseconds of the clock. */
export interface Decision {
  atNs: number;
  accepted: boolean;
}

/** Every bucket that fits has its numbers within these; `null`: there is none that fits. */
export interface BucketFit {
  capacity: Interval;
  refillPerSecond: Interval;
}

/** The range of refills that is looked at, and how finely, in halvings of its logarithm. */
const SLOWEST_PER_SECOND = 1e-6;
const FASTEST_PER_SECOND = 1e6;
const HALVINGS = 60;

/**
 * Fits a bucket to decisions, in the order in which they were made.
 *
 * With t the times of sending, N(i) the number of calls accepted before the i-th, and each call decided on
 * at most a slack after it was sent, the tokens before the i-th call are the least of
 * `capacity + refill (t(i) - t(j)) - (N(i) - N(j))` over all j up to i, give or take `refill x slack`. An accepted
 * call says that there may have been one, a refused call that there may have been less: both are bounds on
 * the refill, for each capacity.
 *
 * @param slackNs the longest that the server took to decide, such as the longest reply
 * @returns `null` if nothing was refused, or no bucket fits
 */
export function fitTokenBucket(
  decisions: readonly Decision[],
  { slackNs }: { slackNs: number },
): BucketFit | null {
  const firstRefused = decisions.findIndex(({ accepted }) => !accepted);
  if (firstRefused === -1) return null;
  const calls = prepare(decisions);
  const fits: { capacity: number; refill: Interval }[] = [];
  // What was accepted before the first refusal was there, or has come since: downwards from all of it.
  for (let capacity = firstRefused; capacity >= 1; capacity--) {
    const refill = refillFor(calls, { capacity, slackS: slackNs / 1e9 });
    if (refill !== null) fits.push({ capacity, refill });
    else if (fits.length > 0) break;
  }
  if (fits.length === 0) return null;
  return {
    capacity: [fits[fits.length - 1]!.capacity, fits[0]!.capacity],
    refillPerSecond: [
      Math.min(...fits.map(({ refill }) => refill[0])),
      Math.max(...fits.map(({ refill }) => refill[1])),
    ],
  };
}

/** A decision, in seconds from the first, with the number of calls accepted before it. */
interface CountedCall {
  atS: number;
  accepted: boolean;
  before: number;
}

function prepare(decisions: readonly Decision[]): CountedCall[] {
  let before = 0;
  return decisions.map(({ atNs, accepted }) => {
    const call = { atS: (atNs - decisions[0]!.atNs) / 1e9, accepted, before };
    if (accepted) before++;
    return call;
  });
}

interface Bucket {
  capacity: number;
  slackS: number;
}

/** The slowest and the fastest refill that explain every decision; `null` if none does. */
function refillFor(calls: readonly CountedCall[], bucket: Bucket): Interval | null {
  if (!explainsRefused(calls, { ...bucket, refill: 0 })) return null;
  const slowest = explainsAccepted(calls, { ...bucket, refill: 0 })
    ? 0
    : boundary((refill) => explainsAccepted(calls, { ...bucket, refill }));
  const fastest = boundary((refill) => !explainsRefused(calls, { ...bucket, refill }));
  return slowest <= fastest && slowest < FASTEST_PER_SECOND ? [slowest, fastest] : null;
}

/** Where a statement that holds for fast refills, and not for slow ones, begins to hold. */
function boundary(holds: (refill: number) => boolean): number {
  let low = Math.log(SLOWEST_PER_SECOND);
  let high = Math.log(FASTEST_PER_SECOND);
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2;
    if (holds(Math.exp(middle))) high = middle;
    else low = middle;
  }
  return Math.exp(high);
}

/** Whether there may have been a token for every call that was accepted. */
function explainsAccepted(
  calls: readonly CountedCall[],
  { capacity, slackS, refill }: Bucket & { refill: number },
): boolean {
  let least = Infinity; // Of N(j) - refill t(j).
  for (const { atS, accepted, before } of calls) {
    const tokens = Math.min(capacity, capacity + refill * (atS + slackS) - before + least);
    if (accepted && tokens < 1 - ROUNDING) return false;
    least = Math.min(least, before - refill * atS);
  }
  return true;
}

/** Whether there may have been less than a token for every call that was refused. */
function explainsRefused(
  calls: readonly CountedCall[],
  { capacity, slackS, refill }: Bucket & { refill: number },
): boolean {
  let least = Infinity; // Of N(j) - refill t(j), over calls that were surely decided on before.
  let recent = 0; // The first call that was not.
  for (const { atS, accepted, before } of calls) {
    for (; calls[recent]!.atS <= atS - slackS && calls[recent]!.atS < atS; recent++) {
      least = Math.min(least, calls[recent]!.before - refill * calls[recent]!.atS);
    }
    const tokens = Math.min(
      capacity + refill * (atS - slackS) - before + least,
      capacity - before + calls[recent]!.before,
    );
    if (!accepted && tokens >= 1 - ROUNDING) return false;
  }
  return true;
}

/** Sums of floating-point numbers are this exact. */
const ROUNDING = 1e-9;
