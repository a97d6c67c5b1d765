import type { Clock } from "../contract.ts";

const nowMs = performance.now.bind(performance);

/** The real clock: `performance.now()`, the system's date and timers. */
export const systemClock: Clock = {
  nowNs: () => nowMs() * 1e6,
  date: () => new Date(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};
