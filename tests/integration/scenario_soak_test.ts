// Runs alone: looks for a trend in times.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { soak } from "../../scenarios/soak.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET as ignore } from "../support/targets.ts";

/** After a lead-in of 0.3 s with 30 calls. */
const SHORT = { ratePerSecond: 100, connections: 2, durationMs: 1_500 };
const STEADY = ["the median latency is as it was", "the throughput is as it was"] as const;

Deno.test("soak is part of no profile", () => assertEquals(soak.profiles, []));

Deno.test({ name: "soak keeps a course of latency and the client's memory", ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(soak, { ...SHORT, ratePerSecond: 400, connections: 5 }, server);
  // A busy machine may slow down within the time of this test.
  assertEquals(failedChecks(report).filter((name) => !STEADY.some((one) => one === name)), []);
  assertEquals(
    report.ledger,
    ledgerWith({ sent: 600, ok: 600, frames: { received: 1200, final: 600, progress: 600 } }),
  );
  assertEquals(report.warmupLedger.ok, 120);
  const { series, epochs } = metricNamed(report, "latency", "distribution");
  assert(series.length >= 12);
  assertEquals(series.reduce((sum, { count }) => sum + count, 0), 600);
  assertEquals(epochs.map(({ count }) => count), [600], "once, however many epochs there are");
  assertEquals(metricNamed(report, "memoryGrowth", "scalar").unit, "bytes");
  const missing = report.notMeasured.map(({ name }) => name);
  for (const name of ["changeP50", "changeThroughput"].filter((one) => !missing.includes(one))) {
    const { unit, ci95, value } = metricNamed(report, name, "scalar");
    assert(unit === "x" && ci95 !== null && ci95[0] <= value && value <= ci95[1], name);
  }
  // 50 calls an interval are too few.
  assert(missing.includes("changeP99"));
});

/** Each call takes 2 ms longer than the one before: at 100 calls/s, 200 ms a second. */
Deno.test({ name: "soak fails for a server that slows down", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: "late", ms: 45 + 2 * call }),
  });
  const report = await runScenario(soak, { ...SHORT, durationMs: 3_000 }, server);
  const { value, ci95 } = metricNamed(report, "changeP50", "scalar");
  // From 0.17 to 0.77 s by the end of a call, its thirds have their middles at 0.27 and 0.67 s.
  assert(value > 1.7 && value < 4 && ci95![0] > 1.25, `${value} ${ci95}`);
  assertEquals([report.status, failedChecks(report)], ["failed", [STEADY[0]]]);
  assertStringIncludes(checkNamed(report, STEADY[0]).observed, "95 % interval");
});

Deno.test({ name: "soak fails for a server that answers less and less", ignore }, async () => {
  // A queue whose service takes longer from call to call: 2.5 ms at first, 40 ms in the end.
  let freeAtMs = 0;
  await using server = await startFaultyServer({
    script: (call) => {
      freeAtMs = Math.max(freeAtMs, performance.now()) + 2.5 + call / 8;
      return { kind: "late", ms: freeAtMs - performance.now() };
    },
  });
  const report = await runScenario(soak, { ...SHORT, durationMs: 3_000 }, server);
  assertEquals([report.status, failedChecks(report)], ["failed", [...STEADY]]);
  assert(metricNamed(report, "changeThroughput", "scalar").ci95![1] < 0.8);
  assert(report.validity.warnings.some(({ kind }) => kind === "serverBehind"));
});

Deno.test({ name: "soak reports when errors came", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call >= 130 && call < 135 ? "toolError" : "ok" }),
  });
  const report = await runScenario(soak, SHORT, server);
  assertEquals([report.ledger.ok, report.ledger.toolError], [145, 5]);
  const { observed } = checkNamed(report, "errors over time");
  assertStringIncludes(observed, "5 in ");
  // The 100th call after the lead-in is due after 0.99 s.
  const firstAfterS = Number(/first after ([\d.]+) s/.exec(observed)?.[1]);
  assert(firstAfterS >= 0.9 && firstAfterS < 5, observed);
});

Deno.test({ name: "a soak whose server dies says so, with whole accounts", ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call < 140 ? "ok" : "abruptClose" }),
  });
  const report = await runScenario(soak, { ...SHORT, durationMs: 60_000 }, server);
  const { sent, ok, connectionLost } = report.ledger;
  assertEquals([report.status, sent], ["failed", ok + connectionLost]);
  assertStringIncludes(checkNamed(report, "every slot sent").observed, "every connection was lost");
  assertStringIncludes(checkNamed(report, "errors over time").observed, `${connectionLost} in `);
});
