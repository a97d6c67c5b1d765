import { assertEquals } from "@std/assert";
import type { Ledger } from "../../lib/schema.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import {
  countsOf,
  type LedgerCounts,
  ledgerWith,
  NO_NET as ignore,
  SHORT_TIMEOUT_MS,
  STATUS,
  targetAt,
} from "../support/targets.ts";

/** After the call times out, before the connection stops waiting for late frames. */
const LATE_MS = SHORT_TIMEOUT_MS + 80;

const OVER_CAPACITY = { OVER_CAPACITY: 1 };

/** Replies to the calls of a connection, made in sequence, and the complete ledger. */
const SEQUENCES: [string, Behaviour[], LedgerCounts][] = [
  ["a computed success", [{ kind: "ok" }], {
    sent: 1,
    ok: 1,
    frames: { received: 2, final: 1, progress: 1 },
  }],
  ["a result for another id", [{ kind: "wrongId" }], {
    sent: 1,
    timeout: 1,
    frames: { received: 1, orphan: 1 },
  }],
  ["a result that comes twice", [{ kind: "duplicate" }], {
    sent: 1,
    ok: 1,
    frames: { received: 3, final: 1, progress: 1, duplicate: 1 },
  }],
  ["a result nobody asked for", [{ kind: "orphan" }], {
    sent: 1,
    ok: 1,
    frames: { received: 3, final: 1, progress: 1, orphan: 1 },
  }],
  ["a late success", [{ kind: "late", ms: LATE_MS }], {
    sent: 1,
    timeout: 1,
    frames: { received: 2, progress: 1, late: 1 },
  }],
  ["silence", [{ kind: "silent" }], { sent: 1, timeout: 1 }],
  ["text that is not JSON", [{ kind: "garbage" }], {
    sent: 1,
    timeout: 1,
    frames: { received: 1, malformed: 1 },
  }],
  ["JSON in binary frames", [{ kind: "binary" }], {
    sent: 1,
    ok: 1,
    frames: { received: 2, final: 1, progress: 1 },
  }],
  ["an unknown shape", [{ kind: "unknownShape" }], {
    sent: 1,
    timeout: 1,
    frames: { received: 1, malformed: 1 },
  }],
  ["a close instead of the answer", [{ kind: "ok" }, { kind: "closeHalfway", code: 1011 }], {
    sent: 2,
    ok: 1,
    connectionLost: 1,
    frames: { received: 2, final: 1, progress: 1 },
    closeCodes: { 1011: 1 },
  }],
  ["a cut connection", [{ kind: "abruptClose" }], {
    sent: 1,
    connectionLost: 1,
    closeCodes: { 1006: 1 },
  }],
  ["a rate limit without an id", [{ kind: "rateLimitNoId" }], {
    sent: 1,
    rateLimited: 1,
    frames: { received: 1, final: 1 },
    errorCodes: OVER_CAPACITY,
  }],
  ["a rate limit without an id after silence", [{ kind: "silent" }, { kind: "rateLimitNoId" }], {
    sent: 2,
    timeout: 2,
    frames: { received: 1, orphan: 1 },
  }],
  ["an error without an id", [{ kind: "errorNoId" }], {
    sent: 1,
    toolError: 1,
    frames: { received: 1, final: 1 },
    errorCodes: { TOOL_NOT_FOUND: 1 },
  }],
  ["an error for the call", [{ kind: "toolError" }, { kind: "toolError" }], {
    sent: 2,
    toolError: 2,
    frames: { received: 2, final: 2 },
    errorCodes: { INTERNAL_ERROR: 2 },
  }],
  [
    "an identical error that is dropped",
    [{ kind: "identicalFrameDrop" }, { kind: "identicalFrameDrop" }, { kind: "ok" }],
    {
      sent: 3,
      ok: 1,
      rateLimited: 1,
      timeout: 1,
      frames: { received: 3, final: 2, progress: 1 },
      errorCodes: OVER_CAPACITY,
    },
  ],
  ["a success without stream_complete from a server that never sends it", [
    { kind: "okWithoutStreamComplete" },
  ], { sent: 1, ok: 1, frames: { received: 1, final: 1 } }],
  ["a success without stream_complete from a server that sends it", [
    { kind: "okWithoutStreamComplete" },
    { kind: "ok" },
  ], { sent: 2, ok: 2, cached: 1, frames: { received: 3, final: 2, progress: 1 } }],
  ["a success from a cache", [{ kind: "fromCache" }], {
    sent: 1,
    ok: 1,
    cached: 1,
    frames: { received: 1, final: 1 },
  }],
  ["progress before the result", [{ kind: "progressThenOk" }], {
    sent: 1,
    ok: 1,
    frames: { received: 4, final: 1, progress: 3 },
  }],
  [
    "all of it in one session",
    [
      { kind: "duplicate" },
      { kind: "rateLimitNoId" },
      { kind: "progressThenOk" },
      { kind: "late", ms: LATE_MS },
      { kind: "garbage" },
      { kind: "ok" },
      { kind: "errorNoId" },
      { kind: "orphan" },
      { kind: "fromCache" },
      { kind: "closeHalfway", code: 1008, reason: "enough" },
    ],
    {
      sent: 10,
      ok: 5,
      cached: 1,
      toolError: 1,
      rateLimited: 1,
      timeout: 2,
      connectionLost: 1,
      frames: {
        received: 18,
        final: 7,
        progress: 7,
        late: 1,
        duplicate: 1,
        orphan: 1,
        malformed: 1,
      },
      errorCodes: { OVER_CAPACITY: 1, TOOL_NOT_FOUND: 1 },
      closeCodes: { 1008: 1 },
      closeReasons: { 1008: "enough" },
    },
  ],
];

/** A short timeout only if the test waits for one. */
function timeoutFor({ timeout = 0 }: LedgerCounts): { timeoutMs?: number } {
  return timeout === 0 ? {} : { timeoutMs: SHORT_TIMEOUT_MS };
}

async function callInTurn(connection: Connection, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await connection.call(STATUS);
}

for (const [name, script, expected] of SEQUENCES) {
  Deno.test({ name: `the ledger is exact for ${name}`, ignore }, async () => {
    await using server = await startFaultyServer({ script });
    using target = targetAt(server.url, timeoutFor(expected));
    const ledger = openLedger();
    {
      await using connection = await target.connect(ledger);
      await callInTurn(connection, script.length);
    }
    const settled = settleLedger(ledger, target.observed.streamComplete);
    assertEquals(countsOf(settled), ledgerWith(expected));
    assertEquals(brokenEquations(settled), []);
    assertEquals([server.callsSeen, server.framesSent], [settled.sent, settled.frames.received]);
  });
}

/** As above, but with all calls in flight. */
const PIPELINES: [string, Behaviour[], LedgerCounts][] = [
  ["successes", [{ kind: "ok" }, { kind: "ok" }, { kind: "ok" }], {
    sent: 3,
    ok: 3,
    frames: { received: 6, final: 3, progress: 3 },
  }],
  ["a late one among others", [{ kind: "late", ms: 30 }, { kind: "ok" }, { kind: "ok" }], {
    sent: 3,
    ok: 3,
    frames: { received: 6, final: 3, progress: 3 },
  }],
  ["refusals without an id for several calls", [{ kind: "rateLimitNoId" }, { kind: "errorNoId" }], {
    sent: 2,
    timeout: 2,
    frames: { received: 2, orphan: 2 },
  }],
  [
    "a refusal when one call is left",
    [{ kind: "ok" }, { kind: "toolError" }, { kind: "rateLimitNoId" }],
    {
      sent: 3,
      ok: 1,
      toolError: 1,
      rateLimited: 1,
      frames: { received: 4, final: 3, progress: 1 },
      errorCodes: { INTERNAL_ERROR: 1, OVER_CAPACITY: 1 },
    },
  ],
  [
    "a close in the middle",
    [{ kind: "ok" }, { kind: "closeHalfway", code: 4000 }, { kind: "ok" }],
    {
      sent: 3,
      ok: 1,
      connectionLost: 2,
      frames: { received: 2, final: 1, progress: 1 },
      closeCodes: { 4000: 1 },
    },
  ],
];

for (const [name, script, expected] of PIPELINES) {
  Deno.test({ name: `the ledger of pipelined calls is exact for ${name}`, ignore }, async () => {
    await using server = await startFaultyServer({ script });
    using target = targetAt(server.url, timeoutFor(expected));
    const ledger = openLedger();
    {
      await using connection = await target.connect(ledger);
      await Promise.all(script.map(() => connection.call(STATUS)));
    }
    assertEquals(settle(ledger), ledgerWith(expected));
  });
}

function settle(ledger: ReturnType<typeof openLedger>): Ledger {
  return countsOf(settleLedger(ledger, false));
}

Deno.test({ name: "late frames of the warm-up are in the warm-up's ledger", ignore }, async () => {
  const script: Behaviour[] = [{ kind: "late", ms: LATE_MS }, { kind: "silent" }, { kind: "ok" }];
  await using server = await startFaultyServer({ script });
  using target = targetAt(server.url, { timeoutMs: SHORT_TIMEOUT_MS });
  const [warmup, measured] = [openLedger(), openLedger()];
  {
    await using connection = await target.connect(warmup);
    await connection.call(STATUS);
    connection.useLedger(measured);
    await callInTurn(connection, 2);
  }
  assertEquals(
    settle(warmup),
    ledgerWith({ sent: 1, timeout: 1, frames: { received: 2, progress: 1, late: 1 } }),
  );
  assertEquals(
    settle(measured),
    ledgerWith({ sent: 2, ok: 1, timeout: 1, frames: { received: 2, final: 1, progress: 1 } }),
  );
});

Deno.test({ name: "the close of a connection counts in the ledger in use", ignore }, async () => {
  await using server = await startFaultyServer({
    script: [{ kind: "ok" }, { kind: "closeHalfway", code: 1001 }],
  });
  using target = targetAt(server.url);
  const [warmup, measured] = [openLedger(), openLedger()];
  await using connection = await target.connect(warmup);
  await connection.call(STATUS);
  connection.useLedger(measured);
  assertEquals((await connection.call(STATUS)).status, "connectionLost");
  assertEquals([warmup.closeCodes, measured.closeCodes], [{}, { 1001: 1 }]);
});

Deno.test({ name: "a close by this side is not counted as a close code", ignore }, async () => {
  await using server = await startFaultyServer();
  using target = targetAt(server.url);
  const ledger = openLedger();
  const connection = await target.connect(ledger);
  const { code, ours } = await connection.close();
  assertEquals([code, ours, ledger.closeCodes], [1000, true, {}]);
});

Deno.test({ name: "the calls of many connections have distinct ids", ignore }, async () => {
  await using server = await startFaultyServer();
  using target = targetAt(server.url);
  const ids = new Set<string>();
  for (let opened = 0; opened < 3; opened++) {
    await using connection = await target.connect(openLedger());
    for (let call = 0; call < 3; call++) ids.add((await connection.call(STATUS)).id);
  }
  assertEquals(ids.size, 9);
});
