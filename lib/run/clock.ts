import type { Clock } from "../contract.ts";

/** The real clock: `performance.now()`, the system's date and timers. */
export const systemClock: Clock = {
  nowNs: () => performance.now() * 1e6,
  date: () => new Date(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};
