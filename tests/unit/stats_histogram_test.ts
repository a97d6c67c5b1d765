// Runs alone: looks at the memory of the process.

import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { HIGHEST_TRACKABLE_NS, LatencyHistogram } from "../../lib/stats/histogram.ts";
import { repeats } from "../support/repeats.ts";

function histogramOf(values: number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

Deno.test("LatencyHistogram keeps count, extremes and mean exactly", () => {
  using histogram = histogramOf([1_234_567, 0, 7_654_321]);
  assertEquals(histogram.count, 3);
  assertEquals(histogram.min, 0);
  assertEquals(histogram.max, 7_654_321);
  assertEquals(histogram.mean, (1_234_567 + 7_654_321) / 3);
});

Deno.test("LatencyHistogram's percentiles are samples of nearest rank, within [min, max]", () => {
  using histogram = histogramOf([100, 200, 300, 400]);
  assertEquals([0, 25, 25.1, 50, 75, 100].map((p) => histogram.percentile(p)), [
    100,
    100,
    200,
    200,
    300,
    400,
  ]);
  using single = histogramOf([1_234_567]);
  assertEquals([0, 50, 99.9, 100].map((p) => single.percentile(p)), Array(4).fill(1_234_567));
});

Deno.test("LatencyHistogram rounds fractions of a nanosecond", () => {
  using histogram = histogramOf([1.4, 2.5]);
  assertEquals([histogram.min, histogram.mean, histogram.max], [1, 2, 3]);
});

Deno.test("LatencyHistogram clamps values that cannot be latencies", () => {
  using histogram = histogramOf([-1, -0.2, NaN, -Infinity, Infinity, 2 * HIGHEST_TRACKABLE_NS, 5]);
  assertEquals(histogram.count, 7);
  assertEquals([histogram.min, histogram.max], [0, HIGHEST_TRACKABLE_NS]);
  assertEquals(histogram.percentile(50), 0);
});

Deno.test("LatencyHistogram gives NaN while empty, and again after a reset", () => {
  using histogram = new LatencyHistogram();
  function figures(): number[] {
    const { count, min, max, mean, stddev } = histogram;
    return [count, min, max, mean, stddev, histogram.percentile(50)];
  }
  const empty = [0, NaN, NaN, NaN, NaN, NaN];
  assertEquals(figures(), empty);
  histogram.record(-5);
  histogram.reset();
  assertEquals(figures(), empty);
});

Deno.test("LatencyHistogram.stddev is that of the population", () => {
  using histogram = histogramOf([2, 4, 4, 4, 5, 5, 7, 9]);
  assertEquals(histogram.stddev, 2);
});

Deno.test("LatencyHistogram.decode takes exact figures that the encoding lacks", () => {
  using original = histogramOf([1_234_567, 7_654_321]);
  using exact = LatencyHistogram.decode(original.encode(), original);
  assertEquals([exact.min, exact.max, exact.mean], [original.min, original.max, original.mean]);
  using bare = LatencyHistogram.decode(original.encode());
  assert(Math.abs(bare.max - original.max) <= original.max / 1000);
});

Deno.test("LatencyHistogram.decode restores an empty histogram", () => {
  using original = new LatencyHistogram();
  using decoded = LatencyHistogram.decode(original.encode());
  assertEquals([decoded.count, decoded.min], [0, NaN]);
  decoded.record(7);
  assertEquals([decoded.min, decoded.max], [7, 7]);
});

Deno.test("LatencyHistogram.decode refuses any other text", () => {
  for (const wrong of ["", "not base64!", "AAAA", btoa("0123456789abcdef")]) {
    assertThrows(() => LatencyHistogram.decode(wrong), Error, "Cannot decode a histogram");
  }
});

Deno.test("LatencyHistogram cannot be used after disposal", () => {
  const histogram = histogramOf([1]);
  histogram[Symbol.dispose]();
  assertThrows(() => histogram.record(1), Error, "destroyed");
});

Deno.test("recording millions of samples over a wide range grows memory by less than 5 MiB", () => {
  using histogram = new LatencyHistogram();
  let state = 1;
  function recordMany(samples: number): void {
    for (let index = 0; index < samples; index++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      histogram.record(state * 800); // up to 57 minutes
    }
  }
  recordMany(1e6); // Compiles the code.
  const before = Deno.memoryUsage().rss;
  const samples = repeats(2e6, 1e7);
  recordMany(samples); // 16 MB if each of 2 million were kept
  assertEquals(histogram.count, 1e6 + samples);
  assertLess((Deno.memoryUsage().rss - before) / 2 ** 20, 5);
});

Deno.test("creating and disposing of many histograms does not grow memory", () => {
  using kept = histogramOf([1, 2, 3]);
  function churn(times: number): void {
    for (let index = 0; index < times; index++) {
      using copy = LatencyHistogram.restore(kept.snapshot());
      kept.add(copy);
      kept.reset();
      kept.record(index);
    }
  }
  churn(200);
  const before = Deno.memoryUsage().rss;
  churn(repeats(1_000, 2_000)); // 135 MB and more if the tables were kept
  assertLess((Deno.memoryUsage().rss - before) / 2 ** 20, 50);
});
