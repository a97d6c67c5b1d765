// Runs alone: paces calls.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, ScenarioReport } from "../../lib/schema.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  metricNamed,
  NO_OVERRIDES,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET as ignore } from "../support/targets.ts";

/** 100 slots in half a second. */
const SHORT = { ratePerSecond: 200, durationMs: 500, connections: 2 } as const;
const ONCE = { epochs: 1, cold: true, timeoutMs: 5_000 };

const OK: Behaviour = { kind: "ok" };

/** One call behaves differently; all others succeed. */
function onCall(nth: number, behaviour: Behaviour): (call: number) => Behaviour {
  return (call) => call === nth ? behaviour : OK;
}

function distribution(report: ScenarioReport, name: string): Distribution {
  return metricNamed(report, name, "distribution");
}

function everySlotSent(report: ScenarioReport): { passed: boolean; observed: string } {
  return checkNamed(report, "every slot sent");
}

Deno.test("open-loop sends every slot to a real server", { ignore }, async () => {
  await using server = await startReference();
  const figures = await runScenario(openLoop, { messages: 20, durationMs: null }, {
    ...server,
    epochs: 5,
    settings: { overrides: { ...NO_OVERRIDES, warmupMs: 50 } },
  });
  assertEquals(figures.status, "passed");
  assertEquals(
    figures.ledger,
    ledgerWith({ sent: 500, ok: 500, frames: { received: 1000, final: 500, progress: 500 } }),
  );
  assertEquals(server.stats().callsServed, 500 + figures.warmupLedger.sent);
  assert(figures.warmupLedger.sent <= 2 * 500 * 0.05 + 10, "the warm-up exceeded the rate");
  for (const name of ["latency", "serviceTime", "slip"]) {
    const { count, epochs } = distribution(figures, name);
    assertEquals([count, epochs.map((epoch) => epoch.count)], [500, [100, 100, 100, 100, 100]]);
  }
  const { series } = distribution(figures, "latency");
  assertEquals(series.reduce((sum, { count }) => sum + count, 0), 500);
  const throughput = metricNamed(figures, "throughput", "scalar");
  // A late first slot shortens the time of the 100.
  assert(throughput.epochs.every((value) => value <= 550), throughput.epochs.join());
});

Deno.test("open-loop repeats a Poisson schedule with the same seed", { ignore }, async () => {
  await using server = await startFaultyServer();
  const run = () =>
    runScenario(openLoop, { ...SHORT, arrivals: "poisson" }, { ...server, ...ONCE });
  const [first, second] = [await run(), await run()];
  assertEquals(first.ledger.sent, second.ledger.sent);
  assert(first.ledger.sent > 50 && first.ledger.sent < 150 && first.ledger.sent !== 100);
});

Deno.test("a number of messages is exact with random arrivals too", { ignore }, async () => {
  await using server = await startFaultyServer();
  const counted = { arrivals: "poisson", messages: 20, durationMs: null } as const;
  const { ledger } = await runScenario(openLoop, counted, { ...server, epochs: 3, leadInMs: 40 });
  assertEquals(ledger.sent, 3 * 5 * 20);
});

Deno.test("a slow reply does not delay the other slots", { ignore }, async () => {
  await using server = await startFaultyServer({ script: onCall(10, { kind: "late", ms: 1_500 }) });
  const figures = await runScenario(openLoop, { ...SHORT, connections: 1 }, { ...server, ...ONCE });
  assertEquals(figures.ledger.ok, 100);
  const { max, p75 } = distribution(figures, "latency");
  // A loop that waited for it would send 90 of the 100 over a second late.
  assert(max >= 1_500e6 && p75! < 500e6, `p75 ${p75! / 1e6} ms`);
});

Deno.test("the latency includes the wait for a stalled server", { ignore }, async () => {
  await using server = await startFaultyServer({ script: onCall(20, { kind: "freeze", ms: 250 }) });
  const figures = await runScenario(openLoop, SHORT, { ...server, ...ONCE });
  assertEquals([figures.status, figures.ledger.ok], ["passed", 100]);
  // 50 of the 100 calls are due during the freeze, and wait 125 ms on average.
  const { mean } = distribution(figures, "latency");
  assert(mean > 0.8 * 62.5e6, `mean ${mean / 1e6} ms`);
});

Deno.test("a late client is reported; latency is slip plus service time", { ignore }, async () => {
  await using server = await startFaultyServer({
    // The server shares the client's thread, and blocks it for 200 ms.
    script: (call) => {
      const untilMs = performance.now() + (call === 10 ? 200 : 0);
      while (performance.now() < untilMs);
      return OK;
    },
  });
  const figures = await runScenario(openLoop, SHORT, { ...server, ...ONCE });
  const [latency, serviceTime, slip] = ["latency", "serviceTime", "slip"].map((name) =>
    distribution(figures, name)
  );
  assertEquals([latency!.count, serviceTime!.count, slip!.count], [100, 100, 100]);
  assert(slip!.max > 150e6, `${slip!.max / 1e6} ms`);
  assert(Math.abs(latency!.mean - serviceTime!.mean - slip!.mean) < 0.001 * latency!.mean);
  assertEquals(figures.validity.valid, false);
  assert(figures.validity.warnings.some((warning) => warning.kind === "clientLate"));
});

Deno.test("slots beyond --max-outstanding are dropped and fail the check", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 50 }) });
  const figures = await runScenario(openLoop, { ...SHORT, maxOutstanding: 3 }, {
    ...server,
    ...ONCE,
  });
  const { sent, ok, dropped } = figures.ledger;
  assertEquals([sent + dropped, ok], [100, sent]);
  assertEquals(server.callsSeen, sent);
  assert(dropped >= 60, `${dropped} dropped, though 3 of 10 slots fit in 50 ms`);
  assertEquals(figures.status, "failed");
  assertStringIncludes(everySlotSent(figures).observed, `${sent} of 100; ${dropped} dropped`);
});

Deno.test("a silent server ends the run with every call accounted for", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "silent" }) });
  const figures = await runScenario(openLoop, {
    ...SHORT,
    durationMs: 60_000,
    maxOutstanding: 1_000,
  }, { ...server, ...ONCE, timeoutMs: 150 });
  const { sent } = figures.ledger;
  assertEquals(figures.ledger, ledgerWith({ sent, timeout: sent }));
  assertEquals([server.callsSeen, everySlotSent(figures).passed], [sent, false]);
  assertStringIncludes(everySlotSent(figures).observed, "the server went silent");
});

Deno.test("a server that dies midway ends the run", { ignore }, async () => {
  await using server = await startFaultyServer({ script: onCall(50, { kind: "abruptClose" }) });
  const figures = await runScenario(openLoop, { ...SHORT, connections: 1, durationMs: 60_000 }, {
    ...server,
    ...ONCE,
  });
  const { sent, ok, connectionLost, dropped, frames, closeCodes } = figures.ledger;
  assertEquals([sent, ok >= 40, dropped], [ok + connectionLost, true, 1]);
  assertEquals(frames.final, ok);
  assertEquals(Object.keys(closeCodes).length, 1);
  assertStringIncludes(everySlotSent(figures).observed, "every connection was lost");
});

Deno.test("if one of two connections dies, only its slots are dropped", { ignore }, async () => {
  const script = onCall(50, { kind: "closeHalfway", code: 1011 });
  await using server = await startFaultyServer({ script });
  const figures = await runScenario(openLoop, SHORT, { ...server, ...ONCE });
  const { sent, ok, connectionLost, dropped, closeCodes } = figures.ledger;
  assertEquals([sent + dropped, sent], [100, ok + connectionLost]);
  assert(ok >= 70 && dropped >= 15 && connectionLost >= 1, `${ok} ok, ${dropped} dropped`);
  assertEquals(closeCodes, { "1011": 1 });
});

Deno.test("a server that falls behind is named as the bottleneck", { ignore }, async () => {
  // Answers 60 of 200 calls a second, over all connections.
  let freeAtMs = 0;
  await using server = await startFaultyServer({
    script: () => {
      freeAtMs = Math.max(freeAtMs, performance.now()) + 1000 / 60;
      return { kind: "late", ms: freeAtMs - performance.now() };
    },
  });
  const figures = await runScenario(openLoop, SHORT, { ...server, ...ONCE });
  const warning = figures.validity.warnings.find(({ kind }) => kind === "serverBehind")!;
  const { achievedPerSecond, offeredPerSecond, backlogPerSecond } = warning;
  assertEquals(offeredPerSecond, 200);
  assert(Number(achievedPerSecond) < 65 && Number(backlogPerSecond) > 100, warning.message);
  assertStringIncludes(warning.message, "of 200 calls/s");
  assertEquals(figures.validity.warnings.some(({ kind }) => kind === "clientLate"), false);
});

Deno.test("an interrupt ends the run immediately, ledger intact", { ignore }, async () => {
  const controller = new AbortController();
  await using server = await startFaultyServer({
    script: (nth) => {
      if (nth === 30) controller.abort(new Error("interrupted"));
      return { kind: "late", ms: 60 };
    },
  });
  const figures = await runScenario(openLoop, { ...SHORT, durationMs: 60_000 }, {
    ...server,
    ...ONCE,
    signal: controller.signal,
  });
  const { sent, ok, aborted, dropped } = figures.ledger;
  assertEquals([figures.status, sent, dropped], ["interrupted", ok + aborted, 0]);
  assert(aborted > 0 && figures.checks.find(({ name }) => name === "ledger reconciles")!.passed);
});

Deno.test(
  "open-loop sends at its own rate, whatever the cap of closed loops",
  { ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(openLoop, SHORT, { ...server, ...ONCE, maxRatePerSecond: 1 });
    assertEquals([report.status, report.ledger.ok, report.notes], ["passed", 100, []]);
  },
);
