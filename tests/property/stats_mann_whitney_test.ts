import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { estimateRatio } from "../../lib/stats/hodges_lehmann.ts";
import { holmAdjust } from "../../lib/stats/holm.ts";
import { mannWhitney } from "../../lib/stats/mann_whitney.ts";

/** From few values, so that ties are common. */
const tied = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 });

/** U of the second sample, from its definition. */
function countPairs(first: readonly number[], second: readonly number[]): number {
  let u = 0;
  for (const a of first) {
    for (const b of second) u += b > a ? 1 : b === a ? 0.5 : 0;
  }
  return u;
}

/** Every way to split the values into samples of the given sizes. */
function* splits(values: readonly number[], secondSize: number): Generator<[number[], number[]]> {
  for (let mask = 0; mask < 2 ** values.length; mask++) {
    const second = values.filter((_, index) => (mask >> index) % 2 === 1);
    if (second.length !== secondSize) continue;
    yield [values.filter((_, index) => (mask >> index) % 2 === 0), second];
  }
}

Deno.test("mannWhitney is the share of all permutations, ties or not", () => {
  fc.assert(
    fc.property(tied, tied, (first, second) => {
      const mean = first.length * second.length / 2;
      const observed = countPairs(first, second);
      let all = 0;
      let extreme = 0;
      for (const [one, other] of splits([...first, ...second], second.length)) {
        all++;
        if (Math.abs(countPairs(one, other) - mean) >= Math.abs(observed - mean)) extreme++;
      }
      const { u, p } = mannWhitney(first, second);
      assertEquals(u, observed);
      assertAlmostEquals(p, extreme / all, 1e-12);
    }),
    { numRuns: 60 },
  );
});

const distinct = fc.uniqueArray(fc.integer({ min: 100, max: 5_000 }), {
  minLength: 8,
  maxLength: 24,
});

Deno.test("the interval of a ratio is those ratios that the test does not reject", () => {
  fc.assert(fc.property(distinct, (values) => {
    const middle = values.length >> 1;
    const [first, second] = [values.slice(0, middle), values.slice(middle)];
    const interval = estimateRatio(first, second).ci95;
    assert(interval !== null);
    const pOf = (ratio: number) => mannWhitney(first.map((value) => value * ratio), second).p;
    const [low, high] = interval;
    const nudge = 1 + 1e-9;
    assert(pOf(low * nudge) > 0.05 && pOf(high / nudge) > 0.05, "rejected inside");
    assert(pOf(low / nudge) <= 0.05 && pOf(high * nudge) <= 0.05, "not rejected outside");
  }));
});

Deno.test("the ratio of two samples is the inverse of that of their exchange", () => {
  fc.assert(fc.property(tied, tied, (first, second) => {
    const there = estimateRatio(first, second);
    const back = estimateRatio(second, first);
    assertAlmostEquals(there.ratio * back.ratio, 1, 1e-9);
    assertAlmostEquals(mannWhitney(first, second).p, mannWhitney(second, first).p, 1e-12);
  }));
});

Deno.test("holmAdjust keeps the order of the ps, between each p and p times their number", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
    const adjusted = holmAdjust(ps);
    ps.forEach((p, index) => {
      assert(adjusted[index] >= p && adjusted[index] <= Math.min(1, ps.length * p));
      ps.forEach((other, otherIndex) => {
        if (p <= other) assert(adjusted[index] <= adjusted[otherIndex]);
      });
    });
  }));
});
