import type { RateLimit } from "./options.ts";

/** A bucket of tokens that refills steadily. Time comes in as an argument. */
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

  /** Takes one token: 0, or the seconds until there will be one. */
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
