import type { Clock } from "../../client/clock.ts";
import type { RoundLength } from "../scenario.ts";

/** How long one layer is measured at a time, and what by. */
export interface Slice extends RoundLength {
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Asks again and again, the next time when the last has ended. The first of a slice is not measured: what
 * was measured before has left caches and threads elsewhere. A loop of its own, since mitata lays out 8 MB
 * for each measurement, which slices of some milliseconds would feel.
 *
 * @param ask takes its own time: nanoseconds, -1 for what does not count, Infinity to stop
 * @returns the times that count, in the order in which they were taken
 */
export async function sampleSlice(
  ask: (isMeasured: boolean) => Promise<number>,
  { messages, durationMs, clock, signal }: Slice,
): Promise<number[]> {
  const times: number[] = [];
  if (messages === 0 || signal.aborted || await ask(false) === Infinity) return times;
  const endNs = durationMs === null ? Infinity : clock.nowNs() + durationMs * 1e6;
  for (let asked = 0; messages === null || asked < messages; asked++) {
    if (signal.aborted || clock.nowNs() >= endNs) break;
    const ns = await ask(true);
    if (ns === Infinity) break;
    if (ns >= 0) times.push(ns);
  }
  return times;
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
