// Runs alone: searches a rate.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../lib/client/clock.ts";
import type { Count } from "../../lib/run/scenario.ts";
import type { Fact, Scalar, ScenarioReport } from "../../lib/schema.ts";
import { recordSearches, saturation } from "../../scenarios/saturation.ts";
import { createFakePacer } from "../support/fake_pacer.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { checkNamed, failedChecks, metricNamed, runScenario } from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";

const SHORT = { connections: 2, durationMs: 250, confirmMs: 750, sloMs: 60 };

function sustainable({ metrics }: ScenarioReport): Scalar | undefined {
  return metrics.find(({ name }) => name === "sustainableRate") as Scalar | undefined;
}

function found(report: ScenarioReport): string {
  return checkNamed(report, "a rate is sustained").observed;
}

/** Searches a server of 1,000 calls/s; retries if a busy machine let no rate be confirmed. */
async function searchKnownCapacity(attempts = 3): Promise<ScenarioReport> {
  using server = await startQueueServer(1_000);
  const report = await runScenario(saturation, {
    ...SHORT,
    arrivals: "constant",
    ratePerSecond: 700,
    durationMs: 150,
    confirmMs: 500,
  }, server);
  const isFound = sustainable(report) !== undefined;
  return isFound || attempts === 1 ? report : await searchKnownCapacity(attempts - 1);
}

/** The whole experiment is tests/support/saturation_experiment.ts. */
Deno.test("saturation finds a server's capacity and never exceeds it", { ignore }, async () => {
  const report = await searchKnownCapacity();
  assertEquals([report.status, failedChecks(report)], ["passed", []], JSON.stringify(report));
  const { epochs, role } = metricNamed(report, "sustainableRate", "scalar");
  // A busy machine may miss the objective at lower rates too.
  assert(epochs.every((rate) => rate > 300 && rate <= 1_000), epochs.join());
  assertEquals([role, epochs.length, found(report)], ["headline", 1, "1 of 1"]);
  const met = metricNamed(report, "metShare", "scalar");
  assert(met.epochs.every((share) => share > 0 && share <= 1));
  assertEquals(met.unit, "share", "reports print it as a percentage");
  const { sent, ok, dropped } = report.ledger;
  assertEquals(sent, ok);
  const curve = report.metrics.filter(({ name }) => name === "latency");
  // How many rates it takes depends on the machine.
  assert(curve.length > 1, `${curve.length} rates`);
  for (const { at } of curve) metricNamed(report, "throughput", "scalar", at!);
  assert(dropped < sent, `${dropped} dropped, though only trials that clearly missed drop slots`);
});

Deno.test("a server that sustains no rate fails the check", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 60 }) });
  const report = await runScenario(saturation, {
    ...SHORT,
    durationMs: 50,
    ratePerSecond: 30,
    lowestRatePerSecond: 20,
    sloMs: 20,
  }, server);
  assertEquals([report.status, sustainable(report)], ["failed", undefined]);
  assertEquals(failedChecks(report), ["a rate is sustained"]);
  assertStringIncludes(found(report), "0 of 1; first failure: at 20 calls/s ");
  assertStringIncludes(found(report), " calls failed or took over 20 ms");
});

Deno.test("errors under load bound the rate, but fail no check", { ignore }, async () => {
  const recentMs: number[] = [];
  await using server = await startFaultyServer({
    // More than 30 calls in 200 ms are too many.
    script: () => {
      recentMs.push(performance.now());
      const inWindow = recentMs.filter((ms) => ms > performance.now() - 200).length;
      return { kind: inWindow > 30 ? "toolError" : "ok" };
    },
  });
  const report = await runScenario(saturation, {
    ...SHORT,
    arrivals: "constant",
    ratePerSecond: 100,
  }, server);
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const { value } = sustainable(report)!;
  assert(value > 50 && value <= 155, `${value} calls/s`);
  assert(report.ledger.toolError > 0);
});

Deno.test("if every rate is met, the highest is reported as a bound", { ignore }, async () => {
  await using server = await startFaultyServer();
  const report = await runScenario(saturation, {
    ...SHORT,
    sloMs: 1_000,
    highestRatePerSecond: 230,
    searches: 2,
  }, server);
  assertEquals(found(report), "2 of 2");
  const { value } = sustainable(report)!;
  assert(value > 150 && value < 227, `${value} calls/s`);
  assertEquals(report.notMeasured.map(({ name }) => name), ["limit of the server"]);
});

type Search = Parameters<typeof recordSearches>[1][number];

/** What is recorded of searches, and the warnings. */
function recordedOf(results: readonly Search[]) {
  const seen: string[] = [];
  const warnings: Fact[] = [];
  const context = {
    parameters: { sloMs: 50 },
    scalar: (name: string, value: number) => void seen.push(`${name} ${value}`),
    tally: ({ name, why = null, seen: count = why === null ? 1 : 0 }: Count) =>
      void seen.push(`${name}: ${why ?? count}`),
    notMeasured: (name: string) => void seen.push(`not measured: ${name}`),
    invalidate: (fact: Fact) => void warnings.push(fact),
    note() {},
  } as unknown as Parameters<typeof recordSearches>[0];
  recordSearches(context, results);
  return { seen, warnings };
}

const limit = { kind: "client", latePerSecond: 200 } as const;
const LATE: Search = { sustainedPerSecond: null, metShare: null, limit, trials: [] };
const CANNOT_SEND =
  "the client cannot send 200 calls/s or more on time, so the server may sustain " +
  "more: use an idle machine";

Deno.test("a late client is a warning, not a miss of the server", () => {
  const found = { ...LATE, sustainedPerSecond: 196, metShare: 1 };
  const { seen, warnings } = recordedOf([found, LATE]);
  assertEquals(seen, [
    "not measured: limit of the server",
    "a rate is sustained: 1",
    "sustainableRate 196",
    "metShare 1",
    "not measured: 1 of 2 searches",
    "the client was on time for a search: 1",
  ]);
  assertEquals(warnings, [{ kind: "clientLimit", message: CANNOT_SEND, latePerSecond: 200 }]);
});

Deno.test("being late below the rate found limits nothing; being late throughout fails", () => {
  const found = {
    ...LATE,
    sustainedPerSecond: 1_000,
    limit: { kind: "server" as const, missedPerSecond: 1_050 },
  };
  assertEquals(recordedOf([LATE, found]).warnings, []);
  assertEquals(recordedOf([LATE, LATE]).seen, [
    "not measured: limit of the server",
    `the client was on time for a search: ${CANNOT_SEND}`,
  ]);
});

Deno.test("trials of a late client are in no figure, but noted", { ignore }, async () => {
  await using server = await startFaultyServer();
  const report = await runScenario(saturation, {
    ...{ ...SHORT, sloMs: 20, arrivals: "constant", searches: 2 },
    ...{ ratePerSecond: 250, lowestRatePerSecond: 250, highestRatePerSecond: 250 },
  }, { ...server, pacer: createFakePacer(systemClock, { lateMs: () => 25 }) });
  assertEquals(report.metrics.map(({ name }) => name), []);
  assertEquals(failedChecks(report), ["the client was on time for a search"]);
  assertEquals(report.notes!.map(({ kind, notJudged, trials }) => [kind, notJudged, trials]), [
    ["notJudged", 6, 6],
  ]);
  assertEquals(report.validity.warnings.map(({ kind }) => kind), ["clientLimit"], "said once");
});

Deno.test("a dead or silent server ends the search quickly", { ignore }, async () => {
  for (const kind of ["abruptClose", "silent"] as const) {
    await using server = await startFaultyServer({
      script: (call) => ({ kind: call > 100 ? kind : "ok" }),
    });
    const report = await runScenario(saturation, { ...SHORT, connections: 1 }, {
      ...server,
      timeoutMs: 500,
    });
    const { sent, ok, connectionLost, timeout } = report.ledger;
    assertEquals([sent, report.status], [ok + connectionLost + timeout, "failed"]);
    assert(server.callsSeen < 400, `${server.callsSeen} calls`);
    assertStringIncludes(found(report), "0 of 1; first failure: at ");
  }
});
