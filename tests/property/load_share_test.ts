import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Arrivals, createSchedule, type Schedule } from "../../lib/load/schedule.ts";
import { owns, partOf, shareOf } from "../../lib/load/share.ts";

const count = fc.integer({ min: 1, max: 12 });

function placesOf(count: number) {
  return Array.from({ length: count }, (_, index) => ({ index: index + 1, count }));
}

function slotsOf(schedule: Schedule): number[] {
  const slots: number[] = [];
  for (let slot = schedule.next(); slot !== null; slot = schedule.next()) slots.push(slot);
  return slots;
}

Deno.test("the shares of all shards are the whole, each thing once", () => {
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

Deno.test("the parts of a share are that share", () => {
  fc.assert(fc.property(fc.nat(500), count, count, (nth, count, parts) => {
    for (const place of placesOf(count)) {
      const owners = placesOf(parts).filter((part) => owns(partOf(place, part), nth));
      assertEquals(owners.length, owns(place, nth) ? 1 : 0);
    }
  }));
});

Deno.test("any split gives the same schedule: every slot at its time, on its connection, once", () => {
  fc.assert(fc.property(
    fc.record({
      arrivals: fc.constantFrom<Arrivals>("constant", "poisson"),
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
        // As the open loop deals the slots out: one after the other over the connections it has.
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
