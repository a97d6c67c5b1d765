import { assert, assertEquals } from "@std/assert";
import { type OpenLoopOptions, type OpenLoopResult, runOpenLoop } from "../../lib/load/open.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { createFakeClock, type FakeClock } from "../support/fake_clock.ts";
import { createFakeConnection, type FakeConnection } from "../support/fake_connection.ts";
import { createFakePacer } from "../support/fake_pacer.ts";
import { STATUS } from "../support/targets.ts";

interface Seen {
  result: OpenLoopResult;
  /** Latency from the intended time, by slot, in milliseconds. */
  latencyMs: Map<number, number>;
  dropped: number;
}

/** Runs a loop on a fake clock, by default 100 calls/s for 1 s. */
async function run(
  clock: FakeClock,
  connections: FakeConnection[],
  options: Partial<OpenLoopOptions> & { ratePerSecond?: number; forMs?: number } = {},
): Promise<Seen> {
  const { ratePerSecond = 100, forMs = 60_000, ...rest } = options;
  const ledger = openLedger();
  const latencyMs = new Map<number, number>();
  const running = runOpenLoop(connections, {
    message: () => STATUS,
    schedule: createSchedule({
      ratePerSecond,
      arrivals: "constant",
      slots: null,
      durationMs: 1000,
      seed: 1,
    }),
    maxOutstanding: 1_000,
    ledger,
    clock,
    signal: new AbortController().signal,
    pacer: createFakePacer(clock),
    onCall: ({ endedNs }, intendedNs) => {
      const slot = Math.round(intendedNs / 1e9 * ratePerSecond);
      latencyMs.set(slot, (endedNs - intendedNs) / 1e6);
    },
    ...rest,
  });
  clock.advance(forMs);
  return { result: await running, latencyMs, dropped: ledger.dropped };
}

Deno.test("slot k goes out on connection k mod K at its time", async () => {
  const clock = createFakeClock();
  const connections = [1, 2, 3].map(() => createFakeConnection(clock));
  const { result } = await run(clock, connections);
  assertEquals(connections.map(({ sentNs }) => sentNs.length), [34, 33, 33]);
  connections.forEach(({ sentNs }, index) =>
    sentNs.forEach((ns, nth) => {
      const lateMs = ns / 1e6 - (3 * nth + index) * 10;
      assert(Math.abs(lateMs) < 1e-9, `${lateMs} ms late`);
    })
  );
  const { end, slots, sent, ok, dropped, achievedPerSecond } = result;
  assertEquals({ end, slots, sent, ok, dropped, achievedPerSecond }, {
    end: "complete",
    slots: 100,
    sent: 100,
    ok: 100,
    dropped: 0,
    achievedPerSecond: 100,
  });
});

Deno.test("a slow reply does not delay later calls", async () => {
  const clock = createFakeClock();
  const slow = createFakeConnection(clock, (nth) => ({
    status: "ok",
    afterMs: nth === 1 ? 5_000 : 1,
  }));
  const { result, latencyMs } = await run(clock, [slow]);
  assertEquals(Math.round(latencyMs.get(0)!), 5_000);
  for (let slot = 1; slot < 100; slot++) assert(latencyMs.get(slot)! < 1.1);
  assertEquals(result.endedNs.at(-1), 5e9, "the loop waits for the last reply");
  assertEquals(
    result.achievedPerSecond,
    99,
    "a reply after the end of the schedule does not count",
  );
});

Deno.test("late slots are all sent, and their latency counts from the intended time", async () => {
  const clock = createFakeClock();
  const connection = createFakeConnection(clock);
  // The client's thread is blocked for 300 ms from the 10th slot on.
  const pacer = createFakePacer(clock, { lateMs: (nth) => nth === 10 ? 300 : 0 });
  const { result, latencyMs } = await run(clock, [connection], { pacer });
  assertEquals([result.slots, result.sent, result.dropped], [100, 100, 0]);
  const late = [...latencyMs.values()].filter((ms) => ms > 2).sort((a, b) => b - a);
  assert(late.length >= 29 && late.length <= 31, `${late.length} late`);
  late.forEach((ms, index) => assert(Math.abs(late[0] - ms - 10 * index) < 1e-6, "10 ms apart"));
});

Deno.test("beyond the limit on outstanding calls, slots are dropped and counted", async () => {
  const clock = createFakeClock();
  const stalled = createFakeConnection(clock, () => ({ status: "ok", afterMs: 95 }));
  const { result, dropped } = await run(clock, [stalled], { maxOutstanding: 5 });
  // Five are sent, then five dropped, and so on.
  assertEquals([result.slots, result.sent, result.dropped, dropped], [100, 50, 50, 50]);
  assertEquals(result.end, "complete");
});

Deno.test("slots of a closed connection are dropped, the others continue", async () => {
  const clock = createFakeClock();
  const [alive, gone] = [createFakeConnection(clock), createFakeConnection(clock)];
  clock.after(500, () => gone.isOpen = false);
  const { result } = await run(clock, [alive, gone]);
  assertEquals([result.end, result.sent, result.dropped], ["complete", 75, 25]);
});

Deno.test("the loop ends with its last connection", async () => {
  const clock = createFakeClock();
  const gone = createFakeConnection(clock);
  clock.after(495, () => gone.isOpen = false);
  const { result } = await run(clock, [gone]);
  assertEquals([result.end, result.slots], ["connectionLost", 51]);
  assertEquals([result.sent, result.dropped], [50, 1]);
});

Deno.test("a server that answers nothing is silent; one dead connection among others is not", async () => {
  const timeout = () => ({ status: "timeout", afterMs: 200 } as const);
  const clock = createFakeClock();
  const silent = await run(clock, [createFakeConnection(clock, timeout)]);
  assertEquals([silent.result.end, silent.result.slots, silent.result.ok], ["silent", 22, 0]);
  assertEquals(Math.round(silent.result.windowNs / 1e6), 220, "until the third timeout");
  assertEquals([silent.result.censored, silent.result.latencyNs.length], [22, 0]);
  // Three calls in a row time out repeatedly, but others are answered in the meantime.
  const second = createFakeClock();
  const dead = [1, 2, 3].map(() => createFakeConnection(second, timeout));
  const mostly = await run(second, [...dead, createFakeConnection(second)]);
  assertEquals([mostly.result.end, mostly.result.sent, mostly.result.ok], ["complete", 100, 25]);
});

Deno.test("either callback can stop the loop, which waits for outstanding calls", async () => {
  const clock = createFakeClock();
  const stopped = await run(clock, [createFakeConnection(clock)], {
    onCall: ({ nth }) => nth === 10 ? "stop" : undefined,
  });
  assertEquals([stopped.result.end, stopped.result.sent, stopped.result.ok], ["stopped", 10, 10]);
  const second = createFakeClock();
  const full = createFakeConnection(second, () => ({ status: "ok", afterMs: 100 }));
  const dropped = await run(second, [full], { maxOutstanding: 2, onDropped: () => "stop" });
  const { end, slots, sent, endedNs } = dropped.result;
  assertEquals([end, slots, sent], ["stopped", 3, 2]);
  assertEquals(endedNs.length, 2);
});

Deno.test("an abort ends the loop, even while it waits", async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  let pending = NaN;
  clock.after(123, () => {
    controller.abort();
    pending = clock.pending;
  });
  const interrupted = await run(clock, [createFakeConnection(clock)], {
    signal: controller.signal,
  });
  assertEquals([interrupted.result.end, interrupted.result.slots], ["aborted", 13]);
  assertEquals(pending, 0, "no timer is left");
  const before = await run(clock, [createFakeConnection(clock)], { signal: controller.signal });
  assertEquals([before.result.end, before.result.slots], ["aborted", 0]);
});

Deno.test("the slots of the lead-in are sent, but neither counted nor measured", async () => {
  const clock = createFakeClock();
  const connection = createFakeConnection(clock, () => ({ status: "ok", afterMs: 25 }));
  const [ledger, warmupLedger] = [openLedger(), openLedger()];
  let measured = 0;
  const { result } = await run(clock, [connection], {
    ...{ ledger, warmupLedger, leadInNs: 195e6, maxOutstanding: 2 },
    onCall: () => void measured++,
  });
  // Two of three slots fit into 25 ms.
  assertEquals([warmupLedger.sent, warmupLedger.dropped], [14, 6]);
  assertEquals([ledger.sent, ledger.dropped], [53, 27]);
  assertEquals(measured, 53);
  const { slots, sent, ok, dropped, startNs, windowNs, latencyNs, slipNs } = result;
  assertEquals([slots, sent, ok, dropped, startNs, windowNs], [80, 53, 53, 27, 195e6, 805e6]);
  assertEquals([...latencyNs], Array(53).fill(25e6));
  assertEquals([...slipNs], Array(53).fill(0));
  assertEquals(Math.round(result.offeredPerSecond), 99);
  // The last two of the lead-in came back within the window, the very last call after it.
  assertEquals(Math.round(result.achievedPerSecond * 0.805), 53 + 2 - 1);
});

Deno.test("the arrays of times are parallel, in order of completion, however long", async () => {
  const clock = createFakeClock();
  const connection = createFakeConnection(clock, (nth) => ({
    status: nth % 5 === 0 ? "toolError" : "ok",
    afterMs: nth % 2 === 0 ? 1 : 3,
  }));
  const pacer = createFakePacer(clock, { lateMs: () => 0.5 });
  const { result } = await run(clock, [connection], { pacer, ratePerSecond: 10_000 });
  const { ok, latencyNs, serviceNs, endedNs, slipNs } = result;
  assertEquals([ok, slipNs.length, result.censored], [8_000, 10_000, 0]);
  assertEquals([latencyNs.length, serviceNs.length, endedNs.length], [ok, ok, ok]);
  for (let nth = 1; nth < ok; nth++) {
    const slip = latencyNs[nth]! - serviceNs[nth]!;
    assert(slip > -1 && slip < 0.51e6 && endedNs[nth]! >= endedNs[nth - 1]!);
  }
});

Deno.test("a server that falls behind shows in its throughput and its backlog", async () => {
  const clock = createFakeClock();
  // One call at a time, 20 ms each: half of what is offered.
  let freeMs = 0;
  const behind = createFakeConnection(clock, () => {
    const nowMs = clock.nowNs() / 1e6;
    freeMs = Math.max(freeMs, nowMs) + 20;
    return { status: "ok", afterMs: freeMs - nowMs };
  });
  const { result } = await run(clock, [behind], { leadInNs: 100e6 });
  assertEquals(Math.round(result.offeredPerSecond), 100);
  assertEquals(Math.round(result.achievedPerSecond), 51);
  assert(Math.abs(result.backlogSlopePerSecond - 50) < 1, `${result.backlogSlopePerSecond}`);
  const second = createFakeClock();
  const kept = await run(second, [createFakeConnection(second)]);
  assertEquals(kept.result.backlogSlopePerSecond, 0);
});
