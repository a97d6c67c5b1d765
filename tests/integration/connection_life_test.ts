import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import {
  answerSoundly,
  HELLO_ACK,
  startScriptedServer,
  successFrames,
} from "../support/scripted_server.ts";
import { countsOf, ledgerWith, NO_NET as ignore, STATUS, targetAt } from "../support/targets.ts";

const TIMEOUT_MS = 100;

/** Makes another call, after which the server has seen everything before it. */
async function roundTrip(url: string): Promise<void> {
  using target = targetAt(url);
  await using connection = await target.connect(openLedger());
  await connection.call(STATUS);
}

/** True if the promise has already settled. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

/** Lets pending I/O happen. */
function turnOfEvents(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test({ name: "closing first waits for late frames", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (nth): Behaviour => nth === 1 ? { kind: "silent" } : { kind: "ok" },
  });
  const clock = createFakeClock();
  using target = targetAt(server.url, { clock, timeoutMs: TIMEOUT_MS });
  const ledger = openLedger();
  const connection = await target.connect(ledger);
  const call = connection.call(STATUS);
  clock.advance(TIMEOUT_MS);
  assertEquals((await call).status, "timeout");
  const closing = connection.close();
  assertEquals(connection.isOpen, false);
  await roundTrip(server.url);
  clock.advance(TIMEOUT_MS - 1);
  await roundTrip(server.url);
  assertEquals(await isSettled(closing), false, "it still waits for the late frame");
  clock.advance(1);
  assertEquals((await closing).code, 1000);
  assertEquals(settleLedger(ledger, false), ledgerWith({ sent: 1, timeout: 1 }));
  assertEquals(clock.pending, 0, "no timer is left");
});

Deno.test({ name: "closing ends as soon as the late frame arrives", ignore }, async () => {
  await using server = await startFaultyServer({ script: [{ kind: "late", ms: 20 }] });
  const clock = createFakeClock();
  using target = targetAt(server.url, { clock, timeoutMs: TIMEOUT_MS });
  const ledger = openLedger();
  const connection = await target.connect(ledger);
  const call = connection.call(STATUS);
  clock.advance(TIMEOUT_MS);
  await call;
  await connection.close();
  assertEquals([ledger.frames.late, clock.pending], [1, 0]);
});

Deno.test({ name: "closing lets outstanding calls end first", ignore }, async () => {
  await using server = await startFaultyServer({ script: [{ kind: "late", ms: 20 }] });
  using target = targetAt(server.url, { timeoutMs: 5_000 });
  const ledger = openLedger();
  const connection = await target.connect(ledger);
  const call = connection.call(STATUS);
  const { code } = await connection.close();
  assertEquals([(await call).status, code], ["ok", 1000]);
  assertEquals((await connection.close()).code, 1000, "closing twice is the same close");
});

Deno.test({ name: "closing does not wait if the server closes first", ignore }, async () => {
  await using server = await startFaultyServer({
    script: [{ kind: "silent" }, { kind: "closeHalfway", code: 1011, reason: "oops" }],
  });
  using target = targetAt(server.url, { timeoutMs: 5_000 });
  const ledger = openLedger();
  const connection = await target.connect(ledger);
  const calls = Promise.all([connection.call(STATUS), connection.call(STATUS)]);
  const { code, reason, ours } = await connection.close();
  assertEquals([code, reason, ours], [1011, "oops", false]);
  assertEquals((await calls).map(({ status }) => status), ["connectionLost", "connectionLost"]);
  assertEquals(ledger.closeCodes, { 1011: 1 });
});

Deno.test({ name: "an abort ends outstanding calls and blocks new ones", ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "silent" }) });
  const controller = new AbortController();
  using target = targetAt(server.url, { timeoutMs: 60_000, signal: controller.signal });
  const ledger = openLedger();
  {
    await using connection = await target.connect(ledger);
    const calls = [connection.call(STATUS), connection.call(STATUS)];
    controller.abort();
    assertEquals((await Promise.all(calls)).map(({ status }) => status), ["aborted", "aborted"]);
    assertEquals(connection.isOpen, false);
    assertThrows(() => connection.send(STATUS, () => {}), Error, "aborted");
  }
  assertEquals(settleLedger(ledger, false), ledgerWith({ sent: 2, aborted: 2 }));
});

Deno.test({ name: "a reply to an aborted call before the close is late", ignore }, async () => {
  await using server = await startFaultyServer({ script: [{ kind: "late", ms: 20 }] });
  const controller = new AbortController();
  using target = targetAt(server.url, { timeoutMs: 60_000, signal: controller.signal });
  const ledger = openLedger();
  {
    await using connection = await target.connect(ledger);
    const call = connection.call(STATUS);
    controller.abort();
    await call;
  }
  assertEquals(
    settleLedger(ledger, false),
    ledgerWith({ sent: 1, aborted: 1, frames: { received: 2, progress: 1, late: 1 } }),
  );
});

Deno.test({ name: "an abort shortens the wait of a close for late frames", ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "silent" }) });
  const clock = createFakeClock();
  const controller = new AbortController();
  using target = targetAt(server.url, { clock, timeoutMs: 60_000, signal: controller.signal });
  const connection = await target.connect(openLedger());
  const call = connection.call(STATUS);
  clock.advance(60_000);
  await call;
  const closing = connection.close();
  await turnOfEvents();
  controller.abort();
  await turnOfEvents();
  clock.advance(500);
  assertEquals((await closing).code, 1000);
});

Deno.test({ name: "frames right after the acceptance are in the ledger", ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    answerSoundly(peer, message);
    if (message?.op !== "hello") return;
    peer.send("not JSON");
    successFrames("never-sent").forEach(peer.send);
    peer.send(HELLO_ACK);
  });
  using target = targetAt(server.url);
  const ledger = openLedger();
  {
    await using connection = await target.connect(ledger);
    await connection.call(STATUS);
  }
  assertEquals(
    countsOf(settleLedger(ledger, false)),
    ledgerWith({
      sent: 1,
      ok: 1,
      frames: { received: 6, final: 1, progress: 1, orphan: 2, malformed: 2 },
    }),
  );
});

Deno.test({ name: "frames before the acceptance are not in the ledger", ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "hello") ["welcome", { op: "banner" }].forEach(peer.send);
    answerSoundly(peer, message);
  });
  using target = targetAt(server.url);
  const ledger = openLedger();
  const connection = await target.connect(ledger);
  await connection.close();
  assertEquals(ledger.frames.received, 0);
});

Deno.test({ name: "an abort ends an unanswered handshake, and a dial", ignore }, async () => {
  const controller = new AbortController();
  await using server = startScriptedServer(() => controller.abort()); // When hello has arrived.
  using target = targetAt(server.url, { timeoutMs: 60_000, signal: controller.signal });
  const failure = await assertRejects(() => target.connect(openLedger()), ConnectError);
  assertEquals(failure.failure, "aborted");
  assertEquals(
    (await assertRejects(() => target.connect(openLedger()), ConnectError)).failure,
    "aborted",
  );
});

Deno.test({ name: "a refused handshake is reported even without its close", ignore }, async () => {
  const refused = Promise.withResolvers<void>();
  await using server = startScriptedServer((peer) => {
    peer.send({ op: "hello_ack", ok: false, error: "jwt_required" });
    refused.resolve();
  });
  const clock = createFakeClock();
  using target = targetAt(server.url, { clock, timeoutMs: 60_000 });
  const connecting = target.connect(openLedger());
  const rejected = assertRejects(() => connecting, ConnectError, "jwt_required");
  await refused.promise;
  while (clock.pending > 0 && !await isSettled(rejected)) {
    await turnOfEvents();
    clock.advance(100);
  }
  assertEquals((await rejected).failure, "unauthorized");
  assert(clock.nowNs() < 60_000e6, "well before the timeout of the handshake");
});

Deno.test({ name: "connections leave no listener on the signal of the run", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (nth): Behaviour =>
      nth % 2 === 0 ? { kind: "closeHalfway", code: 1011 } : { kind: "ok" },
    handshakes: (nth) => ({ kind: nth % 5 === 0 ? "helloRefused" : "ok" }),
  });
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  Object.assign(signal, {
    addEventListener(...args: Parameters<AbortSignal["addEventListener"]>) {
      listeners++;
      addEventListener.apply(signal, args);
    },
    removeEventListener(...args: Parameters<AbortSignal["removeEventListener"]>) {
      listeners--;
      removeEventListener.apply(signal, args);
    },
  });
  using target = targetAt(server.url, { signal });
  for (let nth = 1; nth <= 10; nth++) {
    try {
      await using connection = await target.connect(openLedger());
      await connection.call(STATUS);
    } catch (error) {
      assert(error instanceof ConnectError);
    }
  }
  assertEquals([server.connectionsSeen, listeners], [10, 0]);
});
