import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { bootstrapInterval } from "../../lib/stats/bootstrap.ts";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { median } from "../../lib/stats/rounds.ts";

const rounds = [101, 99, 103, 98, 100, 102, 97, 104, 100, 96];

Deno.test("bootstrapInterval is the same for the same seed and label, and only then", () => {
  const options = { statistic: median, seed: 7, label: "latency" };
  const interval = bootstrapInterval(rounds, options);
  assertEquals(bootstrapInterval(rounds, options), interval);
  const values = Array.from({ length: 30 }, (_, index) => index ** 2);
  const mean = (resample: readonly number[]) => resample.reduce((a, b) => a + b) / resample.length;
  const first = bootstrapInterval(values, { statistic: mean, seed: 7, label: "a" });
  assertNotEquals(bootstrapInterval(values, { statistic: mean, seed: 8, label: "a" }), first);
  assertNotEquals(bootstrapInterval(values, { statistic: mean, seed: 7, label: "b" }), first);
});

Deno.test("bootstrapInterval encloses the statistic and lies within the rounds", () => {
  const interval = bootstrapInterval(rounds, { statistic: median, seed: 1, label: "latency" });
  assert(interval !== null);
  const [low, high] = interval;
  assert(low >= 96 && low < 100 && high > 100 && high <= 104, `${low} to ${high}`);
});

Deno.test("bootstrapInterval cuts 2.5 % of the resamples at either end", () => {
  const values = Array.from({ length: 1_000 }, (_, index) => index);
  const [low, high] = bootstrapInterval(values, { statistic: ([v]) => v, seed: 1, label: "v" })!;
  assertAlmostEquals(low, 25, 12);
  assertAlmostEquals(high, 975, 12);
});

Deno.test("bootstrapInterval of fewer than five rounds is null", () => {
  const options = { statistic: median, seed: 1, label: "latency" };
  assertEquals(bootstrapInterval([1, 2, 3, 4], options), null);
  assertNotEquals(bootstrapInterval([1, 2, 3, 4, 5], options), null);
});

Deno.test("bootstrapInterval of 10 rounds covers the true median in over 90 % of runs", () => {
  const next = randomStream(1, "coverage");
  const runs = 400;
  let covered = 0;
  for (let run = 0; run < runs; run++) {
    const values = Array.from({ length: 10 }, () => Math.exp(0.03 * drawNormal(next)));
    const interval = bootstrapInterval(values, { statistic: median, seed: run, label: "run" });
    if (interval !== null && interval[0] <= 1 && 1 <= interval[1]) covered++;
  }
  assert(covered / runs > 0.9 && covered / runs < 0.99, `covered ${covered} of ${runs}`);
});

Deno.test("randomStream repeats itself for a seed and label, and for no other", () => {
  function start(seed: number, label: string): number[] {
    return Array.from({ length: 5 }, randomStream(seed, label));
  }
  assertEquals(start(1, "arrivals"), start(1, "arrivals"));
  assertNotEquals(start(1, "arrivals"), start(2, "arrivals"));
  assertNotEquals(start(1, "arrivals"), start(1, "order"));
  assertNotEquals(start(1, "2/3"), start(12, "/3"));
});

Deno.test("randomStream stays as it is, so that seeds of old reports keep their meaning", () => {
  const next = randomStream(1, "arrivals");
  assertEquals([next(), next(), next()].map((number) => number * 2 ** 32), [
    1_980_104_246,
    1_501_367_020,
    3_009_633_066,
  ]);
});

Deno.test("randomStream is uniform in [0, 1)", () => {
  const next = randomStream(42, "uniform");
  const bins = new Array(20).fill(0);
  for (let index = 0; index < 20_000; index++) bins[Math.floor(next() * 20)]++;
  const chiSquared = bins.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
  assert(chiSquared < 43.8, `chi squared of 19 degrees is ${chiSquared}`); // its 99.9 % quantile
});

Deno.test("drawNormal has mean 0 and deviation 1", () => {
  const next = randomStream(42, "normal");
  const draws = Array.from({ length: 20_000 }, () => drawNormal(next));
  const mean = draws.reduce((a, b) => a + b) / draws.length;
  const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
  assertAlmostEquals(mean, 0, 0.03);
  assertAlmostEquals(variance, 1, 0.05);
});

Deno.test("randomStream refuses a seed that is no whole number", () => {
  assertThrows(() => randomStream(0.5, "x"), RangeError, "it is 0.5");
});
