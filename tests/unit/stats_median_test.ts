import { assertEquals } from "@std/assert";
import { madOutliers, median } from "../../lib/stats/median.ts";

Deno.test("median is the middle value, or the mean of the two middle ones", () => {
  assertEquals(median([10, 9, 100]), 10);
  assertEquals(median([4, 1, 3, 2]), 2.5);
});

Deno.test("median does not reorder its argument", () => {
  const values = [3, 1, 2];
  median(values);
  assertEquals(values, [3, 1, 2]);
});

Deno.test("madOutliers gives the indices of outliers on either side", () => {
  assertEquals(madOutliers([100, 101, 99, 200, 100, 102, 98, 20]), [3, 7]);
  assertEquals(madOutliers([100, 101, 99, 103, 100, 102, 98, 97]), []);
});

Deno.test("madOutliers works if most or all epochs are equal", () => {
  assertEquals(madOutliers([1, 1, 1, 1, 1, 100]), [5]);
  assertEquals(madOutliers([1, 1, 1, 2, 3]), []);
  assertEquals(madOutliers([1, 1, 1, 1, 1, 1]), []);
});

Deno.test("madOutliers finds none in fewer than five epochs", () => {
  assertEquals(madOutliers([1, 1, 1, 1000]), []);
});
