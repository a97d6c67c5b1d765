import { assertEquals, assertStringIncludes } from "@std/assert";
import { CLIENT_BOUND_SHARE, ValidityMonitor } from "../../lib/run/validity.ts";
import { createFakeClock } from "../support/fake_clock.ts";

const FLOOR = { connections: 1, throughput: 20_000, latencyP50Ns: 45_000 };

/** What is found of work that takes so many milliseconds, of them so many on the CPU. */
async function afterWork(options: { wallMs: number; cpuMs: number; paced?: boolean }) {
  const clock = createFakeClock();
  let micros = 5_000;
  using monitor = new ValidityMonitor(clock, { cpuMicros: () => micros });
  await monitor.watch(() => {
    clock.advance(options.wallMs);
    micros += options.cpuMs * 1_000;
    return Promise.resolve();
  }, options.paced === undefined ? {} : { paced: options.paced });
  return monitor.validity([]);
}

function againstFloor(throughput: number[], warnings: string[] = []) {
  using monitor = new ValidityMonitor(createFakeClock());
  return monitor.validity(warnings, { floor: FLOOR, throughput });
}

Deno.test("validity: a throughput below the client's floor is the server's", () => {
  const { valid, floor, warnings } = againstFloor([17_000, 10_000, 30_000]);
  assertEquals({ valid, floor, warnings }, {
    valid: true,
    floor: { ...FLOOR, share: 0.85 },
    warnings: [],
  });
});

Deno.test("validity: a throughput at the client's floor is client-bound, and said to be", () => {
  const { valid, floor, warnings } = againstFloor([19_000, 10_000, 30_000], ["earlier"]);
  assertEquals([valid, floor?.share, warnings.length, warnings[0]], [false, 0.95, 2, "earlier"]);
  assertStringIncludes(warnings[1]!, "client-bound: the throughput is 95 % of what this client");
});

Deno.test("validity: the limit itself counts as client-bound; over the floor too", () => {
  assertEquals(againstFloor([20_000 * CLIENT_BOUND_SHARE]).valid, false);
  assertEquals(againstFloor([20_000 * CLIENT_BOUND_SHARE - 1]).valid, true);
  assertEquals(againstFloor([25_000]).valid, false);
});

Deno.test("validity: without a throughput there is a floor but no share", () => {
  const { valid, floor } = againstFloor([]);
  assertEquals({ valid, floor }, { valid: true, floor: { ...FLOOR, share: null } });
});

Deno.test("validity: without a floor there is none in the report", () => {
  using monitor = new ValidityMonitor(createFakeClock());
  const validity = monitor.validity([], { floor: null, throughput: [25_000] });
  assertEquals(validity, { valid: true, clientCpu: null, loopLagP99Ns: null, warnings: [] });
});

Deno.test("validity: a thread that is busy nine tenths of the time is client-bound", async () => {
  const busy = await afterWork({ wallMs: 2_000, cpuMs: 1_800 });
  assertEquals([busy.valid, busy.clientCpu, busy.warnings.length], [false, 0.9, 1]);
  assertStringIncludes(busy.warnings[0]!, "client-bound: the client's thread used 90 % of a core");
  const idle = await afterWork({ wallMs: 2_000, cpuMs: 1_780 });
  assertEquals([idle.valid, idle.clientCpu, idle.warnings], [true, 0.89, []]);
});

Deno.test("validity: CPU time is not told of a short window, nor of paced work", async () => {
  const short = await afterWork({ wallMs: 999, cpuMs: 999 });
  assertEquals([short.valid, short.clientCpu], [true, null]);
  const paced = await afterWork({ wallMs: 2_000, cpuMs: 2_000, paced: true });
  assertEquals([paced.valid, paced.clientCpu], [true, null]);
});

Deno.test("validity: both verdicts stand side by side", async () => {
  const clock = createFakeClock();
  let micros = 0;
  using monitor = new ValidityMonitor(clock, { cpuMicros: () => micros });
  await monitor.watch(() => {
    clock.advance(1_000);
    micros += 970_000;
    return Promise.resolve();
  });
  const { valid, warnings } = monitor.validity([], { floor: FLOOR, throughput: [19_900] });
  assertEquals([valid, warnings.length], [false, 2]);
});
