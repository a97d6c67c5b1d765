import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ARRIVALS, createSchedule } from "../../lib/load/schedule.ts";
import { owns, partOf, shareOf } from "../../lib/load/share.ts";
import { slotsOf } from "../support/slots_of.ts";

const count = fc.integer({ min: 1, max: 12 });

function placesOf(count: number) {
  return Array.from({ length: count }, (_, index) => ({ index: index + 1, count }));
}

Deno.test("the shares of all shards add up to the whole, without overlap", () => {
  fc.assert(fc.property(fc.nat(500), count, (total, count) => {
    const places = placesOf(count);
    const things = Array.from({ length: total }, (_, nth) => nth);
    for (const nth of things) assertEquals(places.filter((place) => owns(place, nth)).length, 1);
    for (const place of places) {
      assertEquals(shareOf(total, place), things.filter((nth) => owns(place, nth)).length);
    }
    assertEquals(places.reduce((sum, place) => sum + shareOf(total, place), 0), total);
  }));
});

Deno.test("the parts of a share add up to that share, without overlap", () => {
  fc.assert(fc.property(fc.nat(500), count, count, (nth, count, parts) => {
    for (const place of placesOf(count)) {
      const owners = placesOf(parts).filter((part) => owns(partOf(place, part), nth));
      assertEquals(owners.length, owns(place, nth) ? 1 : 0);
    }
  }));
});

Deno.test("any split keeps the schedule: each slot once, at its time, on its connection", () => {
  fc.assert(fc.property(
    fc.record({
      arrivals: fc.constantFrom(...ARRIVALS),
      ratePerSecond: fc.double({ min: 1, max: 20_000, noNaN: true }),
      slots: fc.option(fc.integer({ min: 1, max: 400 }), { nil: null }),
      durationMs: fc.constant(50),
      seed: fc.nat(),
    }),
    count,
    fc.integer({ min: 1, max: 20 }),
    (options, count, connections) => {
      const whole = slotsOf(createSchedule(options))
        .map((atNs, slot) => ({ atNs, connection: slot % connections }));
      const split = placesOf(count).flatMap((place) => {
        const schedule = createSchedule({ ...options, share: { connections, place } });
        assertEquals(schedule.spanNs, createSchedule(options).spanNs);
        const own = Array.from({ length: connections }, (_, nth) => nth)
          .filter((nth) => owns(place, nth));
        // Like the open loop, which deals slots to its connections in turn.
        return slotsOf(schedule).map((atNs, slot) => ({
          atNs,
          connection: own[slot % own.length]!,
        }));
      });
      const ordered = split.toSorted((a, b) => a.atNs - b.atNs);
      assertEquals(ordered, whole);
    },
  ));
});
