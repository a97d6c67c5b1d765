import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createSchedule, type ScheduleOptions } from "../../lib/load/schedule.ts";

const BASE: ScheduleOptions = {
  ratePerSecond: 10,
  arrivals: "constant",
  slots: null,
  durationMs: null,
  seed: 1,
};

function offsetsOf(options: Partial<ScheduleOptions>): number[] {
  const { next } = createSchedule({ ...BASE, ...options });
  const offsets: number[] = [];
  for (let offset = next(); offset !== null; offset = next()) offsets.push(offset);
  return offsets;
}

Deno.test("a constant schedule starts at 0 and has rate x duration slots", () => {
  assertEquals(offsetsOf({ durationMs: 500 }), [0, 1e8, 2e8, 3e8, 4e8]);
  assertEquals(offsetsOf({ durationMs: 501 }).length, 6, "a partial interval has a slot too");
  assertEquals(offsetsOf({ ratePerSecond: 0.1, durationMs: 10_000 }), [0]);
  assertEquals(offsetsOf({ ratePerSecond: 1e6 / 3, durationMs: 3_000 }).length, 1e6);
});

Deno.test("a schedule with both slots and a duration ignores the duration", () => {
  for (const arrivals of ["constant", "poisson"] as const) {
    assertEquals(offsetsOf({ arrivals, slots: 7, durationMs: 10 }).length, 7);
  }
  assertEquals(createSchedule({ ...BASE, slots: 7, durationMs: 10 }).spanNs, 7e8);
  assertEquals(createSchedule({ ...BASE, durationMs: 10 }).spanNs, 1e7);
});

Deno.test("offsets do not accumulate rounding errors", () => {
  const offsets = offsetsOf({ ratePerSecond: 3, durationMs: 3_600_000 });
  assertEquals(offsets.at(-1), (3 * 3600 - 1) * 1e9 / 3);
});

Deno.test("a Poisson schedule of a number of slots has them within its span and its lead-in", () => {
  for (const [slots, leadInSlots] of [[30, 0], [30, 12], [12, 12], [0, 0]] as const) {
    for (let seed = 0; seed < 200; seed++) {
      const offsets = offsetsOf({ arrivals: "poisson", slots, leadInSlots, seed });
      const early = offsets.filter((ns) => ns < leadInSlots * 1e8).length;
      assertEquals([offsets.length, early], [slots, leadInSlots], `seed ${seed}`);
      assert((offsets.at(-1) ?? 0) < slots * 1e8 || slots === 0, `seed ${seed}`);
    }
  }
});

Deno.test("a Poisson schedule depends on the seed", () => {
  const [first, second] = [1, 2].map((seed) => offsetsOf({ arrivals: "poisson", slots: 5, seed }));
  assertNotEquals(first, second);
});
