import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { sampleSlice, sliceOf } from "../../lib/run/layers/slice.ts";
import { createFakeClock } from "../support/fake_clock.ts";

const signal = new AbortController().signal;

/** Asks whose answers are these, in order; each takes a millisecond. */
function asker(answers: number[]) {
  const clock = createFakeClock();
  const measured: boolean[] = [];
  const ask = (isMeasured: boolean) => {
    clock.advance(1);
    measured.push(isMeasured);
    return Promise.resolve(answers.shift() ?? 7);
  };
  return { clock, ask, measured };
}

Deno.test("the first of a slice is not measured, what does not count is left out", async () => {
  const { clock, ask, measured } = asker([100, 1, -1, 2]);
  const times = await sampleSlice(ask, { messages: 4, durationMs: null, clock, signal });
  assertEquals(times, [1, 2, 7]);
  assertEquals(measured, [false, true, true, true, true]);
});

Deno.test("a slice ends after its time, counted from the first that is measured", async () => {
  const { clock, ask, measured } = asker([]);
  await sampleSlice(ask, { messages: null, durationMs: 5, clock, signal });
  assertEquals(measured.length, 6);
});

Deno.test("a slice ends where it is told to, and asks nothing when interrupted", async () => {
  for (const [answers, asked] of [[[Infinity], 1], [[1, 1, Infinity], 3]] as const) {
    const { clock, ask, measured } = asker([...answers]);
    await sampleSlice(ask, { messages: 9, durationMs: null, clock, signal });
    assertEquals(measured.length, asked);
  }
  const { clock, ask, measured } = asker([]);
  const aborted = AbortSignal.abort();
  await sampleSlice(ask, { messages: 9, durationMs: null, clock, signal: aborted });
  await sampleSlice(ask, { messages: 0, durationMs: null, clock, signal });
  assertEquals(measured, []);
});

Deno.test("slices share the messages of a round as equally as can be, and lose none", () => {
  const slices = fc.integer({ min: 1, max: 20 });
  fc.assert(fc.property(fc.nat({ max: 1000 }), slices, (messages, slices) => {
    const shares = Array.from(
      { length: slices },
      (_, index) => sliceOf({ messages, durationMs: null }, { index, slices }).messages!,
    );
    assertEquals(shares.reduce((a, b) => a + b), messages);
    assertEquals(Math.max(...shares) - Math.min(...shares) <= 1, true);
  }));
  const half = sliceOf({ messages: null, durationMs: 30 }, { index: 1, slices: 2 });
  assertEquals(half, { messages: null, durationMs: 15 });
});
