import { assertEquals } from "@std/assert";
import { Watchdog } from "../../lib/run/layers/watchdog.ts";
import { createFakeClock } from "../support/fake_clock.ts";

function watch(signal = new AbortController().signal) {
  const clock = createFakeClock();
  let bites = 0;
  const watchdog = new Watchdog({ clock, timeoutMs: 100, signal, giveUp: () => bites++ });
  return { clock, watchdog, bites: () => bites };
}

Deno.test("a question is given up when it has waited for the timeout, and not before", () => {
  const { clock, watchdog, bites } = watch();
  clock.advance(250);
  watchdog.begin(clock.nowNs());
  clock.advance(99);
  assertEquals(bites(), 0);
  clock.advance(1);
  assertEquals([bites(), clock.pending], [1, 0]);
});

Deno.test("questions that are answered are not given up, however many there are", () => {
  const { clock, watchdog, bites } = watch();
  for (let question = 0; question < 50; question++) {
    watchdog.begin(clock.nowNs());
    clock.advance(60);
    watchdog.end();
    clock.advance(question);
  }
  assertEquals([bites(), clock.pending], [0, 1]);
  watchdog[Symbol.dispose]();
  assertEquals(clock.pending, 0);
});

Deno.test("an interrupt gives up, once, also where it came first", () => {
  const controller = new AbortController();
  const { clock, watchdog, bites } = watch(controller.signal);
  watchdog.begin(clock.nowNs());
  controller.abort();
  clock.advance(1000);
  assertEquals([bites(), clock.pending], [1, 0]);
  assertEquals(watch(controller.signal).bites(), 1);
});

Deno.test("a watchdog that was dismissed gives nothing up", () => {
  const controller = new AbortController();
  const { clock, watchdog, bites } = watch(controller.signal);
  watchdog.begin(clock.nowNs());
  watchdog[Symbol.dispose]();
  clock.advance(1000);
  controller.abort();
  assertEquals(bites(), 0);
});
