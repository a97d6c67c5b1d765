import { assertEquals } from "@std/assert";
import { openLedger } from "../../lib/client/ledger.ts";
import { type ClosedSliceOptions, runClosedSlice } from "../../lib/load/closed.ts";
import { FakeCaller, type Reply } from "../support/fake_caller.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { STATUS } from "../support/targets.ts";

/** One connection for each of `replies`. */
function startAll(
  replies: readonly ((nth: number) => Reply)[],
  options: Partial<ClosedSliceOptions>,
) {
  const clock = createFakeClock();
  const callers = replies.map((reply) => new FakeCaller(clock, reply));
  const controller = new AbortController();
  const run = () =>
    runClosedSlice(callers, {
      message: () => STATUS,
      inFlight: 1,
      leadInNs: 0,
      messages: null,
      durationNs: null,
      maxRatePerSecond: null,
      warmupLedger: callers[0]?.warmup ?? openLedger(),
      ledger: callers[0]?.ledger ?? openLedger(),
      clock,
      signal: controller.signal,
      ...options,
    });
  return { clock, callers, controller, run };
}

function start(reply: (nth: number) => Reply, options: Partial<ClosedSliceOptions>) {
  const { clock, callers, controller, run } = startAll([reply], options);
  const caller = callers[0]!;
  return { clock, caller, ledger: caller.ledger, controller, running: run() };
}

const steady = (): Reply => ({ ms: 10, end: "ok" });
const MS = 1e6;

Deno.test("a slice of 5 messages sends exactly 5, one at a time, and times them", async () => {
  const { clock, caller, running, ledger } = start(steady, { messages: 5 });
  clock.advance(1000);
  assertEquals(await running, {
    end: "complete",
    timesNs: new Float64Array(5).fill(10 * MS),
    clients: [{ ok: 5, windowNs: 50 * MS }],
    ratePerSecond: 100,
    censored: 0,
  });
  assertEquals(caller.sentAtMs, [0, 10, 20, 30, 40]);
  assertEquals([caller.mostInFlight, ledger.sent, clock.pending], [1, 5, 0]);
});

Deno.test("a slice keeps exactly as many calls in flight as asked for", async () => {
  const outOfOrder = (nth: number): Reply => ({ ms: 5 + (nth * 7) % 11, end: "ok" });
  const { clock, caller, running } = start(outOfOrder, { messages: 50, inFlight: 4 });
  assertEquals(caller.sentAtMs, [0, 0, 0, 0]);
  clock.advance(1000);
  const { clients, timesNs } = await running;
  assertEquals([clients[0]!.ok, timesNs.length, caller.mostInFlight], [50, 50, 4]);
  assertEquals(caller.sentAtMs.length, 50);
});

Deno.test("a slice of 3 messages sends only 3, even with 8 allowed in flight", async () => {
  const { clock, caller, running } = start(steady, { messages: 3, inFlight: 8 });
  clock.advance(10);
  assertEquals([(await running).timesNs.length, caller.mostInFlight], [3, 3]);
});

Deno.test("a slice of no messages ends immediately, or after the lead-in", async () => {
  const now = start(steady, { messages: 0 });
  assertEquals([(await now.running).end, now.caller.sentAtMs], ["complete", []]);
  for (const maxRatePerSecond of [null, 50]) {
    const later = start(steady, { messages: 0, leadInNs: 25 * MS, maxRatePerSecond });
    later.clock.advance(1000);
    const { end, timesNs, ratePerSecond } = await later.running;
    assertEquals([end, timesNs.length, ratePerSecond, later.ledger.sent], ["complete", 0, 0, 0]);
  }
});

Deno.test("a timed slice ends with the calls in flight at its end", async () => {
  const { clock, caller, running } = start(steady, { durationNs: 35 * MS, inFlight: 2 });
  clock.advance(1000);
  const { clients, timesNs } = await running;
  // Two calls end at 40 ms. The first one ends the window, so the rate does not count the other.
  assertEquals([clients, timesNs.length], [[{ ok: 7, windowNs: 40 * MS }], 8]);
  assertEquals(caller.sentAtMs, [0, 0, 10, 10, 20, 20, 30, 30]);
});

Deno.test("a window has at least one call, however slow the server", async () => {
  const slow = (): Reply => ({ ms: 70, end: "ok" });
  const { clock, running } = start(slow, { leadInNs: 5 * MS, durationNs: 1 });
  clock.advance(1000);
  const { clients, timesNs } = await running;
  assertEquals([clients, [...timesNs]], [[{ ok: 1, windowNs: 70 * MS }], [70 * MS]]);
});

Deno.test("a slice with both messages and a duration ignores the duration", async () => {
  const { clock, running } = start(steady, { messages: 9, durationNs: 1 });
  clock.advance(1000);
  assertEquals((await running).timesNs.length, 9);
});

Deno.test("the lead-in has its own ledger and is in no result", async () => {
  const { clock, caller, running, ledger } = start(
    (nth) => ({ ms: nth <= 3 ? 15 : 10, end: "ok" }),
    { leadInNs: 40 * MS, durationNs: 95 * MS },
  );
  clock.advance(1000);
  // The window starts when the third call ends, at 45 ms, and is ten calls long.
  assertEquals(await running, {
    end: "complete",
    timesNs: new Float64Array(10).fill(10 * MS),
    clients: [{ ok: 10, windowNs: 100 * MS }],
    ratePerSecond: 100,
    censored: 0,
  });
  assertEquals([caller.warmup.sent, caller.warmup.ok, ledger.sent, ledger.ok], [3, 3, 10, 10]);
});

Deno.test("calls in flight at the end of the lead-in count in the window's rate, not in its times", async () => {
  const { clock, caller, running, ledger } = start(
    (nth) => ({ ms: nth <= 4 ? 10 * nth : 40, end: "ok" }),
    { leadInNs: 10 * MS, messages: 5, inFlight: 4 },
  );
  clock.advance(1000);
  // Calls are sent at 10, 20, 30, 40 and 50 ms; the lead-in's last three end at 20, 30 and 40 ms.
  const { clients, timesNs } = await running;
  assertEquals([clients, timesNs.length], [[{ ok: 8, windowNs: 80 * MS }], 5]);
  assertEquals([caller.warmup.ok, ledger.ok], [4, 5]);
});

Deno.test("a lead-in in which nothing is answered still ends", async () => {
  const { clock, running, ledger } = start(
    (nth) => nth === 1 ? { ms: 100, end: "timeout" } : steady(),
    { leadInNs: 10 * MS, messages: 2 },
  );
  clock.advance(1000);
  const { censored, timesNs } = await running;
  assertEquals([censored, timesNs.length, ledger.timeout], [0, 2, 0]);
});

Deno.test("each connection has its own window, and the rate is the sum over connections", async () => {
  const slow = (): Reply => ({ ms: 25, end: "ok" });
  const { clock, callers, run } = startAll([steady, slow], {
    leadInNs: 30 * MS,
    durationNs: 100 * MS,
  });
  const running = run();
  clock.advance(1000);
  const { clients, ratePerSecond, timesNs } = await running;
  assertEquals(clients, [{ ok: 10, windowNs: 100 * MS }, { ok: 4, windowNs: 100 * MS }]);
  assertEquals([ratePerSecond, timesNs.length], [140, 14]);
  assertEquals([callers[0]!.sentAtMs.length, callers[1]!.sentAtMs.length], [13, 6]);
});

Deno.test("frames without a call count as warm-up in the lead-in and between slices", async () => {
  const { clock, caller, running } = start(steady, { messages: 2, leadInNs: 15 * MS });
  const isMeasured: boolean[] = [];
  for (let step = 0; step < 5; step++) {
    isMeasured.push(caller.ledgerInUse === caller.ledger);
    clock.advance(10);
  }
  await running;
  assertEquals(isMeasured, [false, false, true, true, false]);
  assertEquals(start(steady, { messages: 1 }).caller.ledgerInUse.sent, 1);
});

Deno.test("onCall reports whether a call was measured; later slices do not change returned times", async () => {
  const reported: [number, boolean][] = [];
  const { clock, run } = startAll([steady], {
    leadInNs: 20 * MS,
    messages: 2,
    onCall: ({ nth }, measured) => void reported.push([nth, measured]),
  });
  const first = run();
  clock.advance(1000);
  const { timesNs } = await first;
  assertEquals(reported, [[1, false], [2, false], [3, true], [4, true]]);
  timesNs.fill(7);
  const second = run();
  clock.advance(1000);
  assertEquals([...(await second).timesNs, ...timesNs], [10 * MS, 10 * MS, 7, 7]);
});

Deno.test("a slice can hold any number of times", async () => {
  const messages = 70_000;
  const { clock, running } = start((nth) => ({ ms: nth % 5, end: "ok" }), { messages });
  clock.advance(1e6);
  const { timesNs } = await running;
  assertEquals(timesNs.length, messages);
  assertEquals([...timesNs.slice(-5)], [1, 2, 3, 4, 0].map((ms) => ms * MS));
});

Deno.test("a maximum rate spaces the calls, however many can be in flight", async () => {
  const options = { messages: 5, inFlight: 3, maxRatePerSecond: 20 };
  const { clock, caller, running } = start(steady, options);
  clock.advance(1000);
  assertEquals((await running).end, "complete");
  assertEquals(caller.sentAtMs, [0, 50, 100, 150, 200]);
});

Deno.test("a maximum rate does not make up for calls that a slow server delayed", async () => {
  const slowOnce = (nth: number): Reply => ({ ms: nth === 1 ? 500 : 1, end: "ok" });
  const { clock, caller, running } = start(slowOnce, { messages: 4, maxRatePerSecond: 10 });
  clock.advance(2000);
  await running;
  assertEquals(caller.sentAtMs, [0, 500, 600, 700]);
});

Deno.test("a paced window begins and ends at a slot, so the measured rate is the pace", async () => {
  for (const [leadInMs, sentAtMs] of [[0, [0, 100]], [130, [0, 100, 200, 300]]] as const) {
    const { clock, caller, running, ledger } = start(steady, {
      leadInNs: leadInMs * MS,
      durationNs: 150 * MS,
      maxRatePerSecond: 10,
    });
    clock.advance(1000);
    const { end, clients, ratePerSecond } = await running;
    assertEquals([end, ratePerSecond], ["complete", 10]);
    assertEquals(clients, [{ ok: 2, windowNs: 200 * MS }]);
    assertEquals([ledger.sent, caller.sentAtMs], [2, sentAtMs]);
  }
});

Deno.test("only successes are counted as ok and timed", async () => {
  const failing = (nth: number): Reply => ({ ms: 1, end: nth % 3 === 0 ? "toolError" : "ok" });
  const { clock, running, ledger } = start(failing, { messages: 6 });
  clock.advance(100);
  const { clients, timesNs, censored } = await running;
  assertEquals([clients[0]!.ok, timesNs.length, censored], [4, 4, 0]);
  assertEquals([ledger.sent, ledger.toolError], [6, 2]);
});

Deno.test("three unanswered calls in a row on one connection end the whole slice as silent", async () => {
  const silent = (nth: number): Reply => ({ ms: 10, end: nth > 4 ? "timeout" : "ok" });
  const { clock, callers, run } = startAll([silent, steady], { messages: 100 });
  const running = run();
  clock.advance(2000);
  const { end, clients, censored } = await running;
  assertEquals([end, censored], ["silent", 3]);
  assertEquals(callers.map(({ sentAtMs }) => sentAtMs.length), [7, 7]);
  assertEquals(clients, [{ ok: 4, windowNs: 70 * MS }, { ok: 6, windowNs: 60 * MS }]);
});

Deno.test("timeouts before the slice count toward the three", async () => {
  const { clock, callers, run } = startAll([() => ({ ms: 10, end: "timeout" })], { messages: 9 });
  callers[0]!.timedOutInRow = 2;
  const running = run();
  clock.advance(1000);
  assertEquals([(await running).end, callers[0]!.sentAtMs.length], ["silent", 1]);
});

Deno.test("any answer, even an error, resets the count of timeouts in a row", async () => {
  const { clock, running } = start(
    (nth) => ({ ms: 10, end: nth % 3 === 0 ? "toolError" : "timeout" }),
    { messages: 12 },
  );
  clock.advance(1000);
  const { end, censored } = await running;
  assertEquals([end, censored], ["complete", 8]);
});

Deno.test("a lost connection ends the slice, and its calls are censored", async () => {
  const cut = (nth: number): Reply =>
    nth === 5 ? { ms: 10, end: "connectionLost" } : { ms: 100, end: "ok" };
  const { clock, callers, run } = startAll([cut, steady], { messages: 100, inFlight: 5 });
  const running = run();
  clock.advance(5000);
  const { end, censored } = await running;
  assertEquals([end, censored, clock.pending], ["connectionLost", 5, 0]);
  const { connectionLost, sent, ok } = callers[0]!.ledger;
  assertEquals([connectionLost, sent, ok], [5, 10, 5]);
});

Deno.test("a connection that is closed from the start stops all others", async () => {
  const { clock, callers, run } = startAll([steady, steady, steady], { messages: 5 });
  callers[1]!.isOpen = false;
  const running = run();
  clock.advance(1000);
  const { end, clients } = await running;
  assertEquals([end, clients[2]], ["connectionLost", { ok: 0, windowNs: 0 }]);
  assertEquals(callers.map(({ sentAtMs }) => sentAtMs.length), [1, 0, 0]);
});

Deno.test("after an abort nothing more is sent, and the slice ends with its outstanding calls", async () => {
  const never = (): Reply => ({ ms: 0, end: "never" });
  const { clock, controller, running, caller } = start(never, { messages: 10, inFlight: 2 });
  clock.advance(5);
  controller.abort();
  caller.endAll("aborted");
  const { end, censored } = await running;
  assertEquals([end, censored, caller.sentAtMs.length], ["aborted", 0, 2]);
});

Deno.test("an abort before the slice sends nothing, an abort during a wait for the pace ends it", async () => {
  const early = startAll([steady], { messages: 10 });
  early.controller.abort();
  assertEquals([(await early.run()).end, early.callers[0]!.sentAtMs], ["aborted", []]);
  assertEquals(early.callers[0]!.ledgerInUse, early.callers[0]!.warmup);
  const { clock, controller, running } = start(steady, { messages: 10, maxRatePerSecond: 0.001 });
  clock.advance(100);
  controller.abort();
  assertEquals([(await running).end, clock.pending], ["aborted", 0]);
});

Deno.test("onCall can stop the slice, which waits for the calls in flight", async () => {
  const { clock, running, ledger } = start(steady, {
    messages: 100,
    inFlight: 3,
    onCall: ({ nth }) => nth === 4 ? "stop" : undefined,
  });
  clock.advance(1000);
  const { end, timesNs } = await running;
  assertEquals([end, ledger.sent, timesNs.length], ["stopped", 6, 6]);
});
