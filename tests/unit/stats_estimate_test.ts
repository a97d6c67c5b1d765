import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  estimate,
  independentMargin,
  marginOf,
  momentsOf,
  tQuantile,
} from "../../lib/stats/estimate.ts";
import { regularisedBeta } from "../../lib/stats/incomplete_beta.ts";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { repeats } from "../support/repeats.ts";

Deno.test("quantiles of t match the published tables", () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
  const table: [number, number, number][] = [
    [0.9, 4, 1.533],
    [0.95, 9, 1.833],
    [0.975, 1, 12.706],
    [0.975, 4, 2.776],
    [0.975, 9, 2.262],
    [0.99, 29, 2.462],
    [0.995, 5, 4.032],
    [0.999, 60, 3.232],
    [0.975, 100, 1.984],
  ];
  for (const [probability, freedom, expected] of table) {
    assertAlmostEquals(tQuantile(probability, freedom), expected, 5e-4);
    assertAlmostEquals(tQuantile(1 - probability, freedom), -expected, 5e-4);
  }
  // Closed forms for 1 and 2 degrees of freedom.
  for (const p of [0.5, 0.6, 0.9, 0.975, 0.9995]) {
    assertAlmostEquals(tQuantile(p, 1), Math.tan(Math.PI * (p - 0.5)), 1e-8);
    const two = (2 * p - 1) * Math.sqrt(2 / (4 * p * (1 - p)));
    assertAlmostEquals(tQuantile(p, 2), two, 1e-8);
  }
  assertAlmostEquals(tQuantile(0.975, 1e6), 1.959966, 1e-6);
});

Deno.test("the incomplete beta function is the tail of the binomial distribution", () => {
  for (const [n, k, p] of [[10, 3, 0.2], [50, 30, 0.5], [7, 7, 0.9], [200, 1, 0.001]]) {
    let term = (1 - p!) ** n!;
    let below = 0;
    for (let i = 0; i < k!; i++) {
      below += term;
      term *= (n! - i) / (i + 1) * p! / (1 - p!);
    }
    assertAlmostEquals(regularisedBeta(p!, k!, n! - k! + 1), 1 - below, 1e-12);
  }
  assertEquals([regularisedBeta(0, 2, 3), regularisedBeta(1, 2, 3)], [0, 1]);
});

Deno.test("an estimate is the geometric mean of the epochs, with a t interval", () => {
  const { value, ci95, spread } = estimate([1, 2, 4, 8, 16], {
    within: [[1, Math.E], [5, 5], [7]],
    paired: true,
  });
  assertAlmostEquals(value, 4, 1e-12);
  // ln 2 x sqrt(2.5) is the standard deviation of 0, 1, 2, 3, 4 times ln 2.
  const margin = 2.7764451051977987 * Math.LN2 * Math.sqrt(2.5) / Math.sqrt(5);
  assertAlmostEquals(ci95![0], 4 * Math.exp(-margin), 1e-8);
  assertAlmostEquals(ci95![1], 4 * Math.exp(margin), 1e-8);
  assertAlmostEquals(spread.between!, Math.LN2 * Math.sqrt(2.5), 1e-12);
  // Squares of 1/2 and 0, each with one degree of freedom; a single slice has none.
  assertAlmostEquals(spread.within!, 0.5, 1e-12);
});

Deno.test("values that can be 0 or negative are averaged on a linear scale", () => {
  const { value, ci95, spread } = estimate([-2, 0, 2, 4, 6], { paired: true });
  assertEquals([value, spread], [2, { within: null, between: null }]);
  const margin = 2.7764451051977987 * Math.sqrt(10) / Math.sqrt(5);
  assertAlmostEquals(ci95![1], 2 + margin, 1e-8);
  assertAlmostEquals(estimate([1, 3], { scale: "linear" }).value, 2);
});

Deno.test("equal epochs give exactly their value, few give no interval, and none is an error", () => {
  assertEquals(estimate([0.1, 0.1, 0.1, 0.1, 0.1]), {
    value: 0.1,
    ci95: [0.1, 0.1],
    spread: { within: null, between: 0 },
  });
  assertEquals(estimate([1, 2, 3, 4]).ci95, null);
  assertEquals(estimate([7]).spread.between, null);
  assertThrows(() => estimate([]), RangeError, "there are no epochs");
  assertThrows(() => estimate([1, NaN]), RangeError, "of an epoch is NaN");
});

/** Logarithms of a run's epochs, with mean 0 and correlation `r` between neighbours. */
function epochsOf(random: () => number, { epochs, r }: { epochs: number; r: number }): number[] {
  let last = drawNormal(random);
  return Array.from({ length: epochs }, () => {
    const value = last;
    last = r * last + Math.sqrt(1 - r * r) * drawNormal(random);
    return 0.3 * value;
  });
}

/** The share of runs whose interval contains the true value. */
function coverage(options: { epochs: number; r: number; paired: boolean; runs: number }): number {
  const random = randomStream(1, "coverage");
  let covered = 0;
  for (let run = 0; run < options.runs; run++) {
    const values = epochsOf(random, options).map(Math.exp);
    const [low, high] = estimate(values, options).ci95!;
    if (low <= 1 && 1 <= high) covered++;
  }
  return covered / options.runs;
}

Deno.test("the interval contains the true value in 95 % of runs, and less confidence narrows it", () => {
  const runs = repeats(3_000, 40_000);
  const error = 4 * Math.sqrt(0.05 * 0.95 / runs);
  for (const epochs of [5, 10, 20]) {
    assertAlmostEquals(coverage({ epochs, r: 0, paired: true, runs }), 0.95, error);
    assert(coverage({ epochs, r: 0, paired: false, runs }) > 0.95);
  }
  const [wide, narrow] = [0.95, 0.5].map((confidence) =>
    independentMargin([1, 2, 3, 4, 5], confidence)
  );
  assert(narrow! < wide!);
});

Deno.test("the interval holds if neighbouring epochs correlate, as on a shared machine", () => {
  const runs = repeats(2_000, 20_000);
  for (const epochs of [10, 20]) {
    const independent = coverage({ epochs, r: 0.4, paired: true, runs });
    assert(independent < 0.85, `${independent}: this test could not fail`);
    const wide = coverage({ epochs, r: 0.4, paired: false, runs });
    assert(wide > 0.93, `of ${epochs} epochs ${wide}`);
  }
});

Deno.test("the slow part of a series is its regression on cosines", () => {
  // 20 epochs have round(0.4 x 20^(2/3)) = 3 orthogonal terms, so each has its own regression.
  const values = epochsOf(randomStream(3, "slow"), { epochs: 20, r: 0.9 });
  const explained = [1, 2, 3].map((term) => {
    const wave = values.map((_, epoch) => Math.cos(Math.PI * term * (epoch + 0.5) / 20));
    const { mean } = momentsOf(values);
    const slope = wave.reduce((sum, x, epoch) => sum + x * (values[epoch]! - mean), 0) /
      wave.reduce((sum, x) => sum + x * x, 0);
    return wave.reduce((sum, x) => sum + (slope * x) ** 2, 0);
  });
  const variance = explained.reduce((sum, squares) => sum + squares, 0) / 3;
  assertAlmostEquals(marginOf(values), 3.1824463 * Math.sqrt(variance / 20), 1e-6);
  // Values that alternate with every epoch have no slow part.
  const quick = values.map((_, epoch) => epoch % 2);
  assertAlmostEquals(marginOf(quick), independentMargin(quick), 1e-12);
});
