import { assert, assertEquals } from "@std/assert";
import { IntervalSeries } from "../../lib/stats/series.ts";
import { repeats } from "../support/repeats.ts";

const SECOND_NS = 1e9;

Deno.test("IntervalSeries summarises each interval, empty ones included", () => {
  using series = new IntervalSeries({ intervalMs: 1_000, startNs: 5 * SECOND_NS });
  series.record(100, 5 * SECOND_NS);
  series.record(300, 5.999 * SECOND_NS);
  series.record(700, 8 * SECOND_NS);
  assertEquals(series.points(), [
    { atMs: 0, count: 2, p50: 100, p99: null, max: 300 },
    { atMs: 1_000, count: 0, p50: null, p99: null, max: null },
    { atMs: 2_000, count: 0, p50: null, p99: null, max: null },
    { atMs: 3_000, count: 1, p50: 700, p99: null, max: 700 },
  ]);
});

Deno.test("IntervalSeries gives the p99 of an interval from 1,000 samples on", () => {
  using series = new IntervalSeries({ intervalMs: 1, startNs: 0 });
  for (let index = 1; index <= 1_000; index++) series.record(index, 0);
  for (let index = 1; index <= 999; index++) series.record(index, 1e6);
  assertEquals(series.points().map(({ p99 }) => p99), [990, null]);
});

Deno.test("IntervalSeries counts a late sample in the open interval", () => {
  using series = new IntervalSeries({ intervalMs: 1_000, startNs: 0 });
  series.record(1, 1.5 * SECOND_NS);
  series.record(2, 0.5 * SECOND_NS);
  assertEquals(series.points().map(({ count }) => count), [0, 2]);
});

Deno.test("IntervalSeries has at most 600 intervals, loses nothing and can be read at any time", () => {
  for (const seconds of [600, 601, 1_201, ...repeats<number[]>([], [602, 750, 1_199, 5_000])]) {
    using series = new IntervalSeries({ intervalMs: 1_000, startNs: 0 });
    for (let second = 0; second < seconds; second++) {
      series.record(1_000 + second, (second + 0.5) * SECOND_NS);
      if (second % 800 === 700) series.points();
    }
    const points = series.points();
    assert(points.length <= 600, `${points.length} intervals of ${seconds} s`);
    assert(points.length >= Math.min(seconds, 299), `${points.length} intervals of ${seconds} s`);
    assertEquals(points.reduce((sum, { count }) => sum + count, 0), seconds);
    const widthMs = points[1].atMs;
    points.forEach(({ atMs, count, max }, index) => {
      assertEquals(atMs, index * widthMs);
      const end = Math.min(seconds, (index + 1) * widthMs / 1_000);
      assertEquals(max, 999 + end, `the last sample before ${end} s`);
      assertEquals(count, end - atMs / 1_000);
    });
  }
});

Deno.test("IntervalSeries merges empty intervals with others", () => {
  for (const first of [0, 1]) {
    using series = new IntervalSeries({ intervalMs: 1_000, startNs: 0 });
    for (let second = first; second < 1_000; second += 2) series.record(7, second * SECOND_NS);
    const counts = series.points().map(({ count }) => count);
    assertEquals(counts.slice(0, 300), Array(300).fill(1));
    assertEquals(counts.reduce((sum, count) => sum + count, 0), 500);
  }
});

Deno.test("IntervalSeries skips a long silence without a long loop", () => {
  using series = new IntervalSeries({ intervalMs: 1, startNs: 0 });
  series.record(1, 0);
  series.record(2, 1e6 * SECOND_NS);
  const points = series.points();
  assert(points.length <= 600);
  assertEquals([points[0].count, points[points.length - 1].count], [1, 1]);
});

Deno.test("IntervalSeries with different starts have equal intervals, so that shards merge", () => {
  const startsOf = (startNs: number) => {
    using series = new IntervalSeries({ intervalMs: 1_000 / 3, startNs });
    for (let second = 0; second < 9; second++) series.record(7, startNs + second * SECOND_NS);
    return series.points().map(({ atMs }) => atMs);
  };
  assertEquals(startsOf(1_234_567_890.123), startsOf(0));
});
