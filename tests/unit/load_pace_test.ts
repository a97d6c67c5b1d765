import { assert, assertEquals } from "@std/assert";
import { createPace, slotAfter, wait } from "../../lib/load/pace.ts";
import { createFakeClock } from "../support/fake_clock.ts";

Deno.test("a wait ends when its time has passed, and leaves no timer", async () => {
  const clock = createFakeClock();
  const waiting = wait(10, { clock, signal: new AbortController().signal });
  clock.advance(10);
  await waiting;
  assertEquals(clock.pending, 0);
});

Deno.test("a wait ends at an abort, even an earlier one, and leaves no timer", async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const waiting = wait(10, { clock, signal: controller.signal });
  controller.abort();
  await waiting;
  await wait(10, { clock, signal: controller.signal });
  assertEquals([clock.pending, clock.nowNs()], [0, 0]);
});

Deno.test("without a rate the pace never waits", async () => {
  const clock = createFakeClock();
  const pace = createPace({ maxRatePerSecond: null, clock, signal: new AbortController().signal });
  for (let call = 0; call < 5; call++) await pace();
  assertEquals(clock.pending, 0);
});

Deno.test("a pace faster than the timer resolution is kept on average", () => {
  let dueNs = 0;
  let nowNs = 0;
  // 2,000 a second, with timers of 1 ms.
  const intervalNs = 5e5;
  let slots = 0;
  let wokenNs = -Infinity;
  for (; nowNs < 1e9; slots++) {
    if (dueNs > nowNs) wokenNs = nowNs += 1e6;
    dueNs = slotAfter(dueNs, { nowNs, intervalNs, wokenNs });
  }
  assert(Math.abs(slots - 2000) <= 2, `${slots} slots`);
});

Deno.test("the pace spaces calls by their rate and does not make up for lost time", async () => {
  const clock = createFakeClock();
  const signal = new AbortController().signal;
  const pace = createPace({ maxRatePerSecond: 100, clock, signal });
  const sentAtMs: number[] = [];
  const paced = async () => {
    const waiting = pace();
    if (clock.pending > 0) clock.advance(10);
    await waiting;
    sentAtMs.push(clock.nowNs() / 1e6);
  };
  await paced();
  await paced();
  clock.advance(95); // A slow call.
  for (let call = 0; call < 3; call++) await paced();
  assertEquals(sentAtMs, [0, 10, 105, 115, 125]);
});
