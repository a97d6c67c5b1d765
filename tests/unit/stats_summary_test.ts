import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import * as v from "valibot";
import { DistributionSchema, ScalarSchema } from "../../lib/schema.ts";
import { LatencyHistogram } from "../../lib/stats/histogram.ts";
import { minimumSamples } from "../../lib/stats/percentiles.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";

const options = { better: "lower", seed: 1 } as const;

function recordRounds(recorder: DistributionRecorder, rounds: number[][]): void {
  for (const round of rounds) {
    recorder.startRound();
    for (const ns of round) recorder.record(ns);
    recorder.endRound();
  }
}

Deno.test("DistributionRecorder pools its rounds and sums up each", () => {
  using recorder = new DistributionRecorder();
  recordRounds(recorder, [[100, 300], [500], []]);
  const latency = recorder.distribution("latency", options);
  assert(latency !== null);
  assertEquals([latency.count, latency.min, latency.mean, latency.p50, latency.max], [
    3,
    100,
    300,
    300,
    500,
  ]);
  assertEquals(latency.rounds, [
    { count: 2, mean: 200, p50: 100, p95: null, p99: null, max: 300 },
    { count: 1, mean: 500, p50: 500, p95: null, p99: null, max: 500 },
    { count: 0, mean: null, p50: null, p95: null, p99: null, max: null },
  ]);
  assertEquals(latency.ci95, { p50: null, mean: null });
  assertEquals([latency.better, latency.series, "at" in latency], ["lower", [], false]);
  assertEquals(v.parse(DistributionSchema, latency), latency);
  using pooled = LatencyHistogram.decode(latency.histogram, latency);
  assertEquals([pooled.count, pooled.percentile(50)], [3, 300]);
});

Deno.test("DistributionRecorder of nothing is no metric", () => {
  using recorder = new DistributionRecorder();
  recordRounds(recorder, [[], []]);
  assertEquals(recorder.distribution("latency", options), null);
});

Deno.test("DistributionRecorder loses no sample outside of rounds or of an unfinished one", () => {
  using recorder = new DistributionRecorder();
  recorder.record(1);
  recordRounds(recorder, [[10, 20]]);
  recorder.record(2);
  recorder.startRound();
  recorder.record(30);
  const latency = recorder.distribution("latency", options);
  assertEquals([recorder.count, latency?.count, latency?.rounds.length], [5, 5, 1]);
  assertEquals(recorder.endRound().count, 1);
  assertEquals(recorder.distribution("latency", options)?.count, 5);
  assertEquals(recorder.rounds.map(({ count }) => count), [2, 1]);
});

Deno.test("DistributionRecorder refuses a round within a round, and an end without a start", () => {
  using recorder = new DistributionRecorder();
  assertThrows(() => recorder.endRound(), Error, "none is open");
  recorder.startRound();
  assertThrows(() => recorder.startRound(), Error, "one is open");
});

Deno.test("DistributionRecorder gives intervals from five rounds with samples on", () => {
  using recorder = new DistributionRecorder();
  recordRounds(recorder, [[100], [110], [120], [130], []]);
  assertEquals(recorder.distribution("latency", options)?.ci95, { p50: null, mean: null });
  recordRounds(recorder, [[140], [150, 150, 150]]);
  const interval = recorder.distribution("latency", options)?.ci95;
  assert(interval?.p50 && interval.mean);
  for (const [low, high] of [interval.p50, interval.mean]) {
    assert(100 <= low && low < high && high <= 150, `${low} to ${high}`);
  }
  assertEquals(recorder.distribution("latency", options)?.ci95, interval);
  const other = recorder.distribution("latency", { ...options, seed: 2 })?.ci95;
  assertNotEquals(other, interval);
});

Deno.test("the interval of the mean weighs rounds by their samples", () => {
  using recorder = new DistributionRecorder();
  recordRounds(recorder, [Array(10_000).fill(100), [900], [900], [900], [900]]);
  const mean = recorder.distribution("latency", options)?.ci95.mean;
  assert(mean && mean[0] < 101, `${mean}`);
});

Deno.test("percentiles need 10 samples beyond them", () => {
  assertEquals([0, 50, 75, 90, 95, 99, 99.9].map(minimumSamples), [
    1,
    1,
    40,
    100,
    200,
    1_000,
    10_000,
  ]);
  const gates = { p75: 40, p90: 100, p95: 200, p99: 1_000, p999: 10_000 } as const;
  for (const [key, needed] of Object.entries(gates)) {
    using recorder = new DistributionRecorder();
    for (let index = 1; index < needed; index++) recorder.record(index);
    const before = recorder.distribution("latency", options);
    assertEquals(before?.[key as keyof typeof gates], null, `${key} of ${needed - 1}`);
    recorder.record(needed);
    const after = recorder.distribution("latency", options)?.[key as keyof typeof gates];
    assert(typeof after === "number", `${key} of ${needed}`);
  }
});

Deno.test("the percentiles of a round need as many samples as those of the whole", () => {
  using recorder = new DistributionRecorder();
  recordRounds(recorder, [199, 200, 999, 1_000].map((count) => Array(count).fill(7)));
  assertEquals(recorder.rounds.map(({ p95, p99 }) => [p95, p99]), [
    [null, null],
    [7, null],
    [7, null],
    [7, 7],
  ]);
});

Deno.test("DistributionRecorder keeps a series where one is asked for", () => {
  using recorder = new DistributionRecorder({ series: { intervalMs: 1, startNs: 0 } });
  recorder.record(5, 0);
  recorder.record(6, 1e6);
  const series = recorder.distribution("latency", options)?.series;
  assertEquals(series?.map(({ atMs, count, max }) => [atMs, count, max]), [[0, 1, 5], [1, 1, 6]]);
  assertThrows(() => recorder.record(7), TypeError, "atNs is missing");
});

Deno.test("DistributionRecorder tells how many times were altered", () => {
  using recorder = new DistributionRecorder();
  recordRounds(recorder, [[-1, 5]]);
  recorder.record(NaN);
  assertEquals(recorder.clamped, 2);
});

Deno.test("DistributionRecorder carries the coordinates of a step", () => {
  using recorder = new DistributionRecorder();
  recorder.record(1);
  const step = recorder.distribution("latency@8", { ...options, at: { inFlight: 8 } });
  assertEquals(step?.at, { inFlight: 8 });
});

Deno.test("summariseScalar takes the median of the rounds", () => {
  const rounds = [100, 300, 200, 1_000, 250];
  const throughput = summariseScalar({
    name: "throughput",
    unit: "msg/s",
    rounds,
    better: "higher",
    seed: 1,
    at: { inFlight: 8 },
  });
  assertEquals(throughput.value, 250);
  assertEquals(throughput.rounds, rounds);
  assertEquals(throughput.at, { inFlight: 8 });
  assert(throughput.ci95 && throughput.ci95[0] <= 250 && throughput.ci95[1] >= 250);
  assertEquals(v.parse(ScalarSchema, throughput), throughput);
});

Deno.test("summariseScalar gives no interval under five rounds, refuses what is no number", () => {
  const scalar = { name: "throughput", unit: "msg/s", better: "higher", seed: 1 } as const;
  assertEquals(summariseScalar({ ...scalar, rounds: [1, 2, 3, 4] }).ci95, null);
  assertThrows(() => summariseScalar({ ...scalar, rounds: [] }), RangeError, "has no rounds");
  assertThrows(() => summariseScalar({ ...scalar, rounds: [1, NaN] }), RangeError, "one is NaN");
});
