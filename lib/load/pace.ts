import type { Clock } from "../client/clock.ts";

/** Waits for the time to pass or the signal to be aborted, whichever comes first. */
export async function wait(
  milliseconds: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return;
  const done = Promise.withResolvers<void>();
  const cancel = clock.after(Math.ceil(milliseconds), done.resolve);
  const onAbort = () => done.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await done.promise;
  cancel();
  signal.removeEventListener("abort", onAbort);
}

/** A timer is up to about two milliseconds late: that much a pace makes up for, and no more. */
const TIMER_SLACK_NS = 2e6;

/**
 * When the slot after this one is due, in nanoseconds. Time that a slow server took stays lost; slots
 * that came due while a timer overslept are owed, or no pace above some 500/s could be kept.
 *
 * @param wokenNs when the last timer ended that waited for a slot
 */
export function slotAfter(
  dueNs: number,
  { nowNs, intervalNs, wokenNs }: { nowNs: number; intervalNs: number; wokenNs: number },
): number {
  const owed = dueNs <= wokenNs && dueNs > wokenNs - TIMER_SLACK_NS;
  return (owed ? dueNs : Math.max(dueNs, nowNs)) + intervalNs;
}

/**
 * Spaces calls that are made one after the other. The returned function resolves when the next may be
 * sent; at once without a rate, and at once when aborted.
 */
export function createPace(
  options: { maxRatePerSecond: number | null; clock: Clock; signal: AbortSignal },
): () => Promise<void> {
  const { maxRatePerSecond, clock } = options;
  if (maxRatePerSecond === null) return () => Promise.resolve();
  const intervalNs = 1e9 / maxRatePerSecond;
  let nextNs = clock.nowNs();
  let wokenNs = -Infinity;
  return async () => {
    const waitNs = nextNs - clock.nowNs();
    if (waitNs > 0) {
      await wait(waitNs / 1e6, options);
      wokenNs = clock.nowNs();
    }
    nextNs = slotAfter(nextNs, { nowNs: clock.nowNs(), intervalNs, wokenNs });
  };
}
