import { clearImmediate, setImmediate } from "node:timers";
import type { Clock } from "../client/clock.ts";

/** Calls back on the next turn of the event loop; the returned function takes the call back. */
export type Soon = (callback: () => void) => () => void;

/**
 * A turn takes about a microsecond and lets sockets and timers be served, which is what makes it fit to
 * pace by: see docs/method.md for `setTimeout` and `MessageChannel` in its place.
 */
export const nextTurn: Soon = (callback) => {
  const immediate = setImmediate(callback);
  return () => clearImmediate(immediate);
};

/** A timer comes 1.2 ms late as a rule, and up to this much when the machine is busy. */
const TIMER_MARGIN_NS = 3e6;
/** A shorter sleep is not worth its timer. */
const SHORTEST_SLEEP_MS = 2;

/**
 * Calls back at once or before the time is over, never with less than the margin left if it slept: it
 * sleeps through long waits and spins through their ends, so that a low rate does not occupy a core.
 * The callback looks at the clock and waits again where it is early.
 */
export function wakeBefore(
  waitNs: number,
  { clock, soon, callback }: { clock: Clock; soon: Soon; callback: () => void },
): () => void {
  const sleepMs = Math.floor((waitNs - TIMER_MARGIN_NS) / 1e6);
  return sleepMs < SHORTEST_SLEEP_MS ? soon(callback) : clock.after(sleepMs, callback);
}
