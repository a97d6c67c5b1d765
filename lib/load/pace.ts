import type { Clock } from "../contract.ts";

/** Waits for the time to pass or the signal to be aborted, whichever comes first. */
export async function wait(
  milliseconds: number,
  options: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { clock, signal } = options;
  if (signal.aborted) return;
  const done = Promise.withResolvers<void>();
  const cancel = clock.after(Math.ceil(milliseconds), done.resolve);
  const onAbort = () => done.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await done.promise;
  cancel();
  signal.removeEventListener("abort", onAbort);
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
  return async () => {
    const waitNs = nextNs - clock.nowNs();
    if (waitNs > 0) await wait(waitNs / 1e6, options);
    nextNs = Math.max(nextNs, clock.nowNs()) + intervalNs;
  };
}
