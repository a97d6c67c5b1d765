/** A source of time, injected so that tests can step it. */
export interface Clock {
  /** Monotonic time in nanoseconds; only differences mean anything. */
  nowNs(): number;
  /** Wall-clock time. */
  date(): Date;
  /** Calls back once after the given time; the returned function takes the call back. */
  after(milliseconds: number, callback: () => void): () => void;
}

const nowMs = performance.now.bind(performance);

/** The real clock: `performance.now()`, the system's date and timers. */
export const systemClock: Clock = {
  nowNs: () => nowMs() * 1e6,
  date: () => new Date(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.max(0, milliseconds));
    return () => clearTimeout(timer);
  },
};
