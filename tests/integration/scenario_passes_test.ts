import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { median } from "../../lib/stats/rounds.ts";
import type { DialectName } from "../../lib/server/options.ts";
import { authentication } from "../../scenarios/authentication.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { connectionLimit } from "../../scenarios/connection_limit.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { reconnection } from "../../scenarios/reconnection.ts";
import {
  checkNamed,
  countedCalls,
  expectedCalls,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { ledgerWith, NO_NET } from "../support/targets.ts";

const ignore = NO_NET;
const DIALECTS: DialectName[] = ["oct", "nov"];

/** Every call differs, so that nov's cache serves none. */
function distinctCalls() {
  return createWorkload("status", { argsJson: '{"n":"{seq}"}', payloadBytes: 0 });
}

/** The ledger of so many computed successes. */
function successes(count: number) {
  return ledgerWith({
    sent: count,
    ok: count,
    frames: { received: 2 * count, final: count, progress: count },
  });
}

/** A test of a scenario on each dialect of the reference server. */
function testOnEach(name: string, run: (dialect: DialectName) => Promise<void>): void {
  for (const dialect of DIALECTS) {
    Deno.test({ name: `${name} (${dialect})`, ignore }, () => run(dialect));
  }
}

testOnEach("connection-establishment times every step of every connect", async (dialect) => {
  await using server = await startReference({ dialect });
  const report = await runScenario(connectionEstablishment, { rounds: 3, connects: 4 }, server);
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const metrics = ["connect", "authenticate", "establish", "close"].map((name) =>
    metricNamed(report, name, "distribution")
  );
  for (const { count, rounds } of metrics) {
    assertEquals([count, rounds.map((round) => round.count)], [12, [4, 4, 4]]);
  }
  const [connect, authenticate, establish] = metrics;
  // The histogram keeps three digits.
  assert(establish!.mean >= (connect!.mean + authenticate!.mean) * 0.998, "the sum of the parts");
  assertEquals(metricNamed(report, "coldEstablish", "scalar").rounds.length, 1);
  // And one unmeasured connect before each round, the first of them the cold one.
  assertEquals(server.stats().connectionsAccepted, 15);
  assertEquals([report.ledger, report.warmupLedger], [ledgerWith({}), ledgerWith({})]);
});

testOnEach("message-throughput sends exactly the messages asked for", async (dialect) => {
  await using server = await startReference({ dialect });
  const report = await runScenario(
    messageThroughput,
    { rounds: 3, messages: 20, durationMs: null, warmupMs: 0 },
    { ...server, workload: distinctCalls() },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  assertEquals([report.ledger, report.warmupLedger], [successes(60), successes(3)]);
  assertEquals(checkNamed(report, "every message sent").observed, "60 sent");
  const latency = metricNamed(report, "latency", "distribution");
  assertEquals([latency.count, latency.rounds.map(({ count }) => count)], [60, [20, 20, 20]]);
  const throughput = metricNamed(report, "throughput", "scalar");
  assertEquals(throughput.value, median(throughput.rounds));
  for (const [index, rate] of throughput.rounds.entries()) {
    // One call at a time: a round takes at least as long as its calls together.
    const callsNs = latency.rounds[index]!.mean! * 20;
    assert(20 / rate * 1e9 >= callsNs * 0.99, "the elapsed time holds all the calls");
  }
  assertEquals(
    countedCalls(server.stats()),
    expectedCalls([report.ledger, report.warmupLedger]),
  );
});

testOnEach("message-throughput for a time warms up first, apart", async (dialect) => {
  await using server = await startReference({ dialect });
  const report = await runScenario(
    messageThroughput,
    { rounds: 2, messages: null, durationMs: 40, warmupMs: 30 },
    { ...server, workload: distinctCalls() },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  assert(report.warmupLedger.ok > 2 && report.ledger.ok > 2);
  assertEquals(report.ledger, successes(report.ledger.ok));
  const throughput = metricNamed(report, "throughput", "scalar");
  const latency = metricNamed(report, "latency", "distribution");
  for (const [index, rate] of throughput.rounds.entries()) {
    const { count } = latency.rounds[index]!;
    // The last call may reach over the end, so that the round took 40 ms or more.
    assert(count / rate >= 0.04, `${count} calls at ${rate}/s`);
  }
  assertEquals(
    countedCalls(server.stats()),
    expectedCalls([report.ledger, report.warmupLedger]),
  );
});

testOnEach(
  "concurrent-connections compares one client with all, round by round",
  async (dialect) => {
    await using server = await startReference({ dialect, limits: { maxConnectionsPerIp: 3 } });
    const report = await runScenario(
      concurrentConnections,
      { rounds: 4, connections: 3, messages: 10, durationMs: null, warmupMs: 0 },
      { ...server, workload: distinctCalls() },
    );
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(checkNamed(report, "all clients connected").observed, "3 of 3");
    // Ten messages of each of the three clients, and of the one alone, in each round.
    assertEquals(report.ledger, successes(4 * (3 + 1) * 10));
    assertEquals(metricNamed(report, "latency", "distribution").count, 4 * 3 * 10);
    assertEquals(metricNamed(report, "establish", "distribution").count, 3);
    const [all, alone, speedup, fairness] = ["throughput", "throughputAlone", "speedup", "fairness"]
      .map((name) => metricNamed(report, name, "scalar").rounds);
    assertEquals(speedup, all!.map((rate, index) => rate / alone![index]!));
    for (const index of fairness!) assert(index > 1 / 3 && index <= 1);
    assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger]));
  },
);

testOnEach("reconnection gets good replies after each close", async (dialect) => {
  await using server = await startReference({ dialect });
  const report = await runScenario(
    reconnection,
    { rounds: 2, cycles: 3, pauseMs: 10 },
    { ...server, workload: distinctCalls() },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const [close, reconnect, recovery] = ["close", "reconnect", "recovery"].map((name) =>
    metricNamed(report, name, "distribution")
  );
  assertEquals([close!.count, reconnect!.count, recovery!.count], [6, 6, 6]);
  assert(recovery!.min >= 10e6 * 0.99 + reconnect!.min, "the pause and the reconnect are in it");
  // Two calls a cycle; the stale call of the last check is refused before it is one.
  assertEquals(report.ledger, successes(12));
  assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger]));
  assertStringIncludes(checkNamed(report, "the old session's state is gone").observed, "4001");
});

testOnEach("authentication finds each bad opening turned away in its way", async (dialect) => {
  await using server = await startReference({ dialect, helloTimeoutMs: 100 });
  const report = await runScenario(
    authentication,
    { rounds: 2, accepts: 3, noHelloWaitMs: 2_000 },
    server,
  );
  assertEquals([report.status, failedChecks(report), report.notMeasured], ["passed", [], []]);
  assertEquals(checkNamed(report, "valid token accepted").observed, "6 of 6");
  const observed = (name: string) => checkNamed(report, `${name} turned away`).observed;
  const reasons = dialect === "oct"
    ? ["4000 invalid hello", "4001 missing hello"]
    : ["4000 invalid message", "4001 unrecognized protocol"];
  assertEquals(observed("first message not JSON"), `no result, close ${reasons[0]}, 2 times`);
  assertEquals(observed("first message not hello"), `no result, close ${reasons[1]}, 2 times`);
  for (const name of ["wrong token", "missing token", "empty token"]) {
    assertEquals(observed(name), "no result, close 4003 unauthorized, 2 times");
  }
  assertEquals(observed("non-string token"), "no result, close 1000, 2 times");
  assertEquals(observed("no hello"), "no result, close 4002 hello timeout or disconnect");
  assertEquals(metricNamed(report, "accept", "distribution").count, 6);
  assertEquals(metricNamed(report, "reject", "distribution").count, 12);
  assertEquals(server.stats().callsReceived, 0);
});

Deno.test(
  { name: "authentication leaves the slow check out where it is told to", ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(authentication, { rounds: 1, noHelloWaitMs: 0 }, server);
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(report.notMeasured.map(({ name }) => name), ["no hello turned away"]);
  },
);

Deno.test({ name: "authentication is skipped where it is off", ignore }, async () => {
  await using server = await startReference({ token: null });
  const { status, reason, metrics } = await runScenario(authentication, { rounds: 1 }, server);
  assertEquals([status, metrics], ["skipped", []]);
  assertEquals(reason, "authentication is off: the server accepts any token");
});

testOnEach("connection-limit finds the limit for one address", async (dialect) => {
  await using server = await startReference({ dialect, limits: { maxConnectionsPerIp: 4 } });
  const report = await runScenario(
    connectionLimit,
    { rounds: 2, bound: 20 },
    { ...server, workload: distinctCalls() },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  assertEquals(metricNamed(report, "limit", "scalar").rounds, [4, 4]);
  assertEquals(metricNamed(report, "rejection", "distribution").count, 2);
  assertEquals(metricNamed(report, "slotRelease", "distribution").count, 2);
  assertStringIncludes(
    checkNamed(report, "refused with 1008 and a reason").observed,
    "close 1008 Too many connections from your IP (4/4)",
  );
  assertEquals(
    checkNamed(report, "established connections unharmed").observed,
    "8 of 8 still answer",
  );
  assertKind(report, /^the limit is for each IP address: .* from 127.0.0.2 was accepted$/);
  assertEquals(report.ledger, successes(8));
});

Deno.test(
  { name: "connection-limit tells a limit for all from one for each address", ignore },
  async () => {
    await using server = await startReference({ limits: { maxConnections: 5 } });
    const report = await runScenario(connectionLimit, { rounds: 1, bound: 20 }, server);
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(metricNamed(report, "limit", "scalar").value, 5);
    assertStringIncludes(
      checkNamed(report, "refused with 1008 and a reason").observed,
      "close 1008 Server overloaded - global connection limit reached",
    );
    assertKind(report, /^the limit is for all clients together: .* 127.0.0.2 was refused too$/);
  },
);

/** The kind of limit; on systems without a second loopback address it must say that it is unknown. */
function assertKind({ notes, notMeasured }: ScenarioReport, expected: RegExp): void {
  const untried = notMeasured.some(({ name }) => name === "kind of limit");
  if (Deno.build.os !== "linux" && untried) return;
  assert(notes?.some((note) => expected.test(note)), notes?.join("\n"));
}

Deno.test(
  { name: "connection-limit is not measured up to its bound where there is none", ignore },
  async () => {
    await using server = await startReference({ limits: { maxConnectionsPerIp: 1000 } });
    const report = await runScenario(connectionLimit, { rounds: 3, bound: 12 }, server);
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(report.notMeasured, [
      { name: "limit", reason: "no connection was refused up to 12 at once" },
    ]);
    assertEquals([report.ledger.ok, report.metrics], [12, []]);
  },
);

Deno.test(
  { name: "nov's cached successes are counted and make the numbers invalid", ignore },
  async () => {
    await using server = await startReference({ dialect: "nov" });
    const report = await runScenario(
      messageThroughput,
      { rounds: 1, messages: 30, durationMs: null, warmupMs: 0 },
      server,
    );
    // The first call of all, in the warm-up, is computed.
    assertEquals([report.ledger.ok, report.ledger.cached, report.warmupLedger.cached], [30, 30, 0]);
    assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger, report.warmupLedger]));
    assertEquals(report.validity.valid, false);
    assertStringIncludes(report.validity.warnings.join(), "cached: the server served 30 of 30");
  },
);

Deno.test({
  name: "oct's calls that joined another are counted as cached, without a marker",
  ignore,
}, async () => {
  await using server = await startReference({
    think: { chat: { medianMs: 15, sigma: 0 } },
  });
  const workload = createWorkload("chat", { argsJson: '{"prompt":"hi"}', payloadBytes: 0 });
  const report = await runScenario(
    concurrentConnections,
    { rounds: 2, connections: 3, messages: 4, durationMs: null, warmupMs: 0 },
    { ...server, workload, timeoutMs: 5_000 },
  );
  assertEquals(failedChecks(report), []);
  assert(report.ledger.cached > 0, "identical calls in flight joined");
  assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger]));
  assertEquals(report.validity.valid, false);
});

Deno.test({ name: "a cached success in a hundred is no warning, more is", ignore }, async () => {
  await using server = await startReference({ dialect: "nov" });
  for (const [repeats, valid] of [[1, true], [2, false]] as const) {
    let calls = 0;
    const run = crypto.randomUUID();
    const report = await runScenario(
      messageThroughput,
      { rounds: 1, messages: 100, durationMs: null, warmupMs: 0 },
      {
        ...server,
        workload: () => ({
          tool: "status",
          argsJson: JSON.stringify({ run, n: Math.max(repeats, calls++) }),
        }),
      },
    );
    assertEquals([report.ledger.cached, report.validity.valid], [repeats, valid]);
  }
});

Deno.test(
  { name: "concurrent-connections tells one client from all, whichever was first", ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(
      concurrentConnections,
      { rounds: 2, connections: 4, messages: 5, durationMs: null, warmupMs: 0 },
      { ...server, maxRatePerSecond: 100 }, // Each client by its own pace, so that all are faster.
    );
    for (const speedup of metricNamed(report, "speedup", "scalar").rounds) assert(speedup > 1);
  },
);

Deno.test({ name: "a rate caps each session", ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(
    messageThroughput,
    { rounds: 2, messages: 5, durationMs: null, warmupMs: 0 },
    { ...server, maxRatePerSecond: 200 },
  );
  assertEquals([report.status, report.ledger.ok], ["passed", 10]);
  for (const rate of metricNamed(report, "throughput", "scalar").rounds) assert(rate <= 201);
  assertEquals(report.parameters.maxRatePerSecond, 200);
});
