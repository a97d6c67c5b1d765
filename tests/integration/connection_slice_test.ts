/**
 * Slices and probes on real sockets: what counts in which ledger and figure.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Call } from "../../lib/client/call.ts";
import { systemClock } from "../../lib/client/clock.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { type ClosedSliceOptions, probing, runClosedSlice } from "../../lib/load/closed.ts";
import { exai } from "../../lib/protocols/exai.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import type { Protocol } from "../../lib/protocols/protocol.ts";
import { answerSoundly, type Script, startScriptedServer } from "../support/scripted_server.ts";
import {
  countsOf,
  ledgerWith,
  NO_NET as ignore,
  SHORT_TIMEOUT_MS,
  STATUS,
  targetAt,
} from "../support/targets.ts";

const MS = 1e6;
type Probe = typeof exai.routingProbes[0];
const [PING, UNKNOWN_OP] = exai.routingProbes as [Probe, Probe];

/** Answers pings as the November build does, and calls as usual. */
const pongs: Script = (peer, message) =>
  message?.op === "ping"
    ? peer.send({ op: "pong", request_id: message.request_id })
    : answerSoundly(peer, message);

async function withConnections(
  script: Script,
  test: (connections: Connection[], options: ClosedSliceOptions) => Promise<void>,
  { count = 1, protocol = exai as Protocol, timeoutMs = SHORT_TIMEOUT_MS * 50 } = {},
): Promise<void> {
  await using server = startScriptedServer(script);
  using target = targetAt(server.url, { protocol, timeoutMs });
  await using opened = new AsyncDisposableStack();
  const warmupLedger = openLedger();
  const connections: Connection[] = [];
  for (let index = 0; index < count; index++) {
    connections.push(opened.use(await target.connect(warmupLedger)));
  }
  await test(connections, {
    message: () => STATUS,
    inFlight: 1,
    leadInNs: 0,
    messages: null,
    durationNs: null,
    maxRatePerSecond: null,
    warmupLedger,
    ledger: openLedger(),
    clock: systemClock,
    signal: new AbortController().signal,
  });
}

/** Sends a probe and resolves when it ends. */
function probeOnce(connection: Connection, probe: Probe): Promise<Call> {
  return new Promise((resolve) => connection.probe(probe, (end) => resolve({ ...end })));
}

for (const inFlight of [1, 8]) {
  Deno.test({
    name: `a counted slice makes exactly its calls on every connection, ${inFlight} in flight`,
    ignore,
  }, () =>
    withConnections(answerSoundly, async (connections, options) => {
      const { ledger, warmupLedger } = options;
      let leadIn = 0;
      for (const messages of [1, 7, 50]) {
        const before = ledger.sent;
        const { end, timesNs, clients, censored } = await runClosedSlice(connections, {
          ...options,
          inFlight,
          leadInNs: 20 * MS,
          messages,
          onCall: (_call, measured) => void (measured || leadIn++),
        });
        assertEquals([end, censored], ["complete", 0]);
        assertEquals(ledger.sent - before, messages * connections.length);
        assertEquals(timesNs.length, messages * connections.length);
        for (const { ok, windowNs } of clients) {
          // Calls of the lead-in end in the window too, except the one that opened it.
          assert(ok >= messages && ok < messages + inFlight, `${ok} of ${messages}`);
          assert(windowNs > 0);
        }
        assertEquals(warmupLedger.sent, leadIn);
      }
      for (const one of [ledger, warmupLedger]) {
        assertEquals(brokenEquations(settleLedger(one, true)), []);
      }
    }, { count: 3 }));
}

Deno.test(
  { name: "the window of one call in flight is as long as its calls", ignore },
  () =>
    withConnections(answerSoundly, async (connections, options) => {
      for (const leadInNs of [0, 15 * MS]) {
        const { timesNs, clients: [client], ratePerSecond } = await runClosedSlice(connections, {
          ...options,
          leadInNs,
          durationNs: 30 * MS,
        });
        const sumNs = timesNs.reduce((sum, ns) => sum + ns, 0);
        assertEquals(client!.ok, timesNs.length);
        assert(client!.windowNs >= 30 * MS);
        assert(Math.abs(sumNs - client!.windowNs) < 1, `${sumNs} and ${client!.windowNs}`);
        assert(Math.abs(ratePerSecond * sumNs / 1e9 - timesNs.length) < 1e-6);
      }
      assertEquals(options.ledger.ok, options.ledger.sent);
    }),
);

Deno.test({ name: "stray frames between slices are not counted as measured", ignore }, () => {
  const greetings: Script = (peer, message) => {
    answerSoundly(peer, message);
    if (message?.op === "call_tool") setTimeout(() => peer.send("stray"), 50);
  };
  return withConnections(greetings, async (connections, options) => {
    const { ledger, warmupLedger } = options;
    await runClosedSlice(connections, { ...options, messages: 1 });
    await new Promise((resolve) => setTimeout(resolve, 150));
    assertEquals([ledger.frames.malformed, warmupLedger.frames.malformed], [0, 1]);
  });
});

Deno.test({ name: "a server with 32-bit ids serves any number of calls", ignore }, () => {
  const truncating: Script = (peer, _message, text) => {
    const { id, method } = JSON.parse(text);
    if (id === undefined) return;
    const result = method === "initialize" ? { protocolVersion: "2025-11-25" } : { content: [] };
    peer.send({ jsonrpc: "2.0", id: id | 0, result });
  };
  return withConnections(truncating, async (connections, options) => {
    const { end, timesNs } = await runClosedSlice(connections, { ...options, messages: 2_500 });
    assertEquals([end, timesNs.length], ["complete", 2_500]);
    assertEquals(options.ledger.frames.orphan, 0);
  }, { protocol: mcp });
});

Deno.test(
  { name: "probes are timed by the same slice, and are in no ledger", ignore },
  () =>
    withConnections(pongs, async ([connection], options) => {
      const { warmupLedger, ledger } = options;
      assertEquals((await connection!.call(STATUS)).status, "ok");
      const { end, timesNs } = await runClosedSlice([probing(connection!, PING)], {
        ...options,
        leadInNs: 5 * MS,
        messages: 40,
      });
      assertEquals([end, timesNs.length], ["complete", 40]);
      assertEquals((await connection!.call(STATUS)).status, "ok");
      const counts = { sent: 2, ok: 2, frames: { received: 4, final: 2, progress: 2 } };
      assertEquals(settleLedger(warmupLedger, true), ledgerWith(counts));
      assertEquals(settleLedger(ledger, true), ledgerWith({}));
    }),
);

const REFUSALS: [string, Script, Probe, string][] = [
  ["an error", (peer) => peer.send({ error: { code: "INVALID_REQUEST" } }), PING, "toolError"],
  ["a rate limit", (peer) => peer.send({ error: { code: "OVER_CAPACITY" } }), PING, "rateLimited"],
  ["silence", () => {}, PING, "timeout"],
  ["a close", (peer) => peer.close(1011), PING, "connectionLost"],
  [
    "an error that answers it",
    (peer, message) =>
      peer.send({
        error: { code: "INVALID_REQUEST", message: `Unknown operation: ${message?.op}` },
      }),
    UNKNOWN_OP,
    "ok",
  ],
];

for (const [what, answer, probe, status] of REFUSALS) {
  Deno.test({ name: `a probe that gets ${what} ends as ${status}`, ignore }, () => {
    const script: Script = (peer, message, text) =>
      message?.op?.startsWith("ping") ? answer(peer, message, text) : answerSoundly(peer, message);
    return withConnections(script, async ([connection], { warmupLedger }) => {
      assertEquals((await probeOnce(connection!, probe)).status, status);
      const { closeCodes, ...counts } = settleLedger(warmupLedger, true);
      const { closeCodes: _, ...zero } = ledgerWith({});
      assertEquals(counts, zero);
      assertEquals(Object.keys(closeCodes).length, status === "connectionLost" ? 1 : 0);
    }, { timeoutMs: SHORT_TIMEOUT_MS });
  });
}

Deno.test({ name: "frames unrelated to a probe count as usual", ignore }, () => {
  const noisy: Script = (peer, message) => {
    if (message?.op === "ping") {
      peer.send({ op: "pong", request_id: "somebody-else" });
      peer.send({ op: "call_tool_res", request_id: "somebody-else", outputs: [] });
    }
    pongs(peer, message, "");
  };
  return withConnections(noisy, async ([connection], { warmupLedger }) => {
    assertEquals((await probeOnce(connection!, PING)).status, "ok");
    assertEquals(
      countsOf(settleLedger(warmupLedger, true)),
      ledgerWith({ frames: { received: 2, orphan: 1, malformed: 1 } }),
    );
  });
});
