import type { Clock } from "../client/clock.ts";

/** Resolves after the time, or as soon as the signal is aborted. */
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

/** Timers are up to about 2 ms late; a pace catches up on no more than that. */
const TIMER_SLACK_NS = 2e6;

/**
 * When the next slot is due. Slots missed because the server was slow stay lost; slots missed
 * because a timer was late are made up, or no rate above about 500/s could be kept.
 *
 * @param wokenNs When the last timer for a slot fired.
 */
export function slotAfter(
  dueNs: number,
  { nowNs, intervalNs, wokenNs }: { nowNs: number; intervalNs: number; wokenNs: number },
): number {
  const isOwed = dueNs <= wokenNs && dueNs > wokenNs - TIMER_SLACK_NS;
  return (isOwed ? dueNs : Math.max(dueNs, nowNs)) + intervalNs;
}

/**
 * Spaces consecutive calls. The returned function resolves when the next may be sent: immediately
 * without a rate, or when aborted.
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
