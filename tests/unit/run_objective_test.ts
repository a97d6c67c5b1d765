import { assertEquals } from "@std/assert";
import type { Call, CallStatus } from "../../lib/client/call_book.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { Objective } from "../../lib/run/objective.ts";
import type { PacedResult } from "../../lib/run/paced.ts";

/** A call that was to be sent at 0. */
function call(times: { sentMs?: number; endedMs: number; status?: CallStatus }): Call {
  return {
    id: "1",
    nth: 1,
    ledger: openLedger(),
    onEnd: () => {},
    sentNs: (times.sentMs ?? 0) * 1e6,
    endedNs: times.endedMs * 1e6,
    status: times.status ?? "ok",
    streamed: false,
    firstProgressNs: 0,
    fromCache: false,
    errorCode: "",
    errorMessage: "",
  };
}

function result(overrides: Partial<PacedResult> = {}): PacedResult {
  return {
    slots: 200,
    sent: 200,
    ok: 200,
    dropped: 0,
    startNs: 0,
    endNs: 1e9,
    achievedPerSecond: 200,
    end: "complete",
    late: 0,
    ...overrides,
  };
}

const objective = () => new Objective({ sloMs: 50, slots: 200, maxOutstanding: 20 });

Deno.test("1 % of slow calls meets the objective, one more misses it at once", () => {
  const run = objective();
  assertEquals([51, 50, 51].map((endedMs) => run.note(call({ endedMs }), 0)), [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals([run.miss(result()), run.isClientBound(result())], [null, false]);
  assertEquals(run.note(call({ endedMs: 51 }), 0), "stop");
  assertEquals(run.miss(result({ end: "stopped" })), "3 of 200 calls took over 50 ms");
  assertEquals(run.isClientBound(result()), false);
});

Deno.test("one failed call misses it", () => {
  const run = objective();
  assertEquals(run.note(call({ endedMs: 1, status: "toolError" }), 0), "stop");
  assertEquals(run.miss(result({ ok: 199 })), "1 of 200 calls failed, 199 succeeded");
});

Deno.test("a miss by calls that were sent late is the client's", () => {
  const run = objective();
  for (let index = 0; index < 5; index++) run.note(call({ sentMs: 45, endedMs: 60 }), 0);
  assertEquals(run.isClientBound(result()), true);
  assertEquals(
    run.miss(result()),
    "5 of 200 calls took over 50 ms, 5 of them as the client sent them late",
  );
  for (let index = 0; index < 3; index++) run.note(call({ endedMs: 60 }), 0);
  assertEquals(run.isClientBound(result()), false, "without those it were missed all the same");
});

Deno.test("dropped slots are the server's, unless the client sent in a burst", () => {
  const dropped = result({ dropped: 1, end: "stopped" });
  const run = objective();
  run.note(call({ sentMs: 1, endedMs: 2 }), 0);
  assertEquals(run.miss(dropped), "the server fell behind by 20 calls");
  assertEquals(run.isClientBound(dropped), false);
  run.note(call({ sentMs: 51, endedMs: 52 }), 0);
  assertEquals(run.isClientBound(dropped), true);
});

Deno.test("a server has gone when it closed everything or answered nothing", () => {
  assertEquals(objective().isServerGone(result()), false);
  assertEquals(objective().isServerGone(result({ end: "connectionLost" })), true);
  assertEquals(objective().isServerGone(result({ end: "silent" })), true);
  const run = objective();
  run.note(call({ endedMs: 100, status: "timeout" }), 0);
  assertEquals(run.isServerGone(result({ ok: 1 })), false);
  assertEquals(run.isServerGone(result({ ok: 0 })), true);
  assertEquals(run.miss(result({ ok: 0 })), "the server answered nothing");
});
