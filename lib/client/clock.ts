/** A source of time, injected so that tests can control it. */
export interface Clock {
  /** Monotonic time in nanoseconds; only differences are meaningful. */
  nowNs(): number;
  date(): Date;
  /** Calls `callback` once after the given time; the returned function cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
}

const nowMs = performance.now.bind(performance);

/** The real clock. */
export const systemClock: Clock = {
  nowNs: () => nowMs() * 1e6,
  date: () => new Date(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.max(0, milliseconds));
    return () => clearTimeout(timer);
  },
};
