import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { binPoints, slopeUpperBound } from "../../lib/stats/theil_sen.ts";

const onLine = (count: number, slope: number) =>
  Array.from({ length: count }, (_, x) => ({ x, y: slope * x + 5 }));

Deno.test("a straight line has exactly its slope", () => {
  assertEquals([slopeUpperBound(onLine(20, 3)), slopeUpperBound(onLine(20, 0))], [3, 0]);
});

Deno.test("outliers in an eighth of the points hardly raise the bound", () => {
  const points = onLine(40, -2).map((point, index) =>
    index % 8 === 3 ? { ...point, y: 1e6 } : point
  );
  assertAlmostEquals(slopeUpperBound(points)!, -2, 1e-9);
});

/**
 * 45 slopes; without ties Var(S) = 10 x 9 x 25 / 18 = 125, so the rank from the top is
 * (45 - 1.645 x 11.18) / 2 = 13.3: the 33rd.
 */
Deno.test("the bound of ten points is the 33rd slope", () => {
  const y = [3, 1, 4, 15, 9, 2, 6, 5, 35, 8];
  const slopes = y.flatMap((first, i) =>
    y.slice(i + 1).map((second, j) => (second - first) / (j + 1))
  )
    .sort((a, b) => a - b);
  assertEquals(slopeUpperBound(y.map((value, x) => ({ x, y: value }))), slopes[32]);
});

/**
 * Var(S) = 12 x 11 x 29 / 18 = 212.67, less 1 for each of the six pairs of x, 8.67 for the four 0,
 * 28.33 for the six 1 and 1 for the two 3, is 168.67. Without pairs of the same x there are 60
 * slopes. The bound is at (60 - 1.645 x 12.99) / 2 = 19.3 from the top, the 19th slope, which is
 * 1/3. Uncorrected it would be the 18th, 1/2; with the pairs of the same x the 22nd, 1/5.
 */
Deno.test("ties lower the bound, and pairs with the same x have no slope", () => {
  const y = [1, 0, 3, 1, 1, 0, 0, 0, 1, 3, 1, 1];
  assertEquals(slopeUpperBound(y.map((value, index) => ({ x: index >> 1, y: value }))), 1 / 3);
});

Deno.test("fewer than ten points or two distinct x give no bound", () => {
  assertEquals(slopeUpperBound([]), null);
  assertEquals(slopeUpperBound(onLine(9, 1)), null);
  assertEquals(slopeUpperBound(onLine(12, 1).map(({ y }) => ({ x: 1, y }))), null);
});

Deno.test("the bound is above the true slope in about 95 % of series", () => {
  const random = randomStream(7, "trend");
  const runs = 400;
  let below = 0;
  for (let run = 0; run < runs; run++) {
    const points = onLine(30, 0.5).map(({ x, y }) => ({ x, y: y + drawNormal(random) ** 3 }));
    if (0.5 <= slopeUpperBound(points)!) below++;
  }
  assert(below / runs > 0.92 && below / runs < 0.985, `${below} of ${runs}`);
});

Deno.test("a long series is reduced to medians of its parts, which keep the slope", () => {
  const points = onLine(1_003, 2).map((point, x) => x % 10 === 0 ? { ...point, y: 1e9 } : point);
  const bins = binPoints(points, 100);
  assertEquals([bins.length, bins[0]!.x], [100, 4.5]);
  assertAlmostEquals(slopeUpperBound(bins)!, 2, 0.01);
  assertEquals(binPoints(points, 2_000), points);
});
