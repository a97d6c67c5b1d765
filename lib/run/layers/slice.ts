import type { Clock } from "../../contract.ts";
import { sampleSequential } from "../../stats/sampling.ts";
import type { RoundLength } from "../scenario.ts";

/** How long one layer is measured at a time, and what by. */
export interface Slice extends RoundLength {
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Asks again and again, the next time when the last has ended. The first of a slice is not measured: what
 * was measured before has left caches and threads elsewhere.
 *
 * @param ask takes its own time: nanoseconds, -1 for what does not count, Infinity to stop
 * @returns the times, in ascending order
 */
export async function sampleSlice(
  ask: (isMeasured: boolean) => Promise<number>,
  { messages, durationMs, clock, signal }: Slice,
): Promise<number[]> {
  if (messages === 0 || signal.aborted) return [];
  let isMeasured = false;
  let startNs = 0;
  async function askOnce(): Promise<number> {
    if (signal.aborted) return Infinity;
    const isOver = durationMs !== null && clock.nowNs() - startNs >= durationMs * 1e6;
    if (isMeasured && isOver) return Infinity;
    const ns = await ask(isMeasured);
    if (isMeasured) return ns;
    isMeasured = true;
    startNs = clock.nowNs();
    return -1;
  }
  return await sampleSequential(askOnce, { maxSamples: messages ?? Number.MAX_SAFE_INTEGER });
}

/** The length of one of several slices of a round: as equal as whole messages allow. */
export function sliceOf(
  { messages, durationMs }: RoundLength,
  { index, slices }: { index: number; slices: number },
): RoundLength {
  const upTo = (end: number) => Math.floor((messages ?? 0) * end / slices);
  return {
    messages: messages === null ? null : upTo(index + 1) - upTo(index),
    durationMs: durationMs === null ? null : durationMs / slices,
  };
}
