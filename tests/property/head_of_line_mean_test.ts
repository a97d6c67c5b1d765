import { assertAlmostEquals, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { lowerMean } from "../../scenarios/head_of_line.ts";

const VALUES = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 80 });

Deno.test("lowerMean is the mean without the largest tenth of the values", () => {
  fc.assert(fc.property(VALUES, (values) => {
    const left = [...values];
    for (let taken = 0; taken < Math.floor(values.length / 10); taken++) {
      left.splice(left.indexOf(Math.max(...left)), 1);
    }
    const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
    assertAlmostEquals(lowerMean(values), mean, 1e-6 * Math.max(1, mean));
  }));
});

Deno.test("lowerMean ignores one outlier in ten, but not two", () => {
  assertEquals(lowerMean([1, 1, 1, 1, 1, 1, 1, 1, 1, 1000]), 1);
  assertEquals(lowerMean([1, 1, 1, 1, 1, 1, 1, 1, 1000, 1000]), 112);
});
