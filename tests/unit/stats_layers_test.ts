import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { RoundSummary } from "../../lib/schema.ts";
import { addedPart } from "../../lib/stats/layers.ts";

const OPTIONS = { seed: 1, name: "layer.tcp" };

/** Rounds of these medians. */
function rounds(...medians: (number | null)[]): RoundSummary[] {
  return medians.map((p50) => ({ count: 1, mean: p50, p50, p95: null, p99: null, max: p50 }));
}

/** The middle of an odd number of values, by sorting. */
function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

Deno.test("a layer is the median of the rounds' differences, and its share that over the whole", () => {
  const part = addedPart({
    own: rounds(50, 52, 130, 51, 49),
    below: rounds(40, 41, 118, 40, 40),
    whole: rounds(80, 80, 200, 100, 80),
  }, OPTIONS)!;
  // 10, 11, 12, 11, 9: the slow round is slow in both, and tells the same.
  assertEquals([part.call, part.value, part.share], [51, 11, 11 / 80]);
  assert(part.ci95![0] >= 9 && part.ci95![0] <= 11 && part.ci95![1] >= 11 && part.ci95![1] <= 12);
  const [low, high] = part.shareCi95!;
  assert(low > 0 && low <= part.share! && part.share! <= high);
});

Deno.test("the lowest layer is all of its own time", () => {
  const own = rounds(3, 1, 2);
  const part = addedPart({ own, below: null, whole: rounds(10, 10, 10) }, OPTIONS)!;
  assertEquals([part.value, part.share, part.ci95, part.shareCi95], [2, 0.2, null, null]);
});

Deno.test("noise that makes a layer negative is told as it is", () => {
  const own = rounds(9, 9, 9, 9, 9);
  const part = addedPart({ own, below: rounds(10, 11, 10, 12, 10), whole: own }, OPTIONS)!;
  assertEquals([part.value, part.ci95![1]], [-1, -1]);
  assertEquals(part.share, -1 / 9);
});

Deno.test("a round that lacks a median tells nothing", () => {
  const part = addedPart({
    own: rounds(5, null, 7, 9),
    below: rounds(1, 1, null, 2),
    whole: rounds(10, 10, 10, 10),
  }, OPTIONS)!;
  assertEquals([part.call, part.value], [7, 5.5]);
  assertEquals(addedPart({ own: rounds(1), below: rounds(), whole: rounds(1) }, OPTIONS), null);
  assertEquals(addedPart({ own: rounds(1), below: null, whole: rounds(null) }, OPTIONS), null);
  assertEquals(addedPart({ own: rounds(), below: null, whole: rounds() }, OPTIONS), null);
});

Deno.test("a whole of no time has no shares", () => {
  const zero = rounds(0, 0, 0, 0, 0);
  const part = addedPart({ own: zero, below: null, whole: zero }, OPTIONS)!;
  assertEquals([part.value, part.share, part.shareCi95], [0, null, null]);
});

Deno.test("layers of which each adds the same in every round sum to the whole", () => {
  const ns = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(fc.property(
    fc.array(ns, { minLength: 1, maxLength: 6 }),
    fc.array(ns, { minLength: 1, maxLength: 9 }),
    (adds, paces) => {
      // What a round is slower by, all of its layers are: it is in the lowest.
      const levels = adds.map((_, index) =>
        rounds(...paces.map((pace) => pace + adds.slice(0, index + 1).reduce((a, b) => a + b)))
      );
      const whole = levels.at(-1)!;
      const parts = levels.map((own, index) =>
        addedPart({ own, below: levels[index - 1] ?? null, whole }, OPTIONS)!
      );
      assertEquals(parts.slice(1).map(({ value }) => value), adds.slice(1));
      const sum = parts.reduce((total, { value }) => total + value, 0);
      assertAlmostEquals(sum, parts.at(-1)!.call, 1e-6);
      assertAlmostEquals(parts.reduce((total, { share }) => total + share!, 0), 1, 1e-9);
    },
  ));
});

Deno.test("a layer is between the least and the most that any round says", () => {
  const sample = fc.record({ own: fc.nat(), below: fc.nat(), whole: fc.integer({ min: 1 }) });
  const odd = fc.integer({ min: 0, max: 5 }).chain((n) =>
    fc.array(sample, { minLength: 2 * n + 1, maxLength: 2 * n + 1 })
  );
  fc.assert(fc.property(odd, (samples) => {
    const part = addedPart({
      own: rounds(...samples.map(({ own }) => own)),
      below: rounds(...samples.map(({ below }) => below)),
      whole: rounds(...samples.map(({ whole }) => whole)),
    }, OPTIONS)!;
    const differences = samples.map(({ own, below }) => own - below);
    assertEquals(part.value, middle(differences));
    assertEquals(part.share, middle(differences) / middle(samples.map(({ whole }) => whole)));
    for (const bound of part.ci95 ?? []) {
      assert(bound >= Math.min(...differences) && bound <= Math.max(...differences));
    }
  }));
});
