// Runs alone: reads the CPU time of the process.

import { assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { boundBy, ClientMonitor, floorShare, validityOf } from "../../lib/run/validity.ts";
import type { CaseResult } from "../../lib/run/scenario.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { ledgerWith } from "../support/targets.ts";

/** A monitor on a fake clock, and a maker of work that takes time and CPU time. */
function createMonitor() {
  const clock = createFakeClock();
  let usedNs = 5_000;
  const monitor = new ClientMonitor(clock, { cpuNs: () => usedNs });
  const work = (windowMs: number, cpuMs: number) => () => {
    clock.advance(windowMs);
    usedNs += cpuMs * 1e6;
    return Promise.resolve();
  };
  return { clock, monitor, work, [Symbol.dispose]: () => monitor[Symbol.dispose]() };
}

Deno.test("the client's share of a core is known after a second or more", async () => {
  const shareAfter = async (windowMs: number, cpuMs: number) => {
    using made = createMonitor();
    await made.monitor.watch(made.work(windowMs, cpuMs));
    assertEquals(made.clock.pending, 0, "watching leaves no timer");
    return made.monitor.clientCpu;
  };
  assertEquals(await shareAfter(2000, 500), 0.25);
  assertEquals(await shareAfter(1000, 1010), 1, "from coarse ticks");
  assertEquals(await shareAfter(999, 999), null);
});

Deno.test("watched windows add up, the time between them does not count", async () => {
  using made = createMonitor();
  for (let window = 0; window < 4; window++) {
    await made.monitor.watch(made.work(250, 125));
    made.clock.advance(10_000); // Not watched.
  }
  assertEquals(made.monitor.clientCpu, 0.5);
});

Deno.test("paced work gives no share of a core, because its thread has a schedule to keep", async () => {
  using made = createMonitor();
  await made.monitor.watch(made.work(5_000, 5_000), { paced: true });
  assertEquals(made.monitor.clientCpu, null);
  assertEquals(made.monitor.loopLagP99Ns, 0);
});

Deno.test("the lag of the event loop is the delay of timers", async () => {
  const clock = createFakeClock();
  let lateMs = 0;
  const after: typeof clock.after = (ms, callback) => clock.after(ms + lateMs, callback);
  using monitor = new ClientMonitor({ ...clock, after }, { cpuNs: () => 0 });
  assertEquals(monitor.loopLagP99Ns, null);
  await monitor.watch(() => {
    clock.advance(4900); // 980 samples are too few for a P99.
    return Promise.resolve();
  });
  assertEquals(monitor.loopLagP99Ns, null);
  await monitor.watch(() => {
    clock.advance(1000);
    lateMs = 30;
    clock.advance(1000);
    return Promise.resolve();
  });
  assertEquals(Math.round(monitor.loopLagP99Ns! / 1e6), 30);
});

Deno.test("an error in the work is rethrown, and watching ends", async () => {
  using made = createMonitor();
  const broken = () => Promise.reject(new Error("broken"));
  await assertRejects(() => made.monitor.watch(broken), Error, "broken");
  assertEquals(made.clock.pending, 0);
});

/** The part of a case result that is compared with a floor. */
function resultOf(rates: readonly (number | null)[]): CaseResult {
  return { rates, medians: rates.map((rate) => rate && 1e9 / rate) } as unknown as CaseResult;
}

const STEADY = [1000, 1010, 990, 1005, 995];

Deno.test("a share of the floor is paired by epoch, with its interval", () => {
  const floor = resultOf(STEADY.map((rate) => 2 * rate));
  const half = floorShare(resultOf(STEADY), floor)!;
  assertEquals(half.share, 0.5);
  assertEquals([boundBy(half), half.ci95], ["free", [0.5, 0.5]]);
  // Epochs that one of them lacks are skipped.
  const some = floorShare(resultOf([500, null, 500]), resultOf([1000, 1000, null]))!;
  assertEquals([some.share, some.ci95, boundBy(some)], [0.5, null, "undecided"]);
  assertEquals(floorShare(resultOf([null]), floor), null);
  assertEquals(floorShare(null, floor), null);
});

Deno.test("above 90 % of the floor a client is bound, below free, around it undecided", () => {
  const against = (factors: readonly number[]) =>
    boundBy(
      floorShare(resultOf(STEADY.map((rate, nth) => rate * factors[nth]!)), resultOf(STEADY))!,
    );
  assertEquals(against([0.95, 0.96, 0.94, 0.95, 0.95]), "bound");
  assertEquals(against([0.85, 0.86, 0.84, 0.85, 0.85]), "free");
  assertEquals(against([0.8, 1, 0.9, 0.85, 0.95]), "undecided");
});

Deno.test("a target faster than the floor counts as at the floor", () => {
  const faster = floorShare(resultOf(STEADY.map((rate) => 1.3 * rate)), resultOf(STEADY))!;
  assertEquals([faster.share, faster.ci95, boundBy(faster)], [1, [1, 1], "bound"]);
  assertAlmostEquals(faster.throughput, 1300, 1);
});

const FREE = { share: 0.5, ci95: [0.4, 0.6] as [number, number], throughput: 2, latencyP50Ns: 1 };
const SOUND = {
  warnings: [],
  ledger: ledgerWith({ sent: 100, ok: 100 }),
  clientCpu: 0.5,
  loopLagP99Ns: null,
  floor: FREE,
  capped: false,
};

Deno.test("numbers without objections are valid", () => {
  const { valid, client, clientShare, warnings } = validityOf(SOUND);
  assertEquals([valid, client, clientShare, warnings], [true, "free", 0.5, []]);
});

Deno.test("a client at the floor, or using 90 % of its core, makes the numbers client-bound", () => {
  const atFloor = validityOf({ ...SOUND, floor: { ...FREE, share: 0.95, ci95: [0.92, 0.98] } });
  assertEquals([atFloor.valid, atFloor.client], [false, "bound"]);
  assertStringIncludes(atFloor.warnings[0]!.message, "client-bound: the throughput is 95 %");
  const busy = validityOf({ ...SOUND, clientCpu: 0.9 });
  assertEquals([busy.valid, busy.client, busy.warnings[0]!.kind], [false, "bound", "clientCpu"]);
  assertEquals(validityOf({ ...SOUND, clientCpu: 0.899 }).valid, true);
});

Deno.test("with a capped rate, the share of the floor is ignored", () => {
  const floor = { ...FREE, share: 0.95, ci95: [0.92, 0.98] as [number, number] };
  const { valid, client } = validityOf({ ...SOUND, floor, capped: true });
  assertEquals([valid, client], [true, null]);
});

Deno.test("given warnings come first, and more than 1 % of replies from a cache are a warning", () => {
  const ledger = ledgerWith({ sent: 100, ok: 100, cached: 2 });
  const given = { kind: "given", message: "given" };
  const { valid, warnings } = validityOf({ ...SOUND, ledger, warnings: [given] });
  assertEquals([valid, warnings.map(({ kind }) => kind)], [false, ["given", "cached"]]);
  assertStringIncludes(warnings[1]!.message, "{unique}");
  const one = ledgerWith({ sent: 100, ok: 100, cached: 1 });
  assertEquals(validityOf({ ...SOUND, ledger: one }).valid, true);
});
