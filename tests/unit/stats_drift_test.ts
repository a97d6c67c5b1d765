import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { medianDrift } from "../../lib/stats/drift.ts";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { IntervalSeries } from "../../lib/stats/series.ts";

const HOUR_S = 3_600;

/** An hour in minutes, 600 samples each, around a median that rises by so much an hour. */
function hourOf(risePerHourNs: number, options: { seed: number }) {
  const random = randomStream(options.seed, "drift");
  using series = new IntervalSeries({ intervalMs: 60_000, startNs: 0 });
  for (let second = 0; second < HOUR_S; second += 0.1) {
    const medianNs = 1e6 + risePerHourNs * second / HOUR_S;
    series.record(medianNs * Math.exp(0.3 * drawNormal(random)), second * 1e9);
  }
  return series.points();
}

Deno.test("a median that rises by 0.2 ms an hour is found, within its interval", () => {
  for (let seed = 0; seed < 5; seed++) {
    const { slope, ci95 } = medianDrift(hourOf(200_000, { seed }))!;
    assertAlmostEquals(slope, 200_000, 40_000);
    assert(ci95![0] > 0, "it is no chance");
  }
});

Deno.test("a steady median has no drift that counts", () => {
  const counts = Array.from({ length: 20 }, (_, seed) => {
    const [low, high] = medianDrift(hourOf(0, { seed }))!.ci95!;
    return low <= 0 && high >= 0;
  }).filter(Boolean).length;
  assert(counts >= 17, `${counts} of 20 intervals hold 0`);
});

Deno.test("intervals that were cut short do not count", () => {
  const point = (atMs: number, count: number, p50: number | null) => ({
    atMs,
    count,
    p50,
    p99: null,
    max: p50,
  });
  const series = [point(0, 100, 10), point(1_000, 100, 10), point(2_000, 0, null)];
  assertEquals(medianDrift([...series, point(3_000, 3, 1e9)])?.slope, 0);
  assertEquals(medianDrift(series.slice(1)), null);
  assertEquals(medianDrift([]), null);
});
