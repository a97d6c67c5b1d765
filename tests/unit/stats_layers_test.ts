import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { addedPart, sumOfParts } from "../../lib/stats/layers.ts";

/** Layers that each contain the one before. */
function stacked(layers: readonly number[][][]) {
  return layers.map((slices, index) => ({ slices, contains: index === 0 ? [] : [index - 1] }));
}

Deno.test("a layer's share is the mean over the epochs, and its time that of a typical call", () => {
  const part = addedPart([50, 52, 130, 51, 49], [[40, 41, 118, 40, 40]], [80, 80, 200, 100, 80])!;
  // 10/80, 11/80, 12/200, 11/100 and 9/80; the slow epoch counts no more than the others.
  assertAlmostEquals(part.share!, 0.109, 1e-12);
  const typical = (80 * 80 * 200 * 100 * 80) ** (1 / 5);
  assertAlmostEquals(part.value, 0.109 * typical, 1e-9);
  // sd 0.029504, times t(4) = 2.7764, over the root of 5.
  assertAlmostEquals(part.shareCi95![1] - part.share!, 0.036634, 1e-5);
  assertAlmostEquals(part.ci95![1], part.shareCi95![1] * typical, 1e-9);
});

Deno.test("a layer that contains two adds what neither has", () => {
  const part = addedPart([50, 60, 70], [[30, 40, 50], [5, 5, 5]], null)!;
  assertEquals([part.value, part.ci95], [15, null]);
  assertEquals(addedPart([50], [[30], [null]], [50]), null);
});

Deno.test("the lowest layer is its whole time", () => {
  const part = addedPart([3, 1, 2], [], [10, 10, 10])!;
  assertEquals([part.ci95, part.shareCi95], [null, null]);
  assertAlmostEquals(part.value, 2, 1e-12);
  assertAlmostEquals(part.share!, 0.2, 1e-12);
});

Deno.test("a negative part stays negative", () => {
  const part = addedPart([9, 9, 9, 9, 9], [[10, 10, 10, 10, 10]], [9, 9, 9, 9, 9])!;
  assertEquals([part.value, part.ci95, part.share], [-1, [-1, -1], -1 / 9]);
});

Deno.test("a time and its interval have the sign of the share", () => {
  // The part is far below zero in one long epoch, but positive in all others.
  const part = addedPart([14, 14, 14, 14, 950], [[10, 10, 10, 10, 1000]], [20, 20, 20, 20, 2000])!;
  assert(part.value > 0 && part.share! > 0, `${part.value} ns, share ${part.share}`);
  assertEquals(part.shareCi95!.map(Math.sign), part.ci95!.map(Math.sign));
});

Deno.test("an epoch without a median does not count, and without a whole there is no share", () => {
  const part = addedPart([5, null, 7, 9], [[1, 1, null, 2]], [10, 10, 10, 10])!;
  assertEquals(part.value, 5.5);
  assertEquals(addedPart([1], [[]], [1]), null);
  assertEquals(addedPart([], [], []), null);
  for (const whole of [null, [null], [0], []]) {
    assertEquals(addedPart([1], [], whole), {
      value: 1,
      ci95: null,
      share: null,
      shareCi95: null,
    });
  }
});

Deno.test("layers sum to the whole, and their shares to 1", () => {
  const ns = fc.integer({ min: 1, max: 1_000_000 });
  const epochs = fc.integer({ min: 1, max: 9 });
  const cases = epochs.chain((length) =>
    fc.array(fc.array(ns, { minLength: length, maxLength: length }), { minLength: 1, maxLength: 6 })
  );
  fc.assert(fc.property(cases, (levels) => {
    const whole = levels.at(-1)!;
    const parts = levels.map((own, index) =>
      addedPart(own, levels.slice(Math.max(0, index - 1), index), whole)!
    );
    const mean = whole.reduce((sum, value) => sum + Math.log(value), 0) / whole.length;
    const total = parts.reduce((sum, { value }) => sum + value, 0);
    assertAlmostEquals(total / Math.exp(mean), 1, 1e-6);
    assertAlmostEquals(parts.reduce((sum, { share }) => sum + share!, 0), 1, 1e-6);
  }));
});

Deno.test("parts of equal halves sum to the whole", () => {
  const layers = [[[10, 10]], [[30, 30]], [[70, 70]]];
  assertEquals(sumOfParts(stacked(layers)), { value: 1, ci95: null });
  // Epochs may differ from each other.
  const paced = layers.map(([slices]) =>
    [1, 2, 3, 2, 1].map((pace) => slices!.map((ns) => ns * pace))
  );
  assertEquals(sumOfParts(stacked(paced)), { value: 1, ci95: [1, 1] });
});

Deno.test("a half that differs in any layer moves the sum", () => {
  for (const layer of [0, 1, 2, 3]) {
    const layers = [10, 30, 60, 100].map((ns, index) => [[ns, index === layer ? ns + 20 : ns]]);
    const sum = sumOfParts(stacked(layers))!;
    // The whole is the mean of its halves.
    const expected = [1 - 20 / 100, 1 + 20 / 100, 1 - 20 / 100, 120 / 110][layer]!;
    assertAlmostEquals(sum.value, expected, 1e-12);
  }
});

Deno.test("layers that are not stacked sum to the whole as well", () => {
  const layers = [
    { slices: [[4, 4]], contains: [] },
    { slices: [[30, 30]], contains: [] },
    { slices: [[100, 100]], contains: [1, 0] },
  ];
  assertEquals(sumOfParts(layers), { value: 1, ci95: null });
});

Deno.test("halves are every other slice, and an epoch that lacks one does not count", () => {
  assertEquals(sumOfParts(stacked([[[10, 11, 30, 29]], [[100, 90, 100, 110]]]))!.value, 100 / 100);
  assertEquals(sumOfParts(stacked([[[10], [10, 10]], [[20, 20], [20, 20]]])), {
    value: 1,
    ci95: null,
  });
  assertEquals(sumOfParts(stacked([[[10]], [[20, 20]]])), null);
  assertEquals(sumOfParts([]), null);
});
