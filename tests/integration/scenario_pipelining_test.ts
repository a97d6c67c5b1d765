import type { ScenarioReport } from "../../lib/schema.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exai } from "../../lib/protocols/exai.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { pipelining } from "../../scenarios/pipelining.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import { metricNamed, runScenario, startReference } from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET as ignore } from "../support/targets.ts";

const COUNTED = { messages: 64, durationMs: null };
/** One epoch and no warm-up, so every call is measured. */
const ONCE = { epochs: 1, cold: true, timeoutMs: 5_000 };

function orderCheck({ checks }: ScenarioReport) {
  return checks.find(({ kind }) => kind === "replyOrder")!;
}

Deno.test("pipelining measures every depth in every epoch, in order", { ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(pipelining, COUNTED, { ...server, epochs: 5 });
  const sent = 5 * 7 * 64;
  assertEquals([report.status, report.reason], ["passed", null]);
  assertEquals(
    report.ledger,
    ledgerWith({ sent, ok: sent, frames: { received: 2 * sent, final: sent, progress: sent } }),
  );
  assertEquals(report.warmupLedger.sent, 7 * 64);
  for (const inFlight of [1, 2, 4, 8, 16, 32, 64]) {
    const latency = metricNamed(report, "latency", "distribution", { inFlight });
    assertEquals([latency.count, latency.epochs.map(({ count }) => count)], [
      5 * 64,
      [64, 64, 64, 64, 64],
    ]);
    const throughput = metricNamed(report, "throughput", "scalar", { inFlight });
    assertEquals(throughput.epochs.length, 5);
    assertEquals(throughput.role, inFlight === 64 ? "headline" : "gate");
  }
  assertEquals(orderCheck(report).observed, `${sent} of ${sent} in order`);
});

Deno.test("a depth of 4 keeps exactly 4 calls in flight", { ignore }, async () => {
  const arrivalsMs: number[] = [];
  await using server = await startFaultyServer({
    script: () => {
      arrivalsMs.push(performance.now());
      return { kind: "late", ms: 100 };
    },
  });
  const report = await runScenario(
    pipelining,
    { messages: 9, durationMs: null, inFlight: 4 },
    { ...server, ...ONCE },
  );
  assertEquals(report.metrics.map(({ name, at }) => [name, at]), [
    ["latency", { inFlight: 4 }],
    ["throughput", { inFlight: 4 }],
  ]);
  assertEquals(arrivalsMs.length, 9);
  // Each call waits only for the reply to the fourth before it.
  for (let nth = 4; nth < 9; nth++) assert(arrivalsMs[nth]! - arrivalsMs[nth - 4]! >= 99);
  assert(arrivalsMs[8]! - arrivalsMs[0]! < 9 * 99 / 2, "two at a time, not four");
});

/**
 * Every second reply overtakes the one before it. The delay is long because the native WebSocket
 * can hold a call back for 40 ms, until the one before it is acknowledged (Nagle's algorithm).
 */
function startSwappingServer() {
  return startFaultyServer({
    script: (call) => call % 2 === 1 ? { kind: "late", ms: 120 } : { kind: "ok" },
  });
}

const SWAPPED = { messages: 6, durationMs: null, inFlight: 2 };

Deno.test("a reply that overtakes another breaks EXAI's promise", { ignore }, async () => {
  await using server = await startSwappingServer();
  const report = await runScenario(pipelining, SWAPPED, { ...server, ...ONCE });
  assertEquals([report.ledger.ok, report.status], [6, "failed"]);
  const { passed, observed } = orderCheck(report);
  assert(!passed && /^[1-5] of 6 out of order$/.test(observed), observed);
});

Deno.test("other protocols promise no order, so any is accepted", { ignore }, async () => {
  await using server = await startSwappingServer();
  const report = await runScenario(pipelining, SWAPPED, {
    ...server,
    ...ONCE,
    protocol: { ...exai, name: "mcp" },
  });
  assertEquals([orderCheck(report), report.status], [undefined, "passed"]);
  const note = report.notes?.find(({ kind }) => kind === "replyOrder");
  assertStringIncludes(
    note?.message ?? "",
    "of 6 out of order; the mcp protocol guarantees no order",
  );
});

Deno.test("a server that dies midway ends the sweep, ledger intact", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call === 30 ? "abruptClose" : "ok" }),
  });
  const report = await runScenario(
    pipelining,
    { messages: 8, durationMs: null },
    { ...server, ...ONCE },
  );
  const { sent, ok, connectionLost, frames } = report.ledger;
  // Three depths of eight calls each are done, and five calls of the fourth.
  assertEquals([sent, ok + connectionLost, frames.final], [32, 32, ok]);
  assert(connectionLost >= 1 && connectionLost <= 8 && report.status === "failed");
  const slices = report.checks.find(({ kind }) => kind === "slices")!;
  assertEquals([slices.passed, slices.seen, slices.wanted], [false, 3, 7]);
});

Deno.test("each concurrent client keeps --in-flight calls in flight", { ignore }, async () => {
  let waiting = 0;
  let most = 0;
  await using server = await startFaultyServer({
    script: () => {
      most = Math.max(most, ++waiting);
      setTimeout(() => waiting--, 100);
      return { kind: "late", ms: 100 };
    },
  });
  const report = await runScenario(concurrentConnections, {
    messages: 6,
    durationMs: null,
    connections: 2,
    inFlight: 3,
  }, { ...server, ...ONCE });
  // Both clients, and one alone.
  assertEquals([report.status, report.ledger.ok, most], ["passed", 2 * 6 + 6, 2 * 3]);
  assertEquals(report.parameters.inFlight, 3);
});
