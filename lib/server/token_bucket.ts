import type { RateLimit } from "./options.ts";

/** A token bucket that refills continuously. The caller passes the time. */
export class TokenBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #updatedMs: number;

  /** Starts full. */
  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.capacity;
    this.#updatedMs = nowMs;
  }

  /** Takes a token and returns 0, or returns the seconds until there will be one. */
  take(nowMs: number): number {
    const { capacity, refillPerSecond } = this.#limit;
    const elapsedMs = nowMs - this.#updatedMs;
    this.#tokens = Math.min(capacity, this.#tokens + elapsedMs / 1000 * refillPerSecond);
    this.#updatedMs = nowMs;
    if (this.#tokens < 1) return (1 - this.#tokens) / refillPerSecond;
    this.#tokens -= 1;
    return 0;
  }
}
