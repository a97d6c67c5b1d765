import { assertAlmostEquals, assertEquals } from "@std/assert";
import { CaseRecorder } from "../../lib/run/case_results.ts";
import { caseKey, ONE_CLIENT, type Slice } from "../../lib/run/scenario.ts";

const SECOND_NS = 1e9;

function recorderOf(clients = 1) {
  const options = { timeoutNs: 10 * SECOND_NS, mergeable: false, startNs: 0 };
  return new CaseRecorder({ ...ONE_CLIENT, clients }, options);
}

/** A slice with these successes and window lengths per client. */
function slice(
  clients: readonly [ok: number, seconds: number][],
  more: Partial<Slice> = {},
): Slice {
  return {
    complete: true,
    clients: clients.map(([ok, seconds]) => ({ ok, windowNs: seconds * SECOND_NS })),
    timesNs: Float64Array.from({ length: 20 }, (_, nth) => 1000 + nth),
    censored: 0,
    answered: 20,
    outOfOrder: 0,
    clientCpuNs: 0.1 * SECOND_NS,
    elapsedNs: 0.2 * SECOND_NS,
    ...more,
  };
}

Deno.test("an epoch's rate is the sum over clients of their calls per window time", () => {
  using recorder = recorderOf(2);
  recorder.startEpoch();
  recorder.add(slice([[10, 1], [30, 2]]), 1);
  recorder.add(slice([[20, 4], [10, 2]]), 5);
  recorder.endEpoch();
  // (10 + 20) calls in 5 s, and (30 + 10) in 4 s.
  assertEquals(recorder.clientRates, [[6, 10]]);
  assertEquals(recorder.rates, [16]);
  // Rates of the slices: 10 + 15 and 5 + 5 a second.
  assertEquals([recorder.within, recorder.positions], [[[25, 10]], [[1, 5]]]);
});

Deno.test("an epoch with an incomplete or missing slice has no rate", () => {
  using recorder = recorderOf();
  const incomplete = slice([[1, 1]], { complete: false });
  for (const spoil of [() => recorder.miss(), () => recorder.add(incomplete, 2)]) {
    recorder.startEpoch();
    recorder.add(slice([[10, 1]]), 1);
    spoil();
    recorder.endEpoch();
  }
  recorder.startEpoch();
  recorder.add(slice([[12, 1]]), 1);
  recorder.endEpoch();
  recorder.startEpoch();
  recorder.endEpoch();
  assertEquals(recorder.rates, [null, null, 12, null]);
  assertEquals([recorder.medians[0], recorder.medians[3]], [null, null]);
  // The distribution still includes what was measured.
  assertEquals(recorder.latency.epochs.map(({ count }) => count), [20, 40, 20, 0]);
});

Deno.test("times and unanswered calls go into the epoch's distribution", () => {
  using recorder = recorderOf();
  recorder.startEpoch();
  recorder.add(slice([[20, 1]], { censored: 5 }), 1);
  recorder.endEpoch();
  const named = { name: "latency", better: "lower", role: "headline" } as const;
  const metric = recorder.latency.distribution({ ...named, seed: 1 })!;
  assertEquals([metric.count, metric.censored], [20, 5]);
  // A fifth was unanswered, so the slowest fifth took at least the timeout.
  assertAlmostEquals(metric.max / (10 * SECOND_NS), 1, 1e-3);
  assertEquals([recorder.answered, recorder.clientCpuNs, recorder.elapsedNs], [20, 1e8, 2e8]);
});

Deno.test("equal cases have the same key, whatever the order of their fields", () => {
  const one = { ratePerSecond: null, payloadBytes: 0, inFlight: 1, clients: 1 };
  assertEquals(caseKey(one), caseKey(ONE_CLIENT));
  const others = [
    { ...ONE_CLIENT, clients: 2 },
    { ...ONE_CLIENT, inFlight: 2 },
    { ...ONE_CLIENT, payloadBytes: 64 },
    { ...ONE_CLIENT, layer: "tcp" },
    { ...ONE_CLIENT, ratePerSecond: 5 },
    { ...ONE_CLIENT, ratePerSecond: 5, arrivals: "poisson" as const },
    { ...ONE_CLIENT, ratePerSecond: 5, maxOutstanding: 7 },
  ];
  assertEquals(new Set([ONE_CLIENT, ...others].map(caseKey)).size, 8);
  const plain = { ...ONE_CLIENT, ratePerSecond: 5 };
  assertEquals(caseKey(plain), caseKey({ ...plain, arrivals: "constant", maxOutstanding: null }));
});
