import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LatencyHistogram } from "../../lib/stats/histogram.ts";
import { histogramOf } from "../support/histogram_of.ts";

/** Times from 0 ns to an hour, with all orders of magnitude equally likely. */
const timeNs = fc.tuple(fc.integer({ min: 0, max: 41 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([exponent, fraction]) => Math.min(3.6e12, Math.floor(2 ** exponent * (1 + fraction)) - 1));
const times = fc.array(timeNs, { minLength: 1, maxLength: 300 });
const percentiles = [0, 1, 25, 50, 75, 90, 95, 99, 99.9, 100];

function figures(histogram: LatencyHistogram): number[] {
  const { count, min, max } = histogram;
  return [count, min, max, ...percentiles.map((p) => histogram.percentile(p))];
}

Deno.test("percentiles equal those of a sorted array, to three digits", () => {
  fc.assert(fc.property(times, (values) => {
    using histogram = histogramOf(values);
    const sorted = values.toSorted((a, b) => a - b);
    for (const percentile of percentiles) {
      const rank = Math.max(1, Math.ceil(percentile * sorted.length / 100));
      const expected = sorted[rank - 1];
      const observed = histogram.percentile(percentile);
      assert(
        observed >= expected && observed <= expected * 1.001,
        `p${percentile} of ${sorted.length} samples: ${observed}, not ${expected}`,
      );
    }
  }));
});

Deno.test("mean, minimum and maximum are exact", () => {
  fc.assert(fc.property(times, (values) => {
    using histogram = histogramOf(values);
    assertEquals(histogram.mean, values.reduce((sum, value) => sum + value, 0) / values.length);
    assertEquals(histogram.min, Math.min(...values));
    assertEquals(histogram.max, Math.max(...values));
  }));
});

Deno.test("merging two histograms equals recording all samples into one", () => {
  fc.assert(fc.property(times, times, (first, second) => {
    using merged = histogramOf(first);
    using addend = histogramOf(second);
    merged.add(addend);
    using whole = histogramOf([...first, ...second]);
    assertEquals(figures(merged), figures(whole));
    assertEquals(merged.encode(), whole.encode());
  }));
});

Deno.test("a histogram survives encoding and decoding, and a snapshot", () => {
  fc.assert(fc.property(times, (values) => {
    using original = histogramOf(values);
    using decoded = LatencyHistogram.decode(original.encode(), original);
    using restored = LatencyHistogram.restore(original.snapshot());
    assertEquals(figures(decoded), figures(original));
    assertEquals(figures(restored), figures(original));
    assertEquals(decoded.encode(), original.encode());
  }));
});
