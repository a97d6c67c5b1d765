import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, Scalar, ScenarioReport } from "../../lib/schema.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/serve.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import { runScenarioAt } from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET as ignore, TOKEN } from "../support/targets.ts";

/** One round of 100 slots in half a second. */
const SHORT = {
  rounds: 1,
  ratePerSecond: 200,
  durationMs: 500,
  connections: 2,
  warmupMs: 0,
} as const;

const OK: Behaviour = { kind: "ok" };

/** The behaviour for one call, all others being fine. */
function onCall(nth: number, behaviour: Behaviour): (call: number) => Behaviour {
  return (call) => call === nth ? behaviour : OK;
}

function distribution({ metrics }: ScenarioReport, name: string): Distribution {
  return metrics.find((metric) => metric.name === name) as Distribution;
}

function everySlotSent({ checks }: ScenarioReport): { passed: boolean; observed: string } {
  return checks.find(({ name }) => name === "every slot sent")!;
}

Deno.test({ name: "open-loop sends every slot to a real server", ignore }, async () => {
  await using server = await startServer(defaultServerOptions({ token: TOKEN, limits: "off" }));
  const figures = await runScenarioAt(server.url, openLoop, {
    parameters: { rounds: 5, messages: 20, durationMs: null, warmupMs: 50 },
    target: { timeoutMs: 5_000 },
  });
  assertEquals(figures.status, "passed");
  assertEquals(
    figures.ledger,
    ledgerWith({ sent: 500, ok: 500, frames: { received: 1000, final: 500, progress: 500 } }),
  );
  assertEquals(server.stats().callsServed, 500 + figures.warmupLedger.sent);
  assert(figures.warmupLedger.sent <= 2 * 500 * 0.05 + 10, "the warm-up keeps to the rate too");
  for (const name of ["latency", "serviceTime", "slip"]) {
    const { count, rounds } = distribution(figures, name);
    assertEquals([count, rounds.map((round) => round.count)], [500, [100, 100, 100, 100, 100]]);
  }
  const { series } = distribution(figures, "latency");
  assertEquals(series.reduce((sum, { count }) => sum + count, 0), 500);
  const throughput = figures.metrics.find(({ name }) => name === "throughput") as Scalar;
  assert(throughput.rounds.every((value) => value <= 500), "no more than was asked for");
});

Deno.test({ name: "open-loop repeats a Poisson schedule by its seed", ignore }, async () => {
  await using server = await startFaultyServer();
  const run = () =>
    runScenarioAt(server.url, openLoop, { parameters: { ...SHORT, arrivals: "poisson" } });
  const [first, second] = [await run(), await run()];
  assertEquals(first.ledger.sent, second.ledger.sent);
  assert(first.ledger.sent > 50 && first.ledger.sent < 150 && first.ledger.sent !== 100);
});

Deno.test({ name: "a slow reply does not delay the schedule of the others", ignore }, async () => {
  await using server = await startFaultyServer({ script: onCall(10, { kind: "late", ms: 1_500 }) });
  const figures = await runScenarioAt(server.url, openLoop, {
    parameters: { ...SHORT, connections: 1 },
    target: { timeoutMs: 5_000 },
  });
  assertEquals(figures.ledger.ok, 100);
  const { max, p75 } = distribution(figures, "latency");
  // A loop that waited for it would send 90 of the 100 late, each of them by over a second.
  assert(max >= 1_500e6 && p75! < 500e6, `p75 ${p75! / 1e6} ms`);
});

Deno.test(
  { name: "a stalled server is waited for, and the wait is in the latency", ignore },
  async () => {
    await using server = await startFaultyServer({
      script: onCall(20, { kind: "freeze", ms: 250 }),
    });
    const figures = await runScenarioAt(server.url, openLoop, {
      parameters: SHORT,
      target: { timeoutMs: 5_000 },
    });
    assertEquals([figures.status, figures.ledger.ok], ["passed", 100]);
    // 50 of the 100 calls fall due in the freeze, and wait for 125 ms in the mean.
    const { mean } = distribution(figures, "latency");
    assert(mean > 0.8 * 62.5e6, `mean ${mean / 1e6} ms`);
  },
);

Deno.test({
  name: "a client that is late says so, and its latency is slip and service time",
  ignore,
}, async () => {
  await using server = await startFaultyServer({
    // The server is on the client's own thread, and occupies it for 200 ms.
    script: (call) => {
      const untilMs = performance.now() + (call === 10 ? 200 : 0);
      while (performance.now() < untilMs);
      return OK;
    },
  });
  const figures = await runScenarioAt(server.url, openLoop, { parameters: SHORT });
  const [latency, serviceTime, slip] = ["latency", "serviceTime", "slip"].map((name) =>
    distribution(figures, name)
  );
  assertEquals([latency!.count, serviceTime!.count, slip!.count], [100, 100, 100]);
  assert(slip!.max > 150e6, `${slip!.max / 1e6} ms`);
  assert(Math.abs(latency!.mean - serviceTime!.mean - slip!.mean) < 0.001 * latency!.mean);
  assertEquals(figures.validity.valid, false);
  assert(figures.validity.warnings.some((warning) => warning.startsWith("slip: ")));
});

Deno.test({ name: "slots past the bound are dropped, and fail the check", ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 50 }) });
  const figures = await runScenarioAt(server.url, openLoop, {
    parameters: { ...SHORT, maxOutstanding: 3 },
  });
  const { sent, ok, dropped } = figures.ledger;
  assertEquals([sent + dropped, ok], [100, sent]);
  assertEquals(server.callsSeen, sent);
  assert(dropped >= 60, `${dropped} dropped: 3 of 10 slots fit in 50 ms`);
  assertEquals(figures.status, "failed");
  assertStringIncludes(everySlotSent(figures).observed, `${sent} of 100; ${dropped} dropped`);
});

Deno.test(
  { name: "a silent server ends the run, with every call accounted for", ignore },
  async () => {
    await using server = await startFaultyServer({ script: () => ({ kind: "silent" }) });
    const figures = await runScenarioAt(server.url, openLoop, {
      parameters: { ...SHORT, durationMs: 60_000, maxOutstanding: 1_000 },
      target: { timeoutMs: 150 },
    });
    const { sent } = figures.ledger;
    assertEquals(figures.ledger, ledgerWith({ sent, timeout: sent }));
    assertEquals([server.callsSeen, everySlotSent(figures).passed], [sent, false]);
    assertStringIncludes(everySlotSent(figures).observed, "the server went silent");
  },
);

Deno.test({ name: "a server that dies half-way ends the run", ignore }, async () => {
  await using server = await startFaultyServer({ script: onCall(50, { kind: "abruptClose" }) });
  const figures = await runScenarioAt(server.url, openLoop, {
    parameters: { ...SHORT, connections: 1, durationMs: 60_000 },
  });
  const { sent, ok, connectionLost, dropped, frames, closeCodes } = figures.ledger;
  assertEquals([sent, ok >= 40, dropped], [ok + connectionLost, true, 1]);
  assertEquals(frames.final, ok);
  assertEquals(Object.keys(closeCodes).length, 1);
  assertStringIncludes(everySlotSent(figures).observed, "every connection was lost");
});

Deno.test(
  { name: "when one of two connections dies, its slots alone are dropped", ignore },
  async () => {
    const script = onCall(50, { kind: "closeHalfway", code: 1011 });
    await using server = await startFaultyServer({ script });
    const figures = await runScenarioAt(server.url, openLoop, { parameters: SHORT });
    const { sent, ok, connectionLost, dropped, closeCodes } = figures.ledger;
    assertEquals([sent + dropped, sent], [100, ok + connectionLost]);
    assert(ok >= 70 && dropped >= 15 && connectionLost >= 1, `${ok} ok, ${dropped} dropped`);
    assertEquals(closeCodes, { "1011": 1 });
  },
);

Deno.test({ name: "an interrupt ends the run at once, with whole accounts", ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 60 }) });
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("interrupted")), 200);
  const figures = await runScenarioAt(server.url, openLoop, {
    parameters: { ...SHORT, durationMs: 60_000 },
    target: { signal: controller.signal, timeoutMs: 5_000 },
  });
  clearTimeout(timer);
  const { sent, ok, aborted, dropped } = figures.ledger;
  assertEquals([figures.status, sent, dropped], ["interrupted", ok + aborted, 0]);
  assert(aborted > 0 && figures.checks.find(({ name }) => name === "ledger reconciles")!.passed);
});
