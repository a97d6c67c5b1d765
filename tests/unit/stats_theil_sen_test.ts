import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { binPoints, theilSenTrend } from "../../lib/stats/theil_sen.ts";

const onLine = (count: number, slope: number) =>
  Array.from({ length: count }, (_, x) => ({ x, y: slope * x + 5 }));

Deno.test("a straight line has exactly its slope", () => {
  assertEquals(theilSenTrend(onLine(20, 3)), { slope: 3, ci95: [3, 3], upper95: 3 });
  assertEquals(theilSenTrend(onLine(20, 0))?.slope, 0);
});

Deno.test("outliers in a quarter of the points do not turn the line", () => {
  const points = onLine(40, -2).map((point, index) =>
    index % 4 === 3 ? { ...point, y: 1e6 } : point
  );
  assertAlmostEquals(theilSenTrend(points)!.slope, -2, 1e-9);
});

/**
 * 45 slopes; without ties Var(S) = 10 x 9 x 25 / 18 = 125, so the half width is 1.96 x 11.18 = 21.9
 * and the rank (45 - 21.9) / 2 = 11.5: the 11th from either end.
 */
Deno.test("the interval of ten points runs from the 11th slope to the 35th", () => {
  const y = [3, 1, 4, 15, 9, 2, 6, 5, 35, 8];
  const slopes = y.flatMap((first, i) =>
    y.slice(i + 1).map((second, j) => (second - first) / (j + 1))
  )
    .sort((a, b) => a - b);
  const trend = theilSenTrend(y.map((value, x) => ({ x, y: value })))!;
  assertEquals(trend.slope, slopes[22]);
  assertEquals(trend.ci95, [slopes[10]!, slopes[34]!]);
  // One-sided: (45 - 1.645 x 11.18) / 2 = 13.3.
  assertEquals(trend.upper95, slopes[32]!);
});

/**
 * Var(S) = 12 x 11 x 29 / 18 = 212.67, less 1 for each of the six pairs of x, 3.67 for the three 0,
 * 1 for the two 1 and 16.67 for the five 3, is 185.33. Without pairs of the same x there are 60
 * slopes. The interval begins at (60 - 1.96 x 13.61) / 2 = 16.7, the 16th slope, which is -1/2;
 * uncorrected it would be the 15th, -3/4.
 */
Deno.test("ties narrow the interval, and pairs with the same x have no slope", () => {
  const y = [1, 4, 0, 2, 0, 3, 3, 3, 3, 1, 0, 3];
  const trend = theilSenTrend(y.map((value, index) => ({ x: index >> 1, y: value })))!;
  assertEquals(trend.ci95, [-0.5, 0.5]);
});

Deno.test("fewer than two distinct x give no trend, fewer than ten points no interval", () => {
  assertEquals(theilSenTrend([]), null);
  assertEquals(theilSenTrend([{ x: 1, y: 1 }, { x: 1, y: 2 }]), null);
  assertEquals(theilSenTrend(onLine(9, 1)), { slope: 1, ci95: null, upper95: null });
});

Deno.test("the interval covers the true slope in about 95 % of series", () => {
  const random = randomStream(7, "trend");
  const runs = 400;
  let [covered, below] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const points = onLine(30, 0.5).map(({ x, y }) => ({ x, y: y + drawNormal(random) ** 3 }));
    const { ci95, upper95 } = theilSenTrend(points)!;
    if (ci95![0] <= 0.5 && 0.5 <= ci95![1]) covered++;
    if (0.5 <= upper95!) below++;
  }
  assert(covered / runs > 0.92 && covered / runs < 0.985, `${covered} of ${runs}`);
  assert(below / runs > 0.92 && below / runs < 0.985, `${below} of ${runs} below the upper bound`);
});

Deno.test("a long series is reduced to medians of its parts, which keep the slope", () => {
  const points = onLine(1_003, 2).map((point, x) => x % 10 === 0 ? { ...point, y: 1e9 } : point);
  const bins = binPoints(points, 100);
  assertEquals([bins.length, bins[0]!.x], [100, 4.5]);
  assertAlmostEquals(theilSenTrend(bins)!.slope, 2, 0.01);
  assertEquals(binPoints(points, 2_000), points);
});
