import { assert } from "@std/assert";
import fc from "fast-check";
import { TokenBucket } from "../../lib/server/token_bucket.ts";
import { type Decision, fitTokenBucket } from "../../lib/stats/token_bucket_fit.ts";

/** A client of a real bucket: bursts until it is refused, with pauses between, decided on with a delay. */
const clients = fc.record({
  capacity: fc.integer({ min: 1, max: 60 }),
  refillPerSecond: fc.double({ min: 0.2, max: 50, noNaN: true }),
  pausesMs: fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 6 }),
  callMs: fc.double({ min: 0.05, max: 15, noNaN: true }),
  delays: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
});
type Client = typeof clients extends fc.Arbitrary<infer T> ? T : never;

/** Slow calls with one late decision: buckets of 35 to 37 explain the first bursts, and so do much smaller ones. */
const GAP: Client = {
  capacity: 18,
  refillPerSecond: 49.75124378109453,
  pausesMs: [1006, 1099],
  callMs: 14.999999999999886,
  delays: [0, 0, 0, 0.680000000000031, 0, 0],
};

function decide({ capacity, refillPerSecond, pausesMs, callMs, delays }: Client): Decision[] {
  const limit = { capacity, refillPerSecond };
  const decisions: Decision[] = [];
  const delay = () => delays[decisions.length % delays.length]! * callMs;
  let nowMs = 1_000;
  const bucket = new TokenBucket(limit, nowMs + delay());
  for (const pauseMs of [0, ...pausesMs]) {
    nowMs += pauseMs;
    for (let calls = 0; calls < 200; calls++) {
      const accepted = bucket.take(nowMs + delay()) === 0;
      const sentNs = nowMs * 1e6;
      nowMs += callMs;
      decisions.push({ sentNs, endedNs: nowMs * 1e6, accepted });
      if (!accepted) break;
    }
  }
  return decisions;
}

Deno.test("property: the true bucket is always among those that fit", () => {
  fc.assert(
    fc.property(clients, (client) => {
      const decisions = decide(client);
      const fit = fitTokenBucket(decisions);
      if (decisions.every(({ accepted }) => accepted)) return assert(fit === null);
      assert(fit !== null);
      const { capacity, refillPerSecond } = fit;
      assert(capacity[0] <= client.capacity && client.capacity <= capacity[1], "capacity");
      assert(refillPerSecond[0] <= client.refillPerSecond * (1 + 1e-9), "slowest");
      assert(refillPerSecond[1] >= client.refillPerSecond * (1 - 1e-9), "fastest");
    }),
    { examples: [[{ ...GAP, pausesMs: [1006] }]] },
  );
});

Deno.test("property: more pauses never make the interval wider", () => {
  fc.assert(
    fc.property(clients, (client) => {
      const all = decide(client);
      const some = decide({ ...client, pausesMs: client.pausesMs.slice(0, 1) });
      const [wide, narrow] = [some, all].map(fitTokenBucket);
      if (!wide || !narrow) return;
      assert(narrow.refillPerSecond[0] >= wide.refillPerSecond[0] - 1e-9);
      assert(narrow.refillPerSecond[1] <= wide.refillPerSecond[1] + 1e-9);
    }),
    { examples: [[GAP]] },
  );
});
