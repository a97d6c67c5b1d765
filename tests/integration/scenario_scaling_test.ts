import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { brokenEquations, openLedger } from "../../lib/client/ledger.ts";
import { throughputAt } from "../../lib/stats/scaling.ts";
import { scaling, stepsUpTo } from "../../scenarios/scaling.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import {
  countedCalls,
  expectedCalls,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET as ignore, SHORT_TIMEOUT_MS, targetAt } from "../support/targets.ts";

const COUNTED = { messages: 5, durationMs: null };
const TWICE = { epochs: 2, cold: true };

Deno.test("the steps are powers of two, their midpoints, and the maximum", () => {
  assertEquals(stepsUpTo(10), [1, 2, 3, 4, 6, 8, 10]);
  assertEquals(stepsUpTo(64), [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]);
  assertEquals([stepsUpTo(1), stepsUpTo(2), stepsUpTo(5)], [[1], [1, 2], [1, 2, 3, 4, 5]]);
  for (let most = 1; most < 300; most++) {
    const steps = stepsUpTo(most);
    assert(steps.every((step, index) => Number.isInteger(step) && step > (steps[index - 1] ?? 0)));
    assertEquals(steps[steps.length - 1], most);
  }
});

Deno.test("scaling reaches the server's limit; each step sends its calls", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 6 } });
  const report = await runScenario(scaling, COUNTED, { ...server, epochs: 5, cold: true });
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const steps = [1, 2, 3, 4, 6];
  const sent = 5 * (1 + 2 + 3 + 4 + 6) * 5;
  assertEquals(
    report.ledger,
    ledgerWith({ sent, ok: sent, frames: { received: 2 * sent, final: sent, progress: sent } }),
  );
  assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger]));
  for (const clients of steps) {
    const latency = metricNamed(report, "latency", "distribution", { clients });
    assertEquals(latency.count, 5 * clients * 5);
    const throughput = metricNamed(report, "throughput", "scalar", { clients });
    assertEquals([throughput.epochs.length, throughput.role], [
      5,
      clients === 6 ? "headline" : "gate",
    ]);
    if (clients === 1) continue;
    const alone = metricNamed(report, "throughput", "scalar", { clients: 1 }).epochs;
    // Paired by epoch, whatever the order within it.
    assertEquals(
      metricNamed(report, "efficiency", "scalar", { clients }).epochs,
      throughput.epochs.map((rate, epoch) => rate / (clients * alone[epoch]!)),
    );
  }
  const limit = report.notes?.find(({ kind }) => kind === "connectionLimit");
  assertStringIncludes(
    limit?.message ?? "",
    "the sweep ends at 6 clients: The server refused the connection: closed with 1008",
  );
  // The slots are free again.
  using target = targetAt(server.url);
  await using again = await target.connect(openLedger());
  assert(again.isOpen);
});

Deno.test("a server without contention scales in a straight line", { ignore }, async () => {
  // Every call takes 20 ms under any load: X(N) = N / 20 ms.
  await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 20 }) });
  const report = await runScenario(scaling, { ...COUNTED, connections: 5 }, {
    ...TWICE,
    ...server,
    epochs: 5,
  });
  assertEquals(failedChecks(report), []);
  const value = (name: string) => metricNamed(report, name, "scalar").value;
  assert(value("rSquared") > 0.9 && value("contention") < 0.2, `${value("contention")}`);
  const law = {
    singleRatePerSecond: value("singleRate"),
    contention: value("contention"),
    coherency: value("coherency"),
  };
  for (const clients of [1, 2, 3, 4, 5]) {
    const fitted = metricNamed(report, "fitted", "scalar", { clients }).value;
    assertAlmostEquals(fitted, throughputAt(law, clients), 1e-9);
  }
  assertEquals(metricNamed(report, "singleRate", "scalar").ci95?.length, 2);
});

Deno.test("--connections bounds the sweep; three steps allow no fit", { ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(scaling, { ...COUNTED, connections: 3 }, {
    ...server,
    ...TWICE,
  });
  // Three to probe the limit, and three in each epoch.
  assertEquals([report.status, server.stats().connectionsAccepted], ["passed", 3 + 2 * 3]);
  assertEquals(report.notMeasured, [{
    name: "scaling law",
    reason: "3 client counts are too few for a fit: 4 are needed",
  }]);
  assertEquals(report.metrics.filter(({ name }) => name === "contention"), []);
});

Deno.test("no law is fitted to a capped rate", { ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(
    scaling,
    { messages: 2, durationMs: null, connections: 4 },
    { ...server, ...TWICE, maxRatePerSecond: 500 },
  );
  assertEquals(report.notMeasured, [{
    name: "scaling law",
    reason: "each client is limited to 500 calls/s, which determines the throughput",
  }]);
});

Deno.test("without a free slot the sweep fails, with the reason", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 1 } });
  using target = targetAt(server.url);
  await using _held = await target.connect(openLedger());
  const report = await runScenario(scaling, COUNTED, server);
  assertEquals(report.status, "failed");
  assertStringIncludes(report.reason ?? "", "closed with 1008");
});

Deno.test("any other refusal midway fails the sweep, with the reason", { ignore }, async () => {
  await using server = await startFaultyServer({
    handshakes: (nth) => nth < 3 ? { kind: "ok" } : { kind: "httpStatus", status: 503 },
  });
  const report = await runScenario(scaling, COUNTED, server);
  assertEquals([report.status, report.ledger], ["failed", ledgerWith({})]);
  assertStringIncludes(report.reason ?? "", "HTTP 503");
});

Deno.test("a server that dies or falls silent fails the sweep", { ignore }, async () => {
  const faults: Behaviour["kind"][] = ["abruptClose", "silent"];
  for (const kind of faults) {
    await using server = await startFaultyServer({
      script: (call) => ({ kind: call < 60 ? "ok" : kind } as Behaviour),
    });
    const report = await runScenario(scaling, { ...COUNTED, connections: 4 }, {
      ...server,
      ...TWICE,
      timeoutMs: SHORT_TIMEOUT_MS,
    });
    const { sent, ok, timeout, connectionLost } = report.ledger;
    assertEquals([report.status, brokenEquations(report.ledger)], ["failed", []]);
    assertEquals(ok + timeout + connectionLost, sent);
    // The first epoch's four steps are 50 calls, so the second epoch was cut short.
    const slices = report.checks.find((check) => check.kind === "slices")!;
    assert(!slices.passed && slices.seen! >= 4 && slices.seen! < 8, slices.observed);
    const alone = metricNamed(report, "throughput", "scalar", { clients: 1 });
    assert(alone.epochs.length <= 2);
  }
});

Deno.test("an interrupt ends the sweep without failed checks", { ignore }, async () => {
  const controller = new AbortController();
  await using server = await startFaultyServer({
    script: (call) => {
      if (call === 20) controller.abort(new Error("interrupted"));
      return { kind: call < 20 ? "ok" : "silent" };
    },
  });
  const report = await runScenario(scaling, { ...COUNTED, connections: 4 }, {
    ...TWICE,
    ...server,
    signal: controller.signal,
  });
  assertEquals([report.status, brokenEquations(report.ledger)], ["interrupted", []]);
});
