import { assert, assertEquals, assertThrows } from "@std/assert";
import { type OpenLoopOptions, type OpenLoopResult, runOpenLoop } from "../../lib/load/open.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { createFakeClock, type FakeClock } from "../support/fake_clock.ts";
import { createFakeConnection, type FakeConnection } from "../support/fake_connection.ts";
import { STATUS } from "../support/targets.ts";

/** How long a turn of the event loop takes here. */
const TURN_MS = 0.01;

interface Seen {
  result: OpenLoopResult;
  /** Latency from the intended time, by slot, in milliseconds. */
  latencyMs: Map<number, number>;
  dropped: number;
}

/** Runs a loop on a fake clock; 100 calls/s for 1 s unless told otherwise. */
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
    soon: (callback) => clock.after(TURN_MS, callback),
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
      assert(lateMs >= 0 && lateMs <= TURN_MS + 1e-9, `${lateMs} ms late`);
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

Deno.test("a slow reply does not delay the calls behind it", async () => {
  const clock = createFakeClock();
  const slow = createFakeConnection(clock, (nth) => ({
    status: "ok",
    afterMs: nth === 1 ? 5_000 : 1,
  }));
  const { result, latencyMs } = await run(clock, [slow]);
  assertEquals(Math.round(latencyMs.get(0)!), 5_000);
  for (let slot = 1; slot < 100; slot++) assert(latencyMs.get(slot)! < 1.1);
  assertEquals(result.endNs, 5e9, "the loop waits for the last reply");
  assertEquals(result.achievedPerSecond, 99, "a reply after the schedule's end is no throughput");
});

Deno.test("late slots are sent late, all of them, and their latency counts from their own time", async () => {
  const clock = createFakeClock();
  const connection = createFakeConnection(clock);
  let turns = 0;
  // The client's own thread is away for 300 ms, from the 10th turn on.
  const soon = (callback: () => void) => clock.after(++turns === 10 ? 300 : TURN_MS, callback);
  const { result, latencyMs } = await run(clock, [connection], { soon });
  assertEquals([result.slots, result.sent, result.dropped], [100, 100, 0]);
  const late = [...latencyMs.values()].filter((ms) => ms > 2).sort((a, b) => b - a);
  assert(late.length >= 29 && late.length <= 31, `${late.length} late`);
  late.forEach((ms, index) => assert(Math.abs(late[0] - ms - 10 * index) < 1e-6, "10 ms apart"));
});

Deno.test("past the bound on outstanding calls, slots are dropped and counted", async () => {
  const clock = createFakeClock();
  const stalled = createFakeConnection(clock, () => ({ status: "ok", afterMs: 95 }));
  const { result, dropped } = await run(clock, [stalled], { maxOutstanding: 5 });
  // Five go out, then none for five slots: half of all.
  assertEquals([result.slots, result.sent, result.dropped, dropped], [100, 50, 50, 50]);
  assertEquals(result.end, "complete");
});

Deno.test("a slot whose connection has gone is dropped, the others go on", async () => {
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
  assertEquals([result.end, result.slots, result.sent, result.dropped], [
    "connectionLost",
    51,
    50,
    1,
  ]);
});

Deno.test("a server that answers nothing is silent; one dead connection among others is not", async () => {
  const timeout = () => ({ status: "timeout", afterMs: 200 } as const);
  const clock = createFakeClock();
  const silent = await run(clock, [createFakeConnection(clock, timeout)]);
  assertEquals([silent.result.end, silent.result.slots, silent.result.ok], ["silent", 22, 0]);
  assertEquals(Math.round(silent.result.endNs / 1e6), 410, "its last call has timed out too");
  // Three calls in a row time out, again and again, but never with nothing answered meanwhile.
  const second = createFakeClock();
  const dead = [1, 2, 3].map(() => createFakeConnection(second, timeout));
  const mostly = await run(second, [...dead, createFakeConnection(second)]);
  assertEquals([mostly.result.end, mostly.result.sent, mostly.result.ok], ["complete", 100, 25]);
});

Deno.test("either callback can stop the loop, which waits for what is outstanding", async () => {
  const clock = createFakeClock();
  const stopped = await run(clock, [createFakeConnection(clock)], {
    onCall: ({ nth }) => nth === 10 ? "stop" : undefined,
  });
  assertEquals([stopped.result.end, stopped.result.sent, stopped.result.ok], ["stopped", 10, 10]);
  const second = createFakeClock();
  const full = createFakeConnection(second, () => ({ status: "ok", afterMs: 100 }));
  const dropped = await run(second, [full], { maxOutstanding: 2, onDropped: () => "stop" });
  const { end, slots, sent, endNs } = dropped.result;
  assertEquals([end, slots, sent], ["stopped", 3, 2]);
  assert(endNs >= 110e6);
});

Deno.test("an interrupt ends the loop, in its waits too", async () => {
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

Deno.test("a low rate sleeps between its slots and wakes in time", async () => {
  const clock = createFakeClock();
  let turns = 0;
  const soon = (callback: () => void) => {
    turns++;
    return clock.after(TURN_MS, callback);
  };
  const { result } = await run(clock, [createFakeConnection(clock)], { soon, ratePerSecond: 20 });
  assertEquals(result.sent, 20);
  const spunMs = turns * TURN_MS;
  assert(spunMs < 20 * 4.5, `${spunMs} ms of 950 ms spun`);
});

Deno.test("what cannot be run is refused", () => {
  const clock = createFakeClock();
  const options = {
    message: () => STATUS,
    schedule: createSchedule({
      ratePerSecond: 1,
      arrivals: "constant",
      slots: 1,
      durationMs: null,
      seed: 1,
    }),
    maxOutstanding: 0,
    ledger: openLedger(),
    clock,
    signal: new AbortController().signal,
    onCall: () => {},
  };
  assertThrows(() => runOpenLoop([createFakeConnection(clock)], options), RangeError, "it is 0");
  assertThrows(
    () => runOpenLoop([], { ...options, maxOutstanding: 1 }),
    RangeError,
    "no connection",
  );
});
