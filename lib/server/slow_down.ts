/** Timers are late by about this much, so shorter delays are spun. */
const TIMER_MS = 1;

/**
 * The growing cost of calls in the October builds, which scan their caches for each one. The nth
 * call costs n times as much as the first. Calls pay one after the other, as they share a thread.
 */
export class SlowDown {
  readonly #perCallMs: number;
  #calls = 0;
  #busyUntilMs = 0;

  /** @param perCallMs cost of the first call; 0: no slow-down */
  constructor(perCallMs: number) {
    this.#perCallMs = perCallMs;
  }

  /** Spends the cost of the next call: spins, or returns a promise if it is long enough to wait. */
  next(): void | Promise<void> {
    if (this.#perCallMs === 0) return;
    const nowMs = performance.now();
    this.#busyUntilMs = Math.max(nowMs, this.#busyUntilMs) + this.#perCallMs * ++this.#calls;
    const dueMs = this.#busyUntilMs;
    if (dueMs - nowMs < TIMER_MS) return spinUntil(dueMs);
    return new Promise((resolve) => setTimeout(resolve, dueMs - nowMs - TIMER_MS / 2));
  }
}

function spinUntil(dueMs: number): void {
  while (performance.now() < dueMs);
}
