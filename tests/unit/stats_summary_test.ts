import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as v from "valibot";
import { DistributionSchema, ScalarSchema } from "../../lib/schema.ts";
import { mergeEpochs } from "../../lib/stats/distribution.ts";
import { marginOf } from "../../lib/stats/estimate.ts";
import { LatencyHistogram } from "../../lib/stats/histogram.ts";
import { isAtLeast, minimumSamples } from "../../lib/stats/percentiles.ts";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";
import { repeats } from "../support/repeats.ts";

const options = { name: "latency", better: "lower", role: "headline", seed: 1 } as const;

function recordEpochs(recorder: DistributionRecorder, epochs: readonly number[][]): void {
  for (const epoch of epochs) {
    recorder.startEpoch();
    recorder.recordAll(Float64Array.from(epoch));
    recorder.endEpoch();
  }
}

function distributionOf(epochs: readonly number[][]) {
  using recorder = new DistributionRecorder();
  recordEpochs(recorder, epochs);
  return recorder.distribution(options)!;
}

const same = (count: number, ns: number) => new Array<number>(count).fill(ns);

Deno.test("DistributionRecorder pools its epochs and summarises each", () => {
  using recorder = new DistributionRecorder();
  recordEpochs(recorder, [[100, 300], [500], []]);
  const latency = recorder.distribution({ ...options, at: { inFlight: 8 }, gates: ["p50"] })!;
  assertEquals([latency.count, latency.min, latency.max], [3, 100, 500]);
  assertAlmostEquals(latency.p50, Math.sqrt(100 * 500), 1e-9);
  assertAlmostEquals(latency.mean, Math.sqrt(200 * 500), 1e-9);
  const none = { p5: null, p95: null, p99: null };
  assertEquals(latency.epochs, [
    { count: 2, censored: 0, min: 100, mean: 200, ...none, p50: 100, max: 300 },
    { count: 1, censored: 0, min: 500, mean: 500, ...none, p50: 500, max: 500 },
    { count: 0, censored: 0, min: null, mean: null, ...none, p50: null, max: null },
  ]);
  assertEquals(latency.ci95, { p5: null, p50: null, p95: null, p99: null, mean: null });
  assertEquals([latency.at, latency.gates, latency.series], [{ inFlight: 8 }, ["p50"], []]);
  assertEquals(v.parse(DistributionSchema, latency), latency);
  using pooled = LatencyHistogram.decode(latency.histogram, { min: 100, max: 500 });
  assertEquals([pooled.count, pooled.percentile(50)], [3, 300]);
});

Deno.test("a percentile is the geometric mean over the epochs, with its interval", () => {
  const factors = [1, 2, 4, 8, 16];
  const latency = distributionOf(factors.map((factor) => same(200, 100 * factor)));
  const margin = marginOf(factors.map(Math.log));
  for (const key of ["p5", "p50", "p95", "mean"] as const) {
    assertAlmostEquals(latency[key]!, 400, 1e-9);
    const [low, high] = latency.ci95[key]!;
    assertAlmostEquals(low * high, 400 ** 2, 1e-4);
    assertAlmostEquals(high / 400, Math.exp(margin), 1e-6);
  }
  assertAlmostEquals(latency.spread.between!, Math.LN2 * Math.sqrt(2.5), 1e-9);
  assertEquals(latency.p99, 1600, "of all 1,000 samples: each epoch has too few");
  assert(latency.ci95.p99 !== null);
});

Deno.test("DistributionRecorder loses no sample outside epochs or in an unfinished one", () => {
  using recorder = new DistributionRecorder();
  recorder.record(1);
  recordEpochs(recorder, [[10, 20]]);
  recorder.record(2);
  recorder.startEpoch();
  recorder.record(30);
  const latency = recorder.distribution(options);
  assertEquals([recorder.count, latency?.count, latency?.epochs.length], [5, 5, 1]);
  assertEquals(recorder.endEpoch().count, 1);
  assertEquals(recorder.distribution(options)?.count, 5);
  assertEquals(recorder.epochs.map(({ count }) => count), [2, 1]);
});

Deno.test("percentiles need 10 samples beyond them, overall and per epoch; a median needs one", () => {
  const needed = [5, 50, 75, 90, 95, 99, 99.9].map(minimumSamples);
  assertEquals(needed, [200, 1, 40, 100, 200, 1_000, 10_000]);
  const gates = { p5: 200, p75: 40, p90: 100, p95: 200, p99: 1_000, p999: 10_000 } as const;
  for (const [key, count] of Object.entries(gates)) {
    const name = key as keyof typeof gates;
    assertEquals(distributionOf([same(count - 1, 7)])[name], null, `${key} of ${count - 1}`);
    assertEquals(distributionOf([same(count, 7)])[name], 7, `${key} of ${count}`);
  }
  const { epochs } = distributionOf([same(1, 7), same(199, 7), same(200, 7)]);
  assertEquals(epochs.map(({ p50 }) => p50), [7, 7, 7]);
  assertEquals(epochs.map(({ p95 }) => p95), [null, null, 7]);
});

Deno.test("an epoch without samples does not affect the others", () => {
  const latency = distributionOf([same(10, 100), [], same(10, 400)]);
  assertAlmostEquals(latency.p50, 200, 1e-9);
});

Deno.test("percentiles never cross if some are per epoch and others over all samples", () => {
  // The slow epoch is 1 of 5 in the p95, which is per epoch, but has few of all samples.
  const quiet = same(999, 1_000);
  const slow = [...same(180, 1_000), ...same(20, 1e9)];
  const latency = distributionOf([quiet, quiet, quiet, quiet, slow]);
  assert(latency.p95! > 15_000, `${latency.p95}`);
  assertEquals(latency.p99, latency.p95);
  const [low, high] = latency.ci95.p99!;
  assert(low <= latency.p99! && latency.p99! <= high);
});

Deno.test("percentiles are at least the minimum, even if an epoch has only timeouts below it", () => {
  using recorder = new DistributionRecorder();
  recordEpochs(recorder, [same(200, 1e6)]);
  recorder.startEpoch();
  recorder.censor(200, 1e3);
  recorder.endEpoch();
  const { min, p5, p50 } = recorder.distribution(options)!;
  assertEquals([min, p5, p50], [1e6, 1e6, 1e6]);
});

Deno.test("a time of 0 has percentiles and intervals", () => {
  const zero = distributionOf([1, 2, 3, 4, 5].map(() => same(200, 0)));
  assertEquals([zero.p5, zero.p50, zero.mean, zero.ci95.p50], [0, 0, 0, [0, 0]]);
  const some = distributionOf([0, 100, 100, 100, 100].map((ns) => same(200, ns)));
  assertAlmostEquals(some.p50, 100 ** 0.8, 1e-9);
  assert(some.ci95.p50!.every(Number.isFinite));
});

Deno.test("unanswered calls rank as the longest, so a percentile can be a lower bound", () => {
  using recorder = new DistributionRecorder();
  for (let epoch = 0; epoch < 5; epoch++) {
    recorder.startEpoch();
    recorder.recordAll(Float64Array.from(same(1_000, 100)));
    recorder.censor(30, 5_000);
    recorder.censor(20, 7_000);
    const { count, censored, p50, p95, p99, max } = recorder.endEpoch();
    assertEquals([count, censored, p50, p95, p99, max], [1_000, 50, 100, 100, 5_000, 5_000]);
  }
  const latency = recorder.distribution(options)!;
  assertEquals([latency.count, latency.censored, latency.p95, latency.p99], [5_000, 250, 100, 5e3]);
  assertEquals([latency.max, latency.ci95.p99], [5_000, [5_000, 5_000]]);
  assertEquals([50, 95, 99, 100].map((p) => isAtLeast(latency, p)), [false, false, true, true]);
  // In one epoch of ten: too few to reach the overall p99, enough to reach the epoch's.
  using once = new DistributionRecorder();
  recordEpochs(once, Array.from({ length: 9 }, () => same(1_000, 100)));
  once.startEpoch();
  once.recordAll(Float64Array.from(same(1_000, 100)));
  once.censor(30, 1e5);
  once.endEpoch();
  const some = once.distribution(options)!;
  assertAlmostEquals(some.p99!, 100 * 1_000 ** 0.1, 1e-9);
  assertEquals([95, 99].map((p) => isAtLeast(some, p)), [false, true]);
  // Never less than a measured time, because they rank beyond it.
  using other = new DistributionRecorder();
  other.record(9_000);
  other.censor(2, 5_000);
  const { p50, max } = other.distribution(options)!;
  assertEquals([p50, max, other.latest()], [9_000, 9_000, { p50: 9_000, p99: null }]);
  using none = new DistributionRecorder();
  none.censor(3, 5_000);
  assertEquals([none.count, none.distribution(options)], [0, null]);
});

Deno.test("epochs of shards merge as if one recorder had seen all samples", () => {
  const random = randomStream(1, "shards");
  const times = Array.from({ length: 2_000 }, () => Math.round(1e5 * Math.exp(drawNormal(random))));
  const record = (own: number[], censored: number) => {
    using recorder = new DistributionRecorder({ mergeable: true });
    recorder.startEpoch();
    recorder.recordAll(Float64Array.from(own));
    if (censored > 0) recorder.censor(censored, 5e9);
    return recorder.endEpoch();
  };
  const whole = record(times, 5);
  const parts = [record(times.slice(0, 700), 2), record(times.slice(700), 3), record([], 0)];
  assertEquals(mergeEpochs(parts).summary, whole);
  assertEquals(mergeEpochs([record(times, 0), record([], 0)]).summary, record(times, 0));
  assertThrows(() => mergeEpochs([{ ...whole, histogram: undefined }]), Error, "2000 samples");
});

Deno.test("DistributionRecorder keeps a series if one is asked for", () => {
  using recorder = new DistributionRecorder({ series: { intervalMs: 1, startNs: 0 } });
  recorder.recordAll(Float64Array.of(5, 6), Float64Array.of(0, 1e6));
  const series = recorder.distribution(options)?.series;
  assertEquals(series?.map(({ atMs, count, max }) => [atMs, count, max]), [[0, 1, 5], [1, 1, 6]]);
});

Deno.test("DistributionRecorder shows the latest figures, of clamped times too", () => {
  using recorder = new DistributionRecorder();
  assertEquals(recorder.latest(), { p50: null, p99: null });
  recordEpochs(recorder, [[-1, ...same(10, 5)]]);
  assertEquals(recorder.latest().p50, 5);
  recorder.record(NaN);
  assertEquals(recorder.latest().p50, 0);
});

/** Epochs differ in pace; with too few samples per epoch for a p99, epochs are resampled. */
Deno.test("intervals contain the true percentile about as often as they claim", () => {
  const runs = repeats(60, 2_000);
  const random = randomStream(1, "percentiles");
  const pace = 0.1;
  const deviation = Math.sqrt(0.5 ** 2 + pace ** 2);
  const truths = { p95: 1e5 * Math.exp(0.5 * 1.6449), p99: 1e5 * Math.exp(deviation * 2.3263) };
  const covered = { p95: 0, p99: 0 };
  for (let run = 0; run < runs; run++) {
    const latency = distributionOf(Array.from({ length: 10 }, () => {
      const center = 1e5 * Math.exp(pace * drawNormal(random));
      return Array.from({ length: 250 }, () => center * Math.exp(0.5 * drawNormal(random)));
    }));
    for (const key of ["p95", "p99"] as const) {
      const [low, high] = latency.ci95[key]!;
      if (low <= truths[key] && truths[key] <= high) covered[key]++;
    }
  }
  assert(covered.p95 / runs > 0.85 && covered.p99 / runs > 0.8, JSON.stringify(covered));
});

Deno.test("summariseScalar estimates from the epochs, unless an interval is given", () => {
  const scalar = { name: "throughput", unit: "msg/s", better: "higher", role: "gate" } as const;
  const given = { ...scalar, gates: ["value"], at: { inFlight: 8 } } as const;
  const throughput = summariseScalar({
    ...given,
    epochs: [100, 200, 400, 800, 1_600],
    merge: "sum",
  });
  assertAlmostEquals(throughput.value, 400, 1e-9);
  assertEquals([throughput.merge, throughput.at, throughput.epochs.length], [
    "sum",
    { inFlight: 8 },
    5,
  ]);
  assert(throughput.ci95![0] < 400 && throughput.ci95![1] > 400);
  assertEquals(v.parse(ScalarSchema, throughput), throughput);
  assertEquals(summariseScalar({ ...scalar, epochs: [1], ci95: [0, 3] }).ci95, [0, 3]);
  assertEquals(summariseScalar({ ...scalar, epochs: [1, 2, 3, 4] }).ci95, null);
  assertThrows(() => summariseScalar({ ...scalar, epochs: [] }), RangeError, "no epochs");
  assertThrows(() => summariseScalar({ ...scalar, epochs: [1, NaN] }), RangeError, "is NaN");
});
