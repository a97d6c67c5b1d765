import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Scalar, ScenarioReport } from "../../lib/schema.ts";
import { saturation } from "../../scenarios/saturation.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import { runScenarioAt } from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";

const SHORT = { rounds: 1, connections: 2, warmupMs: 0, durationMs: 250, sloMs: 60 };

/**
 * One server for all connections that takes this long for each call, one call at a time: its capacity is
 * 1000 / serviceMs calls/s, whatever its timers do, as each reply is due at a time of its own.
 */
function queueing(serviceMs: number): () => Behaviour {
  let freeAtMs = 0;
  return () => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs) + serviceMs;
    return { kind: "late", ms: freeAtMs - nowMs };
  };
}

function sustainable({ metrics }: ScenarioReport): Scalar | undefined {
  return metrics.find(({ name }) => name === "sustainableRate") as Scalar | undefined;
}

function found({ checks }: ScenarioReport) {
  return checks.find(({ name }) => name === "a rate is sustained")!;
}

Deno.test({ name: "saturation finds the capacity of a server", ignore }, async () => {
  await using server = await startFaultyServer({ script: queueing(8) });
  const figures = await runScenarioAt(server.url, saturation, {
    parameters: { ...SHORT, ratePerSecond: 110 },
    target: { timeoutMs: 5_000 },
  });
  const { value } = sustainable(figures)!;
  // 125 calls/s. A queue of 60 ms hides 8 % of overload for the 0.75 s of the confirming run. On a busy
  // machine calls miss the objective at lower rates, too.
  assert(value > 0.5 * 125 && value < 1.08 * 125, `${value} calls/s`);
  assertEquals(figures.status, "passed", JSON.stringify(figures.checks));
  const { sent, ok, dropped } = figures.ledger;
  assertEquals(sent, ok);
  assert(dropped <= 10, `at most one for each run that missed: ${dropped}`);
  const curve = figures.metrics.filter(({ at }) => at !== undefined);
  assert(curve.length >= 8, "latency and throughput of every rate tried");
  for (const { name, at } of curve) assertStringIncludes(name, `@${at!.ratePerSecond}`);
  const knee = figures.metrics.find(({ name }) => name === "knee") as Scalar;
  assert(knee.value <= value);
});

Deno.test(
  { name: "a server that meets nothing fails a check in plain words", ignore },
  async () => {
    await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 60 }) });
    const figures = await runScenarioAt(server.url, saturation, {
      parameters: { ...SHORT, durationMs: 50, ratePerSecond: 3, sloMs: 20 },
      target: { timeoutMs: 5_000 },
    });
    assertEquals([figures.status, sustainable(figures)], ["failed", undefined]);
    assertEquals(found(figures).expected, "p99 within 20 ms and no failed call, at some rate");
    assertEquals(found(figures).observed, "none; at 1 calls/s 1 of 1 calls took over 20 ms");
  },
);

Deno.test(
  { name: "errors under load bound the rate and are no failure themselves", ignore },
  async () => {
    const recentMs: number[] = [];
    await using server = await startFaultyServer({
      // More than 30 calls in 200 ms are too many.
      script: () => {
        recentMs.push(performance.now());
        const inWindow = recentMs.filter((ms) => ms > performance.now() - 200).length;
        return { kind: inWindow > 30 ? "toolError" : "ok" };
      },
    });
    const figures = await runScenarioAt(server.url, saturation, {
      parameters: { ...SHORT, ratePerSecond: 100 },
      target: { timeoutMs: 5_000 },
    });
    assertEquals(figures.status, "passed", JSON.stringify(figures.checks));
    const { value } = sustainable(figures)!;
    assert(value > 50 && value <= 155, `${value} calls/s`);
    assert(figures.ledger.toolError > 0);
  },
);

Deno.test({ name: "where nothing fails, the highest rate is told as such", ignore }, async () => {
  await using server = await startFaultyServer();
  const figures = await runScenarioAt(server.url, saturation, {
    parameters: { ...SHORT, sloMs: 1_000, highestRatePerSecond: 230 },
    target: { timeoutMs: 5_000 },
  });
  assertEquals(sustainable(figures)?.value, 226);
  assertEquals(figures.notMeasured.map(({ name }) => name), ["limit"]);
});

Deno.test(
  { name: "a server that dies or falls silent ends the search, in bounded time", ignore },
  async () => {
    for (const kind of ["abruptClose", "silent"] as const) {
      await using server = await startFaultyServer({
        script: (call) => ({ kind: call > 100 ? kind : "ok" }),
      });
      const figures = await runScenarioAt(server.url, saturation, {
        parameters: { ...SHORT, connections: 1 },
        target: { timeoutMs: 200 },
      });
      const { sent, ok, connectionLost, timeout } = figures.ledger;
      assertEquals([sent, figures.status], [ok + connectionLost + timeout, "failed"]);
      assert(server.callsSeen < 400, `${server.callsSeen} calls`);
      assertStringIncludes(found(figures).observed, "none; at ");
    }
  },
);
