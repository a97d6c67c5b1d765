import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, Scalar, ScenarioReport } from "../../lib/schema.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/serve.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { soak } from "../../scenarios/soak.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import { runScenarioAt } from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET as ignore, TOKEN } from "../support/targets.ts";

const SHORT = { ratePerSecond: 100, connections: 2, warmupMs: 0, durationMs: 1_500 };

function scalar({ metrics }: ScenarioReport, name: string): Scalar | undefined {
  return metrics.find((metric) => metric.name === name) as Scalar | undefined;
}

function observed({ checks }: ScenarioReport, name: string): string | undefined {
  return checks.find((check) => check.name === name)?.observed;
}

Deno.test("soak is part of no profile", () => {
  assertEquals(SCENARIOS.find(({ name }) => name === "soak")?.profiles, []);
});

Deno.test({ name: "soak keeps a course of latency and the client's memory", ignore }, async () => {
  await using server = await startServer(defaultServerOptions({ token: TOKEN, limits: "off" }));
  const figures = await runScenarioAt(server.url, soak, {
    parameters: { ...SHORT, ratePerSecond: 400, connections: 5 },
    target: { timeoutMs: 5_000 },
  });
  assertEquals(figures.status, "passed", JSON.stringify(figures.checks));
  assertEquals(
    figures.ledger,
    ledgerWith({ sent: 600, ok: 600, frames: { received: 1200, final: 600, progress: 600 } }),
  );
  const { series } = figures.metrics.find(({ name }) => name === "latency") as Distribution;
  assert(series.length >= 6);
  assertEquals(series.reduce((sum, { count }) => sum + count, 0), 600);
  assertEquals(scalar(figures, "memoryGrowth")?.unit, "bytes");
  assertEquals([scalar(figures, "drift")?.unit, scalar(figures, "drift")?.ci95], ["ns/h", null]);
});

/** Each call takes 2 ms longer than the one before: at 100 calls/s, 200 ms a second. */
Deno.test({ name: "soak finds a server that slows down, and by how much", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: "late", ms: 45 + 2 * call }),
  });
  const figures = await runScenarioAt(server.url, soak, {
    parameters: { ...SHORT, durationMs: 3_000 },
    target: { timeoutMs: 5_000 },
  });
  const { value, ci95 } = scalar(figures, "drift")!;
  // By the end of the call, which is when it counts in the series: 200 ms in 1.2 s.
  const analytic = 200e6 / 1.2 * 3600;
  assert(Math.abs(value / analytic - 1) < 0.3, `${value / analytic} of the analytic drift`);
  assert(ci95 !== null && ci95[0] > 0, "it is no chance");
});

Deno.test({ name: "soak tells when errors came", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call >= 100 && call < 105 ? "toolError" : "ok" }),
  });
  const figures = await runScenarioAt(server.url, soak, {
    parameters: SHORT,
    target: { timeoutMs: 5_000 },
  });
  assertEquals([figures.ledger.ok, figures.ledger.toolError], [145, 5]);
  const said = observed(figures, "errors over time")!;
  assertStringIncludes(said, "5 in ");
  // The 100th call is due after 0.99 s.
  const firstAfterS = Number(/first after ([\d.]+) s/.exec(said)?.[1]);
  assert(firstAfterS >= 0.9 && firstAfterS < 5, said);
});

Deno.test({ name: "a soak whose server dies tells so, with whole accounts", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call < 40 ? "ok" : "abruptClose" }),
  });
  const figures = await runScenarioAt(server.url, soak, {
    parameters: { ...SHORT, durationMs: 60_000 },
    target: { timeoutMs: 5_000 },
  });
  const { sent, ok, connectionLost } = figures.ledger;
  assertEquals([figures.status, sent], ["failed", ok + connectionLost]);
  assertStringIncludes(observed(figures, "every slot sent")!, "every connection was lost");
  assertStringIncludes(observed(figures, "errors over time")!, `${connectionLost} in `);
});
