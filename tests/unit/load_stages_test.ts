import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { createSchedule, type ScheduleOptions } from "../../lib/load/schedule.ts";
import { levelAt, parseStages, peakOf, spanOf } from "../../lib/load/stages.ts";

const STAGES = parseStages("2s:100,3s:100,1000ms:0, 0s:50 ,0.5m:50");

function slotsOf(options: Partial<ScheduleOptions>): number[] {
  const { next } = createSchedule({
    ...{ ratePerSecond: 1, arrivals: "constant", slots: null, durationMs: null, seed: 1 },
    stages: STAGES,
    ...options,
  });
  const slots: number[] = [];
  for (let slot = next(); slot !== null; slot = next()) slots.push(slot);
  return slots;
}

/** Slots due in the first `seconds`: the area under the levels. */
function areaUntil(seconds: number): number {
  let area = 0;
  for (let ms = 0.5; ms < seconds * 1e3; ms++) area += levelAt(STAGES, ms) / 1e3;
  return area;
}

Deno.test("stages have units, and the span is the sum of their durations", () => {
  assertEquals(STAGES.map(({ durationMs, level }) => [durationMs, level]), [
    ...[[2_000, 100], [3_000, 100], [1_000, 0], [0, 50], [30_000, 50]],
  ]);
  assertEquals([spanOf(STAGES), peakOf(STAGES)], [36_000, 100]);
  const wrong = ["", "10s", "10:", "5s:-1", "x:5", "0s:10", "10s:0", "25h:5", "1s:1e7", "1s:5,"];
  for (const text of wrong) {
    assertThrows(() => parseStages(text), RangeError, "Cannot", text);
  }
});

Deno.test("levels are interpolated linearly, and jump where a stage has no duration", () => {
  const seen = [0, 1_000, 2_000, 4_000, 5_500, 5_999.999, 6_000, 36_000].map((ms) =>
    Math.round(levelAt(STAGES, ms))
  );
  assertEquals(seen, [0, 50, 100, 100, 50, 0, 50, 50]);
});

Deno.test("at any time, the number of slots is the area under the levels", () => {
  const slots = slotsOf({});
  assertEquals(slots.length, 100 + 300 + 50 + 1_500);
  slots.forEach((ns, nth) => assert(ns >= (slots[nth - 1] ?? 0)));
  for (const seconds of [0.5, 1, 2.7, 5.5, 6, 20]) {
    const due = slots.filter((ns) => ns < seconds * 1e9).length;
    assertAlmostEquals(due, areaUntil(seconds), 1.5, `${seconds} s`);
  }
  const poisson = slotsOf({ arrivals: "poisson" });
  // Five standard deviations of a Poisson count.
  assert(Math.abs(poisson.length - 1_950) < 5 * Math.sqrt(1_950), `${poisson.length}`);
  const early = poisson.filter((ns) => ns < 1e9).length;
  assert(Math.abs(early - 25) < 25, `${early} of 25 in the first second`);
  assert(poisson.at(-1)! < 36e9);
});

Deno.test("the shares of two shards together are the whole schedule", () => {
  for (const arrivals of ["constant", "poisson"] as const) {
    const parts = [1, 2].map((index) =>
      slotsOf({ arrivals, share: { connections: 5, place: { index, count: 2 } } })
    );
    assertEquals(parts.flat().sort((a, b) => a - b), slotsOf({ arrivals }));
  }
});
