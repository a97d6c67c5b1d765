import { assert } from "@std/assert";
import fc from "fast-check";
import { TokenBucket } from "../../lib/server/token_bucket.ts";
import { type Decision, fitTokenBucket } from "../../lib/stats/token_bucket_fit.ts";

/**
 * A client of a real bucket: bursts until it is refused, with pauses in between and delayed
 * decisions. Less than half a token is refilled during a call; at exactly half, rounding would
 * decide.
 */
const clients = fc.record({
  capacity: fc.integer({ min: 1, max: 60 }),
  tokensPerCall: fc.double({ min: 1e-5, max: 0.499, noNaN: true }),
  pausesMs: fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 6 }),
  callMs: fc.double({ min: 0.05, max: 15, noNaN: true }),
  delays: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
});
type Client = typeof clients extends fc.Arbitrary<infer T> ? T : never;

/**
 * One late decision: buckets of 27 and of some smaller size fit these bursts, but not in between.
 */
const GAP: Client = {
  capacity: 18,
  tokensPerCall: 0.47715992271900176,
  pausesMs: [1400, 1200],
  callMs: 10,
  delays: [0, 0, 0, 0, 0, 0, 0.7, 0, 0],
};

/** The true refill of the client's bucket. */
function refillOf({ tokensPerCall, callMs }: Client): number {
  return 1000 * tokensPerCall / callMs;
}

function decide(client: Client): Decision[] {
  const { capacity, pausesMs, callMs, delays } = client;
  const limit = { capacity, refillPerSecond: refillOf(client) };
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

Deno.test("token bucket fit: the intervals always contain the true bucket", () => {
  fc.assert(
    fc.property(clients, (client) => {
      const decisions = decide(client);
      const fit = fitTokenBucket(decisions);
      if (decisions.every(({ accepted }) => accepted)) return assert(fit === null);
      assert(fit !== null);
      const { capacity, refillPerSecond } = fit;
      assert(capacity[0] <= client.capacity && client.capacity <= capacity[1], "capacity");
      assert(refillPerSecond[0] <= refillOf(client) * (1 + 1e-9), "slowest");
      assert(refillPerSecond[1] >= refillOf(client) * (1 - 1e-9), "fastest");
    }),
    { examples: [[GAP]] },
  );
});

Deno.test("token bucket fit: more pauses never widen the interval", () => {
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
