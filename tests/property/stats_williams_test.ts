import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { randomStream, shuffle } from "../../lib/stats/random.ts";
import { williamsOrder } from "../../lib/stats/williams.ts";

Deno.test("over all rows each case follows each other, and takes each place, equally often", () => {
  for (let cases = 1; cases <= 25; cases++) {
    const times = cases % 2 === 0 ? 1 : 2;
    const rows = Array.from({ length: times * cases }, (_, row) => williamsOrder(cases, row));
    const follows = new Map<string, number>();
    const places = new Map<string, number>();
    const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
    for (const row of rows) {
      assertEquals(row.toSorted((a, b) => a - b), Array.from({ length: cases }, (_, i) => i));
      row.forEach((one, place) => {
        count(places, `${one} at ${place}`);
        if (place > 0) count(follows, `${row[place - 1]} then ${one}`);
      });
    }
    assertEquals([follows.size, places.size], [cases * (cases - 1), cases * cases]);
    assertEquals(new Set([...follows.values(), ...places.values()]), new Set([times]));
    assertEquals(williamsOrder(cases, rows.length), rows[0], "the rows repeat");
  }
});

Deno.test("a shuffle keeps all items, depends on its stream only, and is uniform", () => {
  fc.assert(fc.property(fc.array(fc.nat()), fc.integer(), (items, seed) => {
    const given = items.slice();
    const [one, other] = [1, 2].map(() => shuffle(items, randomStream(seed, "order")));
    assertEquals(one, other);
    assertEquals(items, given);
    assertEquals(one!.toSorted((a, b) => a - b), given.toSorted((a, b) => a - b));
  }));
  const random = randomStream(1, "orders");
  const counts = new Map<string, number>();
  for (let run = 0; run < 6_000; run++) {
    const key = shuffle("abc".split(""), random).join("");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  // The standard deviation is 29.
  for (const [order, count] of counts) assertEquals(Math.abs(count - 1_000) < 130, true, order);
});

Deno.test("streams differ by seed and label, and are uniform", () => {
  const draw = (seed: number, label: string) => {
    const random = randomStream(seed, label);
    return Array.from({ length: 1_000 }, random);
  };
  assertEquals(draw(1, "a"), draw(1, "a"));
  const streams = [draw(1, "a"), draw(2, "a"), draw(1, "b"), draw(-1, "a")];
  assertEquals(new Set(streams.map(([first]) => first)).size, 4);
  // The first numbers of many streams are as uniform as the numbers of one.
  const starts = Array.from({ length: 1_000 }, (_, seed) => randomStream(seed, "a")());
  for (const values of [draw(1, "a"), starts]) {
    assertEquals(values.every((value) => value >= 0 && value < 1), true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    assertEquals(Math.abs(mean - 0.5) < 0.04, true, `${mean}`);
    const low = values.filter((value) => value < 0.1).length;
    assertEquals(Math.abs(low - 100) < 40, true, `${low}`);
  }
});
