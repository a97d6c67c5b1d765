/** A timer of the runtime is late by about this much: what is shorter is spent spinning, in milliseconds. */
const TIMER_MS = 1;

/**
 * The growing cost of the October builds, which scan their caches for every call: the nth call takes n times
 * as much, and calls pay one after the other, as they share one thread.
 */
export class SlowDown {
  readonly #perCallMs: number;
  #calls = 0;
  #busyUntilMs = 0;

  /** @param perCallMs what each call adds, in milliseconds; 0: nothing */
  constructor(perCallMs: number) {
    this.#perCallMs = perCallMs;
  }

  /** Spends what the next call costs: at once, or with a promise where that is long enough for a timer. */
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
