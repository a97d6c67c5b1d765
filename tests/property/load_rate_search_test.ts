import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { placeOf, rateAt, searchRate } from "../../lib/load/rate_search.ts";

Deno.test("the series is E48, each rate at its own place", () => {
  const decade = Array.from({ length: 48 }, (_, index) => rateAt(96 + index));
  assertEquals(decade.slice(0, 8), [100, 105, 110, 115, 121, 127, 133, 140]);
  assertEquals(decade.at(-1), 953);
  for (let place = 0; place < 300; place++) {
    assertEquals(placeOf(rateAt(place)), place);
    assertEquals(placeOf(rateAt(place) * 1.0001), place);
    assert(rateAt(place + 1) / rateAt(place) < 1.056);
  }
});

const anySearch = fc.record({
  lowest: fc.integer({ min: 0, max: 50 }),
  span: fc.integer({ min: 0, max: 250 }),
  first: fc.integer({ min: -20, max: 320 }),
  capacity: fc.integer({ min: -10, max: 320 }),
  confirmed: fc.integer({ min: 0, max: 20 }),
});

Deno.test("the search finds the highest rate that a server sustains, in few runs", async () => {
  await fc.assert(fc.asyncProperty(anySearch, async ({ lowest, span, first, capacity }) => {
    const highest = lowest + span;
    let runs = 0;
    const isMet = (place: number) => {
      runs++;
      assert(place >= lowest && place <= highest, "within its bounds");
      return Promise.resolve(place <= capacity);
    };
    const found = await searchRate({ first, lowest, highest, isMet, isConfirmed: isMet });
    assertEquals(found, {
      sustained: capacity < lowest ? null : Math.min(capacity, highest),
      missed: capacity < lowest ? lowest : capacity >= highest ? null : capacity + 1,
    });
    assert(runs <= 2 + span / 14 + 4 + 2, `${runs} runs over ${span} places`);
  }));
});

Deno.test("a rate that a longer run misses is not the answer", async () => {
  await fc.assert(
    fc.asyncProperty(anySearch, async ({ lowest, span, first, capacity, confirmed }) => {
      const found = await searchRate({
        first,
        lowest,
        highest: lowest + span,
        isMet: (place) => Promise.resolve(place <= capacity),
        isConfirmed: (place) => Promise.resolve(place <= capacity - confirmed),
      });
      if (found.sustained !== null) {
        assert(found.sustained <= capacity - confirmed);
        assert(Math.min(capacity, lowest + span) - found.sustained <= 2 * confirmed);
      } else assert(capacity - confirmed < lowest);
    }),
  );
});
