import type { RandomStream } from "../stats/random.ts";

/** Bounds of a back-off, in milliseconds. */
export interface BackoffOptions {
  /** The most before the first attempt. */
  baseMs: number;
  /** The most before any. */
  capMs: number;
}

/**
 * How long to wait before an attempt (from 0), in milliseconds: exponential back-off with full jitter,
 * uniform from 0 to min(cap, base x 2^attempt). M. Brooker: Exponential Backoff And Jitter, AWS
 * Architecture Blog, 2015.
 */
export function fullJitterMs(
  attempt: number,
  { baseMs, capMs, random }: BackoffOptions & { random: RandomStream },
): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt);
}
