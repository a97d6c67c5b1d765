import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { dialectNamed } from "../../lib/server/server_context.ts";
import { decideHello } from "../../lib/server/hello.ts";
import { parseMessage } from "../../lib/server/messages.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { TokenBucket } from "../../lib/server/token_bucket.ts";

Deno.test("token bucket: never passes more than its capacity plus the refill", () => {
  const limit = fc.record({
    capacity: fc.integer({ min: 1, max: 50 }),
    refillPerSecond: fc.integer({ min: 1, max: 100 }),
  });
  const stepsMs = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 200 });
  fc.assert(fc.property(limit, stepsMs, (limit, stepsMs) => {
    const bucket = new TokenBucket(limit, 0);
    let nowMs = 0, passed = 0;
    for (const stepMs of stepsMs) {
      nowMs += stepMs;
      if (bucket.take(nowMs) === 0) passed++;
      assert(passed <= limit.capacity + nowMs / 1000 * limit.refillPerSecond + 1e-6);
    }
  }));
});

Deno.test("token bucket: passes after the wait that it announced", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100 }), (n, r) => {
      const bucket = new TokenBucket({ capacity: n, refillPerSecond: r }, 0);
      for (let i = 0; i < n; i++) assertEquals(bucket.take(0), 0);
      const waitSeconds = bucket.take(0);
      assertEquals(bucket.take(waitSeconds * 1000 + 0.001), 0);
    }),
  );
});

const anyText = fc.oneof(
  fc.string(),
  fc.json(),
  fc.jsonValue().map((v) => JSON.stringify({ op: v })),
);

Deno.test("hello and messages: no input makes them throw", () => {
  for (const name of ["oct", "nov"] as const) {
    const server = {
      options: defaultServerOptions({ token: "0123456789abcdef" }),
      dialect: dialectNamed(name),
    };
    fc.assert(fc.property(anyText, (text) => {
      assertEquals(decideHello(text, server).kind, "refused");
      assert(typeof parseMessage(text, { knowsToolCall: true }).kind === "string");
    }));
  }
});
