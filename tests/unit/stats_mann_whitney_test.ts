import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { estimateRatio } from "../../lib/stats/hodges_lehmann.ts";
import { holmAdjust } from "../../lib/stats/holm.ts";
import { lowerTailOfU, mannWhitney, smallestP } from "../../lib/stats/mann_whitney.ts";

function upTo(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

Deno.test("mannWhitney of samples wholly apart is the smallest p there is", () => {
  assertAlmostEquals(mannWhitney(upTo(5), upTo(5, 6)).p, 2 / 252, 1e-15);
  assertAlmostEquals(mannWhitney(upTo(10), upTo(10, 11)).p, 2 / 184_756, 1e-15);
  assertAlmostEquals(smallestP(5, 5), 2 / 252, 1e-15);
  assertEquals(mannWhitney(upTo(5), upTo(5, 6)).u, 25);
  assertEquals(mannWhitney(upTo(5, 6), upTo(5)).u, 0);
});

Deno.test("mannWhitney agrees with counts made by hand", () => {
  // Of the 20 ways to pick 3 of 6 ranks, 4 have a sum of at least 14, and 4 one of at most 7.
  assertEquals(mannWhitney([1, 2, 4], [3, 5, 6]), { u: 8, p: 8 / 20 * 0.5 });
  // Ranks 1.5 1.5 | 3 4: of 6 pairs only {3, 4} and {1.5, 1.5} lie as far out.
  assertEquals(mannWhitney([7, 7], [8, 9]), { u: 4, p: 2 / 6 });
});

Deno.test("mannWhitney of equal samples is 1", () => {
  assertEquals(mannWhitney([3, 3, 3], [3, 3, 3]), { u: 4.5, p: 1 });
  assertEquals(mannWhitney([1, 2, 3], [1, 2, 3]), { u: 4.5, p: 1 });
});

Deno.test("mannWhitney is exact for 100 values a side and refuses more, or none", () => {
  const { p } = mannWhitney(upTo(100), upTo(100, 101));
  assert(p > 0 && p < 1e-57);
  assertThrows(() => mannWhitney(upTo(101), [1]), RangeError, "one has 101");
  assertThrows(() => mannWhitney([], [1]), RangeError, "one has 0");
});

Deno.test("lowerTailOfU gives the critical values of the tables, two-sided 5 %", () => {
  const tabulated: [number, number, number][] = [[3, 3, -1], [4, 4, 0], [5, 5, 2], [5, 8, 6], [
    10,
    10,
    23,
  ], [20, 20, 127]];
  for (const [first, second, critical] of tabulated) {
    assertEquals(lowerTailOfU([first, second], 0.025), critical, `${first} against ${second}`);
  }
});

Deno.test("lowerTailOfU includes a tail that is met exactly", () => {
  assertEquals(lowerTailOfU([5, 5], 1 / 252), 0);
  assertEquals(lowerTailOfU([5, 5], 0.99 / 252), -1);
});

Deno.test("holmAdjust agrees with the example worked by hand, in the order given", () => {
  const adjusted = holmAdjust([0.01, 0.04, 0.03, 0.005]);
  [0.03, 0.06, 0.06, 0.02].forEach((expected, index) =>
    assertAlmostEquals(adjusted[index], expected, 1e-12)
  );
  assertEquals(holmAdjust([0.9, 0.8]), [1, 1]);
  assertEquals(holmAdjust([]), []);
});

Deno.test("estimateRatio finds the ratio of samples that differ by one", () => {
  const values = [100, 103, 98, 101, 105, 97, 99, 102, 104, 96];
  const { ratio, ci95 } = estimateRatio(values, values.map((value) => value * 1.1));
  assertAlmostEquals(ratio, 1.1, 1e-12);
  assert(ci95 !== null && ci95[0] < 1.1 && ci95[1] > 1.1);
});

Deno.test("estimateRatio is the median of all ratios, its interval the 24th from either end", () => {
  const first = upTo(10, 50);
  const second = upTo(10, 70);
  const ratios = second.flatMap((after) => first.map((before) => after / before));
  ratios.sort((a, b) => a - b);
  const { ratio, ci95 } = estimateRatio(first, second);
  assertAlmostEquals(ratio, Math.sqrt(ratios[49] * ratios[50]), 1e-12);
  assertAlmostEquals(ci95![0], ratios[23], 1e-12);
  assertAlmostEquals(ci95![1], ratios[76], 1e-12);
});

Deno.test("estimateRatio gives no interval where the test could never reject", () => {
  assertEquals(estimateRatio([1, 2, 3], [4, 5, 6]).ci95, null);
  assert(estimateRatio([1, 2, 3, 4], [5, 6, 7, 8]).ci95 !== null);
});

Deno.test("estimateRatio survives rounds of 0", () => {
  const { ratio, ci95 } = estimateRatio([1_000, 1_001, 1_002, 1_003], [0, 0, 0, 0]);
  assertEquals([ratio < 1e-300, ci95!.every((end) => end >= 0 && end < 1e-300)], [true, true]);
  assertEquals(estimateRatio([0, 0, 0, 0], [0, 0, 0, 0]).ratio, 1);
});
