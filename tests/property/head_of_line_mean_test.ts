import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { lowerMean } from "../../scenarios/head_of_line.ts";

const VALUES = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 80 });

Deno.test("lowerMean is the mean of what is left when the largest tenth has been taken out one by one", () => {
  fc.assert(fc.property(VALUES, (values) => {
    const left = [...values];
    for (let taken = 0; taken < Math.floor(values.length / 10); taken++) {
      left.splice(left.indexOf(Math.max(...left)), 1);
    }
    const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
    assertAlmostEquals(lowerMean(values), mean, 1e-6 * Math.max(1, mean));
  }));
});

Deno.test("lowerMean: one hiccup in ten does not move it, two do; of nothing there is none", () => {
  assertEquals(lowerMean([1, 1, 1, 1, 1, 1, 1, 1, 1, 1000]), 1);
  assertEquals(lowerMean([1, 1, 1, 1, 1, 1, 1, 1, 1000, 1000]), 112);
  assertThrows(() => lowerMean([]), RangeError);
});
