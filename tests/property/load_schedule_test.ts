import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ARRIVALS, createSchedule, type ScheduleOptions } from "../../lib/load/schedule.ts";
import { slotsOf } from "../support/slots_of.ts";

function offsetsOf(options: ScheduleOptions): number[] {
  return slotsOf(createSchedule(options));
}

const anyOptions = fc.record({
  ratePerSecond: fc.double({ min: 0.5, max: 50_000, noNaN: true }),
  arrivals: fc.constantFrom(...ARRIVALS),
  slots: fc.option(fc.integer({ min: 0, max: 2_000 })),
  durationMs: fc.integer({ min: 0, max: 40 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

Deno.test("a schedule ascends, keeps its bounds, and is the same for the same seed", () => {
  fc.assert(fc.property(anyOptions, (options) => {
    const offsets = offsetsOf(options);
    offsets.forEach((offset, slot) => assert(offset >= (offsets[slot - 1] ?? 0)));
    if (options.slots !== null) assertEquals(offsets.length, options.slots);
    else assert((offsets.at(-1) ?? -1) < options.durationMs * 1e6);
    assertEquals(offsetsOf(options), offsets);
  }));
});

Deno.test("a constant schedule has exactly rate x duration slots if that is a whole number", () => {
  const whole = fc.record({
    slots: fc.integer({ min: 1, max: 5_000 }),
    durationMs: fc.integer({ min: 1, max: 1e6 }),
  });
  fc.assert(fc.property(whole, ({ slots, durationMs }) => {
    const ratePerSecond = slots / (durationMs / 1000);
    const options = { ratePerSecond, arrivals: "constant", durationMs, seed: 1 } as const;
    const offsets = offsetsOf({ ...options, slots: null });
    assertEquals(offsets.length, slots);
    offsets.forEach((offset, slot) => {
      assert(Math.abs(offset - slot * 1e9 / ratePerSecond) <= 1e-6 * durationMs);
    });
  }));
});

/**
 * For n exponential intervals with mean m, the standard error of the mean is m / sqrt(n), that of
 * the variance m^2 sqrt(8 / n), and the number of arrivals in a span of k m has standard deviation
 * sqrt(k). The limits are five of each, which one seed in two million exceeds; the seeds are fixed.
 */
Deno.test("Poisson intervals have the mean, variance and counts of their rate", () => {
  const n = 20_000;
  for (let seed = 0; seed < 20; seed++) {
    const meanNs = 1e9 / 250;
    const common = { ratePerSecond: 250, arrivals: "poisson", seed } as const;
    const offsets = offsetsOf({ ...common, slots: n, durationMs: null });
    const intervals = offsets.map((offset, slot) => offset - (offsets[slot - 1] ?? 0));
    const mean = offsets.at(-1)! / n;
    const variance = intervals.reduce((sum, ns) => sum + (ns - mean) ** 2, 0) / (n - 1);
    assert(Math.abs(mean / meanNs - 1) < 5 / Math.sqrt(n), `mean ${mean}, seed ${seed}`);
    assert(Math.abs(variance / meanNs ** 2 - 1) < 5 * Math.sqrt(8 / n), `variance, seed ${seed}`);
    const within = offsetsOf({ ...common, slots: null, durationMs: 20_000 }).length;
    assert(Math.abs(within - 5_000) < 5 * Math.sqrt(5_000), `${within} arrivals, seed ${seed}`);
    const short = intervals.filter((ns) => ns < meanNs * Math.LN2).length;
    assert(Math.abs(short - n / 2) < 5 * Math.sqrt(n / 4), `median interval, seed ${seed}`);
  }
});
