import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { createWorkload } from "../../lib/run/workload.ts";
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
  const report = await runScenario(connectionEstablishment, { connects: 4 }, server);
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const metrics = ["connect", "authenticate", "establish", "close"].map((name) =>
    metricNamed(report, name, "distribution")
  );
  for (const { count, epochs } of metrics) {
    assertEquals([count, epochs.map((epoch) => epoch.count)], [12, [4, 4, 4]]);
  }
  const [connect, authenticate, establish] = metrics;
  // The histogram keeps three digits.
  assert(establish!.mean >= (connect!.mean + authenticate!.mean) * 0.998, "the sum of the parts");
  assertEquals(metricNamed(report, "coldEstablish", "scalar").epochs.length, 1);
  assertEquals(
    checkNamed(report, "every connection opened and closed cleanly").observed,
    "12 of 12",
  );
  // The cold one, and in the warm-up and in each epoch one more that is not measured.
  assertEquals(server.stats().connectionsAccepted, 1 + 4 * 5);
  assertEquals([report.ledger, report.warmupLedger], [ledgerWith({}), ledgerWith({})]);
});

testOnEach("message-throughput sends exactly the messages asked for", async (dialect) => {
  await using server = await startReference({ dialect });
  const report = await runScenario(
    messageThroughput,
    { messages: 20, durationMs: null },
    { ...server, workload: distinctCalls() },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  assertEquals([report.ledger, report.warmupLedger], [successes(60), successes(20)]);
  assertEquals(checkNamed(report, "every message answered").observed, "60 of 60");
  const latency = metricNamed(report, "latency", "distribution");
  assertEquals([latency.count, latency.epochs.map(({ count }) => count)], [60, [20, 20, 20]]);
  const throughput = metricNamed(report, "throughput", "scalar");
  for (const [index, rate] of throughput.epochs.entries()) {
    // One call at a time: an epoch's windows take at least as long as its calls together.
    const callsNs = latency.epochs[index]!.mean! * 20;
    assert(20 / rate * 1e9 >= callsNs * 0.99, "the elapsed time holds all the calls");
  }
  assertEquals(
    countedCalls(server.stats()),
    expectedCalls([report.ledger, report.warmupLedger]),
  );
});

testOnEach(
  "message-throughput for a time counts its warm-up and its lead-ins apart",
  async (dialect) => {
    await using server = await startReference({ dialect });
    const report = await runScenario(
      messageThroughput,
      { messages: null, durationMs: 40 },
      { ...server, epochs: 2, leadInMs: 30, workload: distinctCalls() },
    );
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assert(report.warmupLedger.ok > 2 && report.ledger.ok > 2);
    assertEquals(report.ledger, successes(report.ledger.ok));
    const throughput = metricNamed(report, "throughput", "scalar");
    const latency = metricNamed(report, "latency", "distribution");
    assertEquals([throughput.epochs.length, latency.epochs.length], [2, 2]);
    for (const [index, rate] of throughput.epochs.entries()) {
      const { count } = latency.epochs[index]!;
      // The last call may reach over the end, so that the window took 40 ms or more.
      assert(count / rate >= 0.04, `${count} calls at ${rate}/s`);
    }
    assertEquals(
      countedCalls(server.stats()),
      expectedCalls([report.ledger, report.warmupLedger]),
    );
  },
);

testOnEach(
  "concurrent-connections compares one client with all, epoch by epoch",
  async (dialect) => {
    await using server = await startReference({ dialect, limits: { maxConnectionsPerIp: 3 } });
    const report = await runScenario(
      concurrentConnections,
      { connections: 3, messages: 10, durationMs: null },
      { ...server, epochs: 4, workload: distinctCalls() },
    );
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(
      checkNamed(report, "all clients connected").observed,
      "12 of 12",
    );
    assertEquals(server.stats().connectionsRefused, 0);
    // Ten messages of each of the three clients, and of the one alone, in each epoch.
    assertEquals(report.ledger, successes(4 * (3 + 1) * 10));
    assertEquals(metricNamed(report, "latency", "distribution").count, 4 * 3 * 10);
    assertEquals(metricNamed(report, "establish", "distribution").count, 4 * 3);
    const [all, speedup, fairness] = ["throughput", "speedup", "fairness"]
      .map((name) => metricNamed(report, name, "scalar").epochs);
    assertEquals([all!.length, speedup!.length, fairness!.length], [4, 4, 4]);
    for (const index of fairness!) assert(index > 1 / 3 && index <= 1);
    assertEquals(
      countedCalls(server.stats()),
      expectedCalls([report.ledger, report.warmupLedger]),
    );
  },
);

testOnEach("reconnection gets good replies after each close", async (dialect) => {
  await using server = await startReference({ dialect });
  const report = await runScenario(
    reconnection,
    { cycles: 3, pauseMs: 10 },
    { ...server, epochs: 2, workload: distinctCalls() },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const [close, reconnect, recovery] = ["close", "reconnect", "recovery"].map((name) =>
    metricNamed(report, name, "distribution")
  );
  assertEquals([close!.count, reconnect!.count, recovery!.count], [6, 6, 6]);
  assert(recovery!.min >= (close!.min + reconnect!.min) * 0.998, "both are in it");
  assertEquals(checkNamed(report, "every close clean (1000)").observed, "6 of 6");
  assertEquals(checkNamed(report, "a good reply after every reconnect").observed, "6 of 6");
  // Two calls a cycle; the stale call of the last check is refused before it is one.
  assertEquals([report.ledger, report.warmupLedger], [successes(12), successes(6)]);
  assertEquals(
    countedCalls(server.stats()),
    expectedCalls([report.ledger, report.warmupLedger]),
  );
  assertStringIncludes(checkNamed(report, "the old session's state is gone").observed, "4001");
});

Deno.test({ name: "reconnection leaves its pause out of the recovery", ignore }, async () => {
  await using server = await startReference();
  const pauseMs = 2_000;
  const report = await runScenario(reconnection, { cycles: 1, pauseMs }, {
    ...server,
    epochs: 1,
    cold: true,
  });
  assert(metricNamed(report, "recovery", "distribution").max < pauseMs * 1e6);
  assert(report.durationMs >= pauseMs);
});

testOnEach("authentication finds each bad opening turned away in its way", async (dialect) => {
  await using server = await startReference({ dialect, helloTimeoutMs: 1_000 });
  const report = await runScenario(
    authentication,
    { accepts: 3, noHelloWaitMs: 5_000 },
    { ...server, epochs: 2 },
  );
  assertEquals([report.status, failedChecks(report), report.notMeasured], ["passed", [], []]);
  assertEquals(checkNamed(report, "valid token accepted").observed, "6 of 6");
  const observed = (name: string) => checkNamed(report, `${name} turned away`).observed;
  const reasons = dialect === "oct"
    ? ["4000 invalid hello", "4001 missing hello"]
    : ["4000 invalid message", "4001 unrecognized protocol"];
  assertEquals(observed("first message not JSON"), `no result, close ${reasons[0]}`);
  assertEquals(observed("first message not hello"), `no result, close ${reasons[1]}`);
  for (const name of ["wrong token", "missing token", "empty token"]) {
    assertEquals(observed(name), "no result, close 4003 unauthorized");
  }
  assertEquals(observed("non-string token"), "no result, close 1000");
  assertEquals(observed("no hello"), "no result, close 4002 hello timeout or disconnect");
  assertEquals(metricNamed(report, "accept", "distribution").count, 6);
  assertEquals(metricNamed(report, "reject", "distribution").count, 12);
  assertEquals(server.stats().callsReceived, 0);
});

Deno.test(
  { name: "authentication leaves the slow check out where it is told to", ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(authentication, { noHelloWaitMs: 0 }, {
      ...server,
      epochs: 1,
    });
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(report.notMeasured.map(({ name }) => name), ["no hello turned away"]);
  },
);

Deno.test({ name: "authentication is skipped where it is off", ignore }, async () => {
  await using server = await startReference({ token: null });
  const { status, reason, metrics } = await runScenario(authentication, {}, server);
  assertEquals([status, metrics], ["skipped", []]);
  assertEquals(reason, "authentication is off: the server accepts any token");
});

testOnEach("connection-limit finds the limit for one address", async (dialect) => {
  await using server = await startReference({ dialect, limits: { maxConnectionsPerIp: 4 } });
  const report = await runScenario(
    connectionLimit,
    { bound: 20 },
    { ...server, epochs: 2, workload: distinctCalls() },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  assertEquals(metricNamed(report, "limit", "scalar").epochs, [4, 4]);
  assertEquals(metricNamed(report, "rejection", "distribution").count, 2);
  assertEquals(metricNamed(report, "slotRelease", "distribution").count, 2);
  assertStringIncludes(
    checkNamed(report, "one connection too many is refused").observed,
    "close 1008 Too many connections from your IP (4/4)",
  );
  assertEquals(
    checkNamed(report, "established connections still answer").observed,
    "8 of 8",
  );
  assertScope(report, /^the limit is per IP address: .* from 127.0.0.2 was accepted$/);
  assertEquals(report.ledger, successes(8));
});

Deno.test(
  { name: "connection-limit distinguishes a limit for all from one for each address", ignore },
  async () => {
    await using server = await startReference({ limits: { maxConnections: 5 } });
    const report = await runScenario(connectionLimit, { bound: 20 }, { ...server, epochs: 1 });
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(metricNamed(report, "limit", "scalar").value, 5);
    assertStringIncludes(
      checkNamed(report, "one connection too many is refused").observed,
      "close 1008 Server overloaded - global connection limit reached",
    );
    assertScope(report, /^the limit is for all clients together: .* 127.0.0.2 was refused too$/);
  },
);

/** The scope of the limit; on systems without a second loopback address it must say that it is unknown. */
function assertScope({ notes, notMeasured }: ScenarioReport, expected: RegExp): void {
  const untried = notMeasured.some(({ name }) => name === "scope of the limit");
  if (Deno.build.os !== "linux" && untried) return;
  assert(notes?.some(({ message }) => expected.test(message)), JSON.stringify(notes));
}

Deno.test(
  { name: "connection-limit is not measured up to its bound where there is none", ignore },
  async () => {
    await using server = await startReference({ limits: { maxConnectionsPerIp: 1000 } });
    const report = await runScenario(connectionLimit, { bound: 12 }, server);
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals(report.notMeasured, [
      { name: "limit", reason: "no refusal with 12 connections open" },
    ]);
    assertEquals([report.ledger.ok, report.metrics], [12, []]);
  },
);

Deno.test(
  { name: "nov's cached successes are counted and make the numbers invalid", ignore },
  async () => {
    await using server = await startReference({ dialect: "nov" });
    const report = await runScenario(messageThroughput, { messages: 30, durationMs: null }, {
      ...server,
      epochs: 1,
    });
    const { ledger, warmupLedger, validity } = report;
    // The first call of all, in the warm-up, is computed.
    assertEquals([ledger.ok, ledger.cached, warmupLedger.cached], [30, 30, 29]);
    assertEquals(countedCalls(server.stats()), expectedCalls([ledger, warmupLedger]));
    assertEquals(validity.valid, false);
    assertEquals(validity.warnings.map(({ kind }) => kind).includes("cached"), true);
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
    { connections: 3, messages: 4, durationMs: null },
    { ...server, epochs: 2, workload, timeoutMs: 5_000 },
  );
  assertEquals(failedChecks(report), []);
  assert(report.ledger.cached > 0, "identical calls in flight joined");
  assertEquals(
    countedCalls(server.stats()),
    expectedCalls([report.ledger, report.warmupLedger]),
  );
  assertEquals(report.validity.valid, false);
});

Deno.test({ name: "a cached success in a hundred is no warning, more is", ignore }, async () => {
  await using server = await startReference({ dialect: "nov" });
  for (const [repeats, valid] of [[1, true], [2, false]] as const) {
    const run = crypto.randomUUID();
    const { callsReceived } = server.stats();
    // Not every call that is made goes to this server.
    const calls = () => server.stats().callsReceived - callsReceived;
    const report = await runScenario(messageThroughput, { messages: 100, durationMs: null }, {
      ...server,
      epochs: 1,
      cold: true,
      workload: () => ({
        tool: "status",
        argsJson: JSON.stringify({ run, n: Math.max(repeats, calls()) }),
      }),
    });
    const isWarned = report.validity.warnings.some(({ kind }) => kind === "cached");
    assertEquals([report.ledger.cached, isWarned], [repeats, !valid]);
  }
});

Deno.test(
  { name: "concurrent-connections compares one client with all at the same pace", ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(
      concurrentConnections,
      { connections: 4, messages: 5, durationMs: null },
      // Each client by its own pace, so that all are faster.
      { ...server, epochs: 2, maxRatePerSecond: 100 },
    );
    const { epochs } = metricNamed(report, "speedup", "scalar");
    assertEquals(epochs.length, 2);
    for (const speedup of epochs) assert(speedup > 1);
  },
);

Deno.test({ name: "a rate caps each session", ignore }, async () => {
  await using server = await startReference();
  const options = { ...server, epochs: 2, maxRatePerSecond: 200 };
  const timed = await runScenario(messageThroughput, { messages: null, durationMs: 100 }, options);
  for (const rate of metricNamed(timed, "throughput", "scalar").epochs) assert(rate <= 201);
  assertEquals([timed.status, timed.parameters.maxRatePerSecond], ["passed", 200]);
  const counted = await runScenario(messageThroughput, { messages: 5, durationMs: null }, options);
  assertEquals([counted.status, counted.ledger.ok], ["passed", 10]);
});
