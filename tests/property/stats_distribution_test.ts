import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { poolRanks } from "../../lib/stats/bins.ts";
import { DistributionRecorder } from "../../lib/stats/summary.ts";
import { histogramOf } from "../support/histogram_of.ts";

/** From less than the width of a bin to an hour. */
const times = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: 3.6e12 }),
  fc.constantFrom(0, 2_047, 2_048, 4_095, 3.6e12),
);

const OPTIONS = { name: "a", better: "lower", role: "detail", seed: 1 } as const;

Deno.test("bins rank values like the histogram, and to three digits like sorting", () => {
  fc.assert(fc.property(fc.array(times, { minLength: 1, maxLength: 50 }), (values) => {
    using histogram = histogramOf(values);
    const bins = histogram.bins();
    assertEquals(bins.count, values.length);
    values.toSorted((a, b) => a - b).forEach((value, index) => {
      const found = bins.valueAtRank(index + 1);
      assertEquals(found, histogram.valueAtRank(index + 1));
      assert(found >= value && found <= value * 1.001 + 1, `${found} for ${value}`);
    });
  }));
});

Deno.test("weighting a part equals copying it that many times", () => {
  const part = fc.record({
    values: fc.array(times, { minLength: 1, maxLength: 20 }),
    weight: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
    const copies = parts.flatMap(({ values, weight }) => Array(weight).fill(values).flat());
    if (copies.length === 0) return;
    using all = histogramOf(copies);
    const bins = parts.map(({ values }) => {
      using histogram = histogramOf(values);
      return histogram.bins();
    });
    const valueAtRank = poolRanks(bins);
    const weights = parts.map(({ weight }) => weight);
    for (let rank = 1; rank <= copies.length; rank++) {
      const found = valueAtRank(rank, weights);
      assertEquals(Math.min(found, all.max), all.valueAtRank(rank));
    }
  }));
});

const epochs = fc.array(
  fc.record({
    times: fc.array(times, { maxLength: 30 }),
    copies: fc.constantFrom(1, 7, 40),
    censored: fc.constantFrom(0, 0, 1, 20),
  }),
  { minLength: 1, maxLength: 7 },
);

Deno.test("percentiles ascend within the extremes and their intervals, counts add up", () => {
  fc.assert(fc.property(epochs, (given) => {
    using recorder = new DistributionRecorder();
    let count = 0;
    let censored = 0;
    for (const epoch of given) {
      recorder.startEpoch();
      for (let copy = 0; copy < epoch.copies; copy++) {
        recorder.recordAll(Float64Array.from(epoch.times));
      }
      recorder.censor(epoch.censored, 5e9);
      recorder.endEpoch();
      count += epoch.copies * epoch.times.length;
      censored += epoch.censored;
    }
    const distribution = recorder.distribution(OPTIONS);
    if (count === 0) return assertEquals(distribution, null);
    assert(distribution !== null);
    assertEquals([distribution.count, distribution.censored], [count, censored]);
    const { min, p5, p50, p75, p90, p95, p99, p999, max, ci95 } = distribution;
    const order = [min, p5, p50, p75, p90, p95, p99, p999, max].filter((ns) => ns !== null);
    for (const [index, ns] of order.slice(1).entries()) {
      // The mean of logarithms has rounding errors.
      assert(ns * (1 + 1e-12) >= order[index]!, `${order}`);
    }
    for (const key of ["p5", "p50", "p95", "p99", "mean"] as const) {
      if (ci95[key] === null) continue;
      const [low, high] = ci95[key];
      assert(low <= distribution[key]! && distribution[key]! <= high, `${key}: ${low} ${high}`);
    }
  }));
});

Deno.test("in one epoch, percentiles count calls without an answer as the longest", () => {
  const samples = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 400 });
  fc.assert(fc.property(samples, fc.integer({ min: 0, max: 400 }), (values, censored) => {
    using recorder = new DistributionRecorder();
    recorder.startEpoch();
    recorder.recordAll(Float64Array.from(values));
    recorder.censor(censored, 5_000);
    recorder.endEpoch();
    const distribution = recorder.distribution(OPTIONS)!;
    const sorted = values.toSorted((a, b) => a - b);
    const all = [...sorted, ...new Array<number>(censored).fill(5_000)];
    for (const [key, percentile, minimum] of [["p5", 5, 200], ["p50", 50, 1], ["p95", 95, 200]]) {
      const rank = Math.ceil(Number(percentile) * all.length / 100);
      const expected = all.length < Number(minimum) ? null : all[rank - 1];
      assertEquals(distribution[key as "p5" | "p50" | "p95"], expected, `${key}`);
    }
  }));
});
