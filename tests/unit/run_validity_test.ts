import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ValidityMonitor } from "../../lib/run/validity.ts";
import { createFakeClock } from "../support/fake_clock.ts";

/** Watches for so long, with so much CPU time used by the client. */
async function watch(windowMs: number, cpuMs: number, warnings: string[] = []) {
  const clock = createFakeClock();
  let micros = 5_000;
  using monitor = new ValidityMonitor(clock, { cpuMicros: () => micros });
  await monitor.watch(() => {
    clock.advance(windowMs);
    micros += cpuMs * 1e3;
    return Promise.resolve();
  });
  assertEquals(clock.pending, 0, "watching leaves no timer");
  return monitor.validity(warnings);
}

Deno.test("a client that used little of its core bounds nothing", async () => {
  const { valid, clientCpu, warnings } = await watch(2000, 500);
  assertEquals([valid, clientCpu, warnings], [true, 0.25, []]);
});

Deno.test("a client that used nine tenths of its core makes the numbers invalid", async () => {
  const { valid, clientCpu, warnings } = await watch(2000, 1800);
  assertEquals([valid, clientCpu, warnings.length], [false, 0.9, 1]);
  assertStringIncludes(warnings[0]!, "client-bound: the client's thread used 90 % of a core");
  assertEquals((await watch(2000, 1790)).valid, true);
});

Deno.test("a share above one, from coarse ticks, is one", async () => {
  assertEquals((await watch(1000, 1010)).clientCpu, 1);
});

Deno.test("a window under a second says nothing of the CPU", async () => {
  const { valid, clientCpu } = await watch(999, 999);
  assertEquals([valid, clientCpu], [true, null]);
});

Deno.test("windows add up", async () => {
  const clock = createFakeClock();
  let micros = 0;
  using monitor = new ValidityMonitor(clock, { cpuMicros: () => micros });
  for (let window = 0; window < 4; window++) {
    await monitor.watch(() => {
      clock.advance(250);
      micros += 125_000;
      return Promise.resolve();
    });
    clock.advance(10_000); // Not watched.
  }
  assertEquals(monitor.validity([]).clientCpu, 0.5);
});

Deno.test("a warning of others makes the numbers invalid, and comes first", async () => {
  const { valid, warnings } = await watch(2000, 1900, ["cached: all of it"]);
  assertEquals([valid, warnings.length, warnings[0]], [false, 2, "cached: all of it"]);
});

Deno.test("the lag of the event loop is how late its timers were", async () => {
  const clock = createFakeClock();
  let lateMs = 0;
  using monitor = new ValidityMonitor({
    ...clock,
    after: (ms, callback) => clock.after(ms + lateMs, callback),
  }, { cpuMicros: () => 0 });
  assertEquals(monitor.validity([]).loopLagP99Ns, null);
  await monitor.watch(() => {
    clock.advance(4900); // 980 samples are too few for a P99.
    return Promise.resolve();
  });
  assertEquals(monitor.validity([]).loopLagP99Ns, null);
  await monitor.watch(() => {
    clock.advance(1000);
    lateMs = 30;
    clock.advance(1000);
    return Promise.resolve();
  });
  const { loopLagP99Ns } = monitor.validity([]);
  assertEquals(Math.round(loopLagP99Ns! / 1e6), 30);
});

Deno.test("work that fails fails the watch, which ends all the same", async () => {
  const clock = createFakeClock();
  using monitor = new ValidityMonitor(clock, { cpuMicros: () => 0 });
  await assertRejects(
    () => monitor.watch(() => Promise.reject(new Error("broken"))),
    Error,
    "broken",
  );
  assertEquals(clock.pending, 0);
});
