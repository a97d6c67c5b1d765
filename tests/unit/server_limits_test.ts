import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { BoundedCache } from "../../lib/server/bounded_cache.ts";
import { ConnectionSlots } from "../../lib/server/connection_slots.ts";
import { limitsPreset } from "../../lib/server/options.ts";
import { rateLimitError } from "../../lib/server/rate_limit_error.ts";
import { RateLimiter } from "../../lib/server/rate_limiter.ts";
import { RecentFrames, REPEAT_WINDOW_MS } from "../../lib/server/recent_frames.ts";
import { TokenBucket } from "../../lib/server/token_bucket.ts";

Deno.test("token bucket: its capacity immediately, then one call per refill", () => {
  const bucket = new TokenBucket({ capacity: 3, refillPerSecond: 5 }, 1000);
  assertEquals([1, 2, 3].map(() => bucket.take(1000)), [0, 0, 0]);
  assertAlmostEquals(bucket.take(1000), 0.2);
  assertAlmostEquals(bucket.take(1150), 0.05, 1e-9);
  assertEquals(bucket.take(1200), 0);
  assert(bucket.take(1200) > 0);
});

Deno.test("token bucket: never holds more than its capacity", () => {
  const bucket = new TokenBucket({ capacity: 2, refillPerSecond: 1000 }, 0);
  assertEquals([1, 2].map(() => bucket.take(1e9)), [0, 0]);
  assert(bucket.take(1e9) > 0);
});

Deno.test("rate limiter: the defaults refuse message 51 of a session, then 101 of an address", () => {
  const limiter = new RateLimiter(limitsPreset("default"));
  const charge = (sessionId: string) => limiter.charge({ sessionId, ip: "::1" }, 0);
  const first = Array.from({ length: 51 }, () => charge("a"));
  assertEquals(first.findIndex((refusal) => refusal !== null), 50);
  assertEquals(first[50], { reason: "user_rate_limit_exceeded", retryAfterSeconds: 0.2 });
  const second = Array.from({ length: 50 }, () => charge("b"));
  assert(second.every((refusal) => refusal === null));
  assertEquals(charge("c")?.reason, "ip_rate_limit_exceeded");
});

Deno.test("rate limiter: the limit of the whole server is checked last", () => {
  const limiter = new RateLimiter({
    ...limitsPreset("off"),
    globalRate: { capacity: 1, refillPerSecond: 1 },
  });
  assertEquals(limiter.off, false);
  assertEquals(limiter.charge({ sessionId: "a", ip: "x" }, 0), null);
  assertEquals(
    limiter.charge({ sessionId: "b", ip: "y" }, 0)?.reason,
    "global_rate_limit_exceeded",
  );
  assertEquals(new RateLimiter(limitsPreset("off")).off, true);
});

Deno.test("rate limit error: names the reason, the wait and the address", () => {
  const refusal = { reason: "user_rate_limit_exceeded", retryAfterSeconds: 0.04 } as const;
  assertEquals(rateLimitError(refusal, "127.0.0.1"), {
    code: "OVER_CAPACITY",
    message: "Rate limit exceeded: user_rate_limit_exceeded (retry after 0.1s)",
    details: { reason: "user_rate_limit_exceeded", client_ip: "127.0.0.1" },
  });
});

Deno.test("connection slots: refused over the limits, granted again after a release", () => {
  const slots = new ConnectionSlots({
    ...limitsPreset("off"),
    maxConnections: 3,
    maxConnectionsPerIp: 2,
  });
  assertEquals([slots.acquire("a"), slots.acquire("a"), slots.acquire("b")], [null, null, null]);
  assertEquals(slots.acquire("c"), "Server overloaded - global connection limit reached");
  slots.release("b");
  assertEquals(slots.acquire("a"), "Too many connections from your IP (2/2)");
  slots.release("a");
  assertEquals(slots.acquire("a"), null);
  assertEquals(slots.total, 2);
  assertThrows(() => slots.release("c"), Error, "Cannot release a slot as c holds none");
});

Deno.test("bounded cache: keeps the newest entries, and at most twice as many", () => {
  const cache = new BoundedCache<number>(10);
  for (let i = 0; i < 1000; i++) {
    cache.set(String(i), i);
    for (let j = Math.max(0, i - 9); j <= i; j++) assertEquals(cache.get(String(j)), j);
  }
  const kept = Array.from({ length: 1000 }, (_, i) => cache.get(String(i)));
  assert(kept.filter((value) => value !== undefined).length <= 20);
});

Deno.test("bounded cache: refreshed entries outlive the others", () => {
  const cache = new BoundedCache<string>(4);
  cache.set("kept", "yes");
  for (let i = 0; i < 100; i++) {
    assertEquals(cache.refresh("kept"), "yes");
    cache.set(`other ${i}`, "no");
  }
  assertEquals(cache.get("other 0"), undefined);
});

Deno.test("recent frames: a repeat counts as new only after 300 s", () => {
  const recent = new RecentFrames();
  assertEquals(recent.add("a", 0), true);
  assertEquals(recent.add("b", 0), true);
  assertEquals(recent.add("a", REPEAT_WINDOW_MS - 1), false);
  assertEquals(recent.add("a", REPEAT_WINDOW_MS), true);
});

Deno.test("recent frames: a flood of distinct frames evicts the oldest", () => {
  const recent = new RecentFrames();
  recent.add("first", 0);
  for (let i = 0; i < 1000; i++) recent.add(String(i), 0);
  assertEquals(recent.add("999", 0), false);
  assertEquals(recent.add("first", 0), true);
});
