import { BoundedCache } from "./bounded_cache.ts";
import type { Limits, RateLimit } from "./options.ts";
import { TokenBucket } from "./token_bucket.ts";

export type RateLimitReason =
  | "user_rate_limit_exceeded"
  | "ip_rate_limit_exceeded"
  | "global_rate_limit_exceeded";

/** Why a message was refused, and when it would be accepted. */
export interface RateRefusal {
  reason: RateLimitReason;
  retryAfterSeconds: number;
}

/** Sender of a message. */
export interface Sender {
  sessionId: string;
  ip: string;
}

/** Sessions, and addresses, remembered. A forgotten one starts again with a full bucket. */
const MAX_BUCKETS = 10_000;

/** Charges a message to its session, then its address, then the whole server. */
export class RateLimiter {
  readonly #users: BucketTable | null;
  readonly #ips: BucketTable | null;
  readonly #global: BucketTable | null;
  /** True if no limit is on. */
  readonly off: boolean;

  constructor(limits: Limits) {
    this.#users = limits.userRate && new BucketTable(limits.userRate);
    this.#ips = limits.ipRate && new BucketTable(limits.ipRate);
    this.#global = limits.globalRate && new BucketTable(limits.globalRate);
    this.off = !this.#users && !this.#ips && !this.#global;
  }

  /** Charges a message; `null` if accepted. Limits that accepted a refused message stay charged. */
  charge(sender: Sender, nowMs: number): RateRefusal | null {
    const waits = (retryAfterSeconds: number, reason: RateLimitReason) =>
      retryAfterSeconds > 0 ? { reason, retryAfterSeconds } : null;
    return waits(this.#users?.take(sender.sessionId, nowMs) ?? 0, "user_rate_limit_exceeded") ??
      waits(this.#ips?.take(sender.ip, nowMs) ?? 0, "ip_rate_limit_exceeded") ??
      waits(this.#global?.take("", nowMs) ?? 0, "global_rate_limit_exceeded");
  }
}

/** A bucket for each key. */
class BucketTable {
  readonly #limit: RateLimit;
  readonly #buckets = new BoundedCache<TokenBucket>(MAX_BUCKETS);

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  take(key: string, nowMs: number): number {
    let bucket = this.#buckets.refresh(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#limit, nowMs);
      this.#buckets.set(key, bucket);
    }
    return bucket.take(nowMs);
  }
}
