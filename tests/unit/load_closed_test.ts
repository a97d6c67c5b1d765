import { assertEquals, assertThrows } from "@std/assert";
import type { Frame } from "../../lib/protocols/protocol.ts";
import { type Caller, type ClosedLoopOptions, runClosedLoop } from "../../lib/load/closed.ts";
import { type Call, CallBook } from "../../lib/client/call_book.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { createFakeClock, type FakeClock } from "../support/fake_clock.ts";
import { STATUS } from "../support/targets.ts";

/** What becomes of a call, and after how long; the connection's end ends all. */
type Reply = { ms: number; end: "ok" | "toolError" | "timeout" | "connectionLost" | "never" };

/** A connection on a fake clock: a real book of calls, and replies as told. */
class FakeCaller implements Caller {
  isOpen = true;
  timedOutInRow = 0;
  readonly ledger = openLedger();
  readonly sentAtMs: number[] = [];
  mostInFlight = 0;
  readonly #clock: FakeClock;
  readonly #reply: (nth: number) => Reply;
  readonly #book: CallBook;

  constructor(clock: FakeClock, reply: (nth: number) => Reply) {
    this.#clock = clock;
    this.#reply = reply;
    const observed = { streamComplete: false, rateLimit: null };
    this.#book = new CallBook("f-", { ledger: this.ledger, observed });
  }

  send(_message: unknown, onEnd: (call: Call) => void): void {
    if (!this.isOpen) throw new Error("closed");
    const { id, nth, sentNs } = this.#book.begin(this.#clock.nowNs(), onEnd);
    this.sentAtMs.push(sentNs / 1e6);
    this.mostInFlight = Math.max(this.mostInFlight, this.#book.outstanding);
    const { ms, end } = this.#reply(nth);
    if (end !== "never") this.#clock.after(ms, () => this.#end(id, sentNs, end));
  }

  endAll(status: "connectionLost" | "aborted"): void {
    this.isOpen = false;
    this.#book.endAll(status, this.#clock.nowNs());
  }

  #end(id: string, sentNs: number, end: Exclude<Reply["end"], "never">): void {
    const nowNs = this.#clock.nowNs();
    const error = { code: "E", message: "" };
    const frames: Record<"ok" | "toolError", Frame> = {
      ok: { kind: "result", id, fromCache: false },
      toolError: { kind: "toolError", id, ...error },
    };
    if (end === "timeout") this.#book.expire(sentNs, nowNs);
    else if (end === "connectionLost") this.endAll(end);
    else this.#book.receive(frames[end], nowNs);
  }
}

function start(reply: (nth: number) => Reply, options: Partial<ClosedLoopOptions>) {
  const clock = createFakeClock();
  const caller = new FakeCaller(clock, reply);
  const controller = new AbortController();
  const ended: string[] = [];
  const running = runClosedLoop(caller, {
    message: () => STATUS,
    inFlight: 1,
    messages: null,
    durationMs: null,
    maxRatePerSecond: null,
    clock,
    signal: controller.signal,
    onCall: ({ status }) => void ended.push(status),
    ...options,
  });
  return { clock, caller, controller, running, ended };
}

const steady = (): Reply => ({ ms: 10, end: "ok" });

Deno.test("a closed loop sends a count exactly, one call at a time, and times it", async () => {
  const { clock, caller, running, ended } = start(steady, { messages: 5 });
  clock.advance(1000);
  assertEquals(await running, { sent: 5, ok: 5, startNs: 0, endNs: 50e6, end: "complete" });
  assertEquals(caller.sentAtMs, [0, 10, 20, 30, 40]);
  assertEquals([caller.mostInFlight, ended.length, clock.pending], [1, 5, 0]);
});

Deno.test("a closed loop fills its window and never exceeds it", async () => {
  // Replies that overtake each other.
  const { clock, caller, running } = start((nth) => ({ ms: 5 + (nth * 7) % 11, end: "ok" }), {
    messages: 50,
    inFlight: 4,
  });
  assertEquals(caller.sentAtMs, [0, 0, 0, 0]);
  clock.advance(1000);
  assertEquals([(await running).ok, caller.mostInFlight, caller.sentAtMs.length], [50, 4, 50]);
});

Deno.test("a closed loop sends no more than a count below its window", async () => {
  const { clock, caller, running } = start(steady, { messages: 3, inFlight: 8 });
  clock.advance(10);
  assertEquals([(await running).sent, caller.mostInFlight], [3, 3]);
});

Deno.test("a count of none ends at once", async () => {
  const { running } = start(steady, { messages: 0 });
  assertEquals(await running, { sent: 0, ok: 0, startNs: 0, endNs: 0, end: "complete" });
});

Deno.test("a duration ends with the call under way at its end", async () => {
  const { clock, caller, running } = start(steady, { durationMs: 35, inFlight: 2 });
  clock.advance(1000);
  assertEquals(await running, { sent: 8, ok: 8, startNs: 0, endNs: 40e6, end: "complete" });
  assertEquals(caller.sentAtMs, [0, 0, 10, 10, 20, 20, 30, 30]);
});

Deno.test("a count beats a duration", async () => {
  const { clock, running } = start(steady, { messages: 9, durationMs: 1 });
  clock.advance(1000);
  assertEquals((await running).sent, 9);
});

Deno.test("a loop that nothing bounds is refused", () => {
  assertThrows(() => start(steady, {}), RangeError, "neither messages nor durationMs");
});

Deno.test("a rate spaces the calls, whatever the window", async () => {
  const { clock, caller, running } = start(steady, {
    messages: 5,
    inFlight: 3,
    maxRatePerSecond: 20,
  });
  clock.advance(1000);
  assertEquals((await running).end, "complete");
  assertEquals(caller.sentAtMs, [0, 50, 100, 150, 200]);
});

Deno.test("a rate does not make up for calls that a slow server held back", async () => {
  const slowOnce = (nth: number): Reply => ({ ms: nth === 1 ? 500 : 1, end: "ok" });
  const { clock, caller, running } = start(slowOnce, { messages: 4, maxRatePerSecond: 10 });
  clock.advance(2000);
  await running;
  assertEquals(caller.sentAtMs, [0, 500, 600, 700]);
});

Deno.test("a duration ends a paced loop too, though no call ends then", async () => {
  const { clock, running } = start(steady, { durationMs: 150, maxRatePerSecond: 10 });
  clock.advance(1000);
  assertEquals(await running, { sent: 2, ok: 2, startNs: 0, endNs: 200e6, end: "complete" });
});

Deno.test("only successes count as ok", async () => {
  const failing = (nth: number): Reply => ({ ms: 1, end: nth % 3 === 0 ? "toolError" : "ok" });
  const { clock, running, ended } = start(failing, { messages: 6 });
  clock.advance(100);
  const { sent, ok } = await running;
  assertEquals([sent, ok, ended.filter((status) => status === "toolError").length], [6, 4, 2]);
});

Deno.test("three unanswered calls in a row end the loop as silent", async () => {
  const { clock, running } = start((nth) => ({ ms: 10, end: nth > 4 ? "timeout" : "ok" }), {
    messages: 100,
  });
  clock.advance(1000);
  assertEquals(await running, { sent: 7, ok: 4, startNs: 0, endNs: 70e6, end: "silent" });
});

Deno.test("an answer in between, even an error, begins the silence anew", async () => {
  const { clock, running } = start(
    (nth) => ({ ms: 10, end: nth % 3 === 0 ? "toolError" : "timeout" }),
    { messages: 12 },
  );
  clock.advance(1000);
  assertEquals((await running).end, "complete");
});

Deno.test("a lost connection ends the loop with all its calls", async () => {
  const { clock, running, caller } = start(
    (nth) => nth === 5 ? { ms: 10, end: "connectionLost" } : { ms: 100, end: "ok" },
    { messages: 100, inFlight: 5 },
  );
  clock.advance(1000);
  assertEquals((await running).end, "connectionLost");
  assertEquals([caller.ledger.connectionLost, caller.ledger.sent], [5, 5]);
});

Deno.test("a connection that is closed from the start sends nothing", async () => {
  const clock = createFakeClock();
  const caller = new FakeCaller(clock, steady);
  caller.isOpen = false;
  const result = await runClosedLoop(caller, {
    message: () => STATUS,
    inFlight: 1,
    messages: 5,
    durationMs: null,
    maxRatePerSecond: null,
    clock,
    signal: new AbortController().signal,
    onCall: () => {},
  });
  assertEquals([result.end, result.sent], ["connectionLost", 0]);
});

Deno.test("an abort sends nothing new and ends when the outstanding calls have", async () => {
  const { clock, controller, running, caller } = start(() => ({ ms: 0, end: "never" }), {
    messages: 10,
    inFlight: 2,
  });
  clock.advance(5);
  controller.abort();
  caller.endAll("aborted");
  assertEquals(await running, { sent: 2, ok: 0, startNs: 0, endNs: 5e6, end: "aborted" });
});

Deno.test("an abort ends the wait for the pace", async () => {
  const { clock, controller, running } = start(steady, { messages: 10, maxRatePerSecond: 0.001 });
  clock.advance(100);
  controller.abort();
  assertEquals([(await running).end, clock.pending], ["aborted", 0]);
});

Deno.test("a listener that says stop ends the loop with what is in flight", async () => {
  const { clock, running } = start(steady, {
    messages: 100,
    inFlight: 3,
    onCall: ({ nth }) => nth === 4 ? "stop" : undefined,
  });
  clock.advance(1000);
  const { end, sent, ok } = await running;
  assertEquals([end, sent, ok], ["stopped", 6, 6]);
});
