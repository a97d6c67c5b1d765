import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { Target } from "../../lib/client/target.ts";
import { echo } from "../../lib/protocols/echo.ts";
import type { BundledServer } from "../../lib/run/scenario.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/serve.ts";
import { reconnectStorm } from "../../scenarios/reconnect_storm.ts";
import { type Handshake, startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { startScriptedServer } from "../support/scripted_server.ts";
import { lacks } from "../support/permissions.ts";
import { NO_NET as ignore, SHORT_TIMEOUT_MS, TOKEN } from "../support/targets.ts";

const SMALL = { connections: 4, patienceMs: 10_000 };
const PHASES = ["DropImmediate", "DropBackoff", "RestartImmediate", "RestartBackoff"];
const AFTER_DROP = "all clients served again after a drop, retrying at once";
const AFTER_DROP_BACKOFF = "all clients served again after a drop, with back-off";
const AFTER_RESTART = "all clients served again after a restart, retrying at once";
const WHILE_UP = "every call served while the server was up";

function scalarOf(report: ScenarioReport, name: string, phase: string): number[] {
  return metricNamed(report, name, "scalar", { phase }).epochs;
}

Deno.test("reconnect-storm recovers from drops and restarts of the bundled server", {
  ignore: lacks("net", "read"),
}, async () => {
  await using server = await startEmbeddedServer(
    defaultServerOptions({ token: TOKEN, limits: "off" }),
  );
  let restarts = 0;
  const report = await runScenario(reconnectStorm, SMALL, {
    ...server,
    epochs: 2,
    bundled: {
      restart() {
        restarts++;
        return server.restart();
      },
    },
  });
  assertEquals([report.status, failedChecks(report)], ["passed", []], JSON.stringify(report));
  assertEquals(restarts, 4);
  for (const phase of PHASES) {
    const recovery = metricNamed(report, "recovery", "distribution", { phase });
    assertEquals(recovery.count, 8);
    const slowest = recovery.epochs.map(({ max }) => max!);
    for (const [epoch, ns] of scalarOf(report, "lastServed", phase).entries()) {
      assert(Math.abs(ns - slowest[epoch]!) <= 0.002 * ns, `${phase} ${epoch}`);
    }
    const peaks = scalarOf(report, "handshakes", phase);
    assert(peaks.every((peak) => peak >= 1 && peak <= 4), `${phase}: ${peaks}`);
  }
  // Four clients have no 99th percentile.
  assertEquals(report.metrics.filter(({ name }) => name === "served99"), []);
  assertEquals(scalarOf(report, "handshakes", "DropImmediate"), [4, 4]);
  assertEquals(scalarOf(report, "refused", "DropImmediate"), [0, 0]);
  // Clients that retry immediately are refused during the restart.
  assert(scalarOf(report, "refused", "RestartImmediate").every((refused) => refused > 0));
  assertEquals(report.ledger.ok, 32);
  assertEquals(report.ledger.closeCodes, { 1001: 16 });
  assertEquals(brokenEquations(report.ledger), []);
});

Deno.test("reconnect-storm only drops clients of other servers", { ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(reconnectStorm, SMALL, { ...server, epochs: 2 });
  assertEquals([report.status, report.ledger.ok, report.ledger.sent], ["passed", 16, 16]);
  assertEquals(report.notMeasured, [{
    name: "a restart of the server",
    reason: "only the bundled server can be restarted",
  }]);
  assertEquals(report.metrics.filter(({ at }) => String(at?.phase).includes("Restart")), []);
  assertEquals(server.stats().connections, 0);
});

Deno.test("reconnect-storm spreads 100 clients over loopback addresses", {
  ignore: ignore || Deno.build.os !== "linux",
}, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 10 } });
  const report = await runScenario(
    reconnectStorm,
    { connections: null, patienceMs: 10_000 },
    { ...server, epochs: 1 },
  );
  assertEquals([report.status, failedChecks(report)], ["passed", []], JSON.stringify(report));
  assertEquals(report.ledger.ok, 200);
  const after = "99 % of the clients served again after a drop, with back-off";
  assertEquals(checkNamed(report, after).observed, "1 of 1");
  for (const phase of ["DropImmediate", "DropBackoff"]) {
    const [served99] = scalarOf(report, "served99", phase);
    const [lastServed] = scalarOf(report, "lastServed", phase);
    assert(served99! <= lastServed!);
    assertEquals(metricNamed(report, "recovery", "distribution", { phase }).count, 100);
  }
  assertEquals(server.stats().connections, 0);
});

Deno.test("reconnect-storm uses fewer clients without room for 100", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnections: 20 } });
  const report = await runScenario(
    reconnectStorm,
    { connections: null, patienceMs: 10_000 },
    { ...server, epochs: 1 },
  );
  assertEquals([report.status, report.ledger.ok], ["passed", 16]);
  const { reason } = report.notMeasured.find(({ name }) => name === "served99")!;
  assertStringIncludes(reason, "needs 100 clients: The server refused the connection");
  assertEquals(report.metrics.some(({ name }) => name === "served99"), false);
});

Deno.test("reconnect-storm counts refusals and retries", { ignore }, async () => {
  let isStorm = false;
  let held = 0;
  let refusals = 0;
  await using server = await startFaultyServer({
    // The four clients before a storm are let in; then every second is refused until four are back.
    handshakes: (nth): Handshake => {
      if (isStorm && nth % 2 === 0) {
        refusals++;
        return { kind: "httpStatus", status: 503 };
      }
      if (++held === 4) {
        isStorm = !isStorm;
        held = 0;
      }
      return { kind: "ok" };
    },
  });
  const report = await runScenario(reconnectStorm, SMALL, { ...server, epochs: 1 });
  assertEquals([report.status, report.ledger.ok], ["passed", 8]);
  const refused = scalarOf(report, "refused", "DropImmediate")[0]! +
    scalarOf(report, "refused", "DropBackoff")[0]!;
  assertEquals(refused, refusals);
  assert(refused > 0);
});

Deno.test("reconnect-storm fails and ends if clients do not come back", { ignore }, async () => {
  await using server = await startFaultyServer({
    handshakes: (nth): Handshake => nth > 7 ? { kind: "httpStatus", status: 503 } : { kind: "ok" },
  });
  const report = await runScenario(reconnectStorm, { ...SMALL, patienceMs: 100 }, server);
  assertEquals(failedChecks(report), [AFTER_DROP]);
  const { observed } = checkNamed(report, AFTER_DROP);
  assertStringIncludes(observed, "0 of 1; first failure: 3 of 4 clients: ");
  assertStringIncludes(observed, "HTTP 503");
  assertEquals(report.metrics.some(({ name }) => name === "lastServed"), false);
  const { count, censored } = metricNamed(report, "recovery", "distribution");
  assertEquals([count, censored], [3, 1]);
  assertEquals(report.notMeasured.at(-1), {
    name: AFTER_DROP_BACKOFF,
    reason: "the clients did not reconnect in an earlier storm",
  });
});

Deno.test("reconnect-storm fails if a new session serves no call", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => call % 3 === 0 ? { kind: "toolError" } : { kind: "ok" },
  });
  const report = await runScenario(reconnectStorm, SMALL, { ...server, epochs: 1 });
  assertEquals(failedChecks(report), [WHILE_UP]);
  const { seen, wanted, observed } = checkNamed(report, WHILE_UP);
  assertEquals([seen, wanted! - seen!], [8, report.ledger.toolError]);
  assertStringIncludes(observed, "a call ended as toolError");
});

Deno.test("reconnect-storm ends on a silent server", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "silent" }) });
  const report = await runScenario(reconnectStorm, { ...SMALL, patienceMs: 100 }, {
    ...server,
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assertEquals(failedChecks(report), [AFTER_DROP, WHILE_UP]);
  assertEquals([report.ledger.timeout, report.ledger.sent], [4, 4]);
});

/** Runs a storm on a bundled server with this restart. */
async function restartable(
  restart: (stop: () => Promise<void>) => Promise<void>,
): Promise<ScenarioReport> {
  await using server = await startServer(defaultServerOptions({ token: TOKEN, limits: "off" }));
  const bundled: BundledServer = {
    restart: () => restart(() => server.stop()),
  };
  return await runScenario(reconnectStorm, { ...SMALL, patienceMs: 300 }, {
    ...server,
    epochs: 1,
    bundled,
  });
}

Deno.test("reconnect-storm reports why a server did not restart", { ignore }, async () => {
  const report = await restartable(async (stop) => {
    await stop();
    throw new Error("Cannot listen as the port is in use");
  });
  assertEquals(failedChecks(report), [AFTER_RESTART]);
  assertEquals(
    checkNamed(report, AFTER_RESTART).observed,
    "0 of 1; first failure: 0 of 4 clients: Cannot listen as the port is in use",
  );
  assertEquals(report.ledger.connectionLost, 0);
});

Deno.test("reconnect-storm does not wait for an endless restart", { ignore }, async () => {
  const gone = await restartable(async (stop) => {
    await stop();
    await new Promise(() => {});
  });
  assertStringIncludes(
    checkNamed(gone, AFTER_RESTART).observed,
    "the server has not finished restarting",
  );
  // If it never begins, the clients stay connected.
  const idle = await restartable(() => new Promise(() => {}));
  assertEquals(failedChecks(idle), [AFTER_RESTART]);
});

Deno.test("reconnect-storm fails if not all clients can connect", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 3 } });
  const report = await runScenario(reconnectStorm, SMALL, server);
  assertEquals([report.status, failedChecks(report)], ["failed", ["all clients connected"]]);
});

Deno.test(
  "reconnect-storm leaves no client behind if this process is full",
  { ignore },
  async () => {
    await using server = await startReference();
    const { connect } = Target.prototype;
    let connects = 0;
    // After the four clients, the first that comes back finds no free descriptor.
    Target.prototype.connect = function (...options) {
      if (++connects !== 5) return connect.apply(this, options);
      return Promise.reject(new ConnectError("clientLimit", "Cannot open another connection"));
    };
    try {
      const report = await runScenario(reconnectStorm, SMALL, { ...server, epochs: 1 });
      assertEquals([report.status, report.reason], ["failed", "Cannot open another connection"]);
      assertEquals([report.ledger.sent, brokenEquations(report.ledger)], [3, []]);
      assertEquals(server.stats().connections, 0);
    } finally {
      Target.prototype.connect = connect;
    }
  },
);

Deno.test("reconnect-storm runs on an echo", { ignore }, async () => {
  await using server = startScriptedServer((peer, _message, text) => peer.send(text));
  const report = await runScenario(reconnectStorm, SMALL, { ...server, epochs: 2, protocol: echo });
  assertEquals([report.status, report.ledger.ok], ["passed", 16]);
});

Deno.test("reconnect-storm can be interrupted during a storm", { ignore }, async () => {
  const controller = new AbortController();
  await using server = await startFaultyServer({
    handshakes: (nth): Handshake => {
      if (nth === 8) controller.abort(new Error("interrupted"));
      return nth > 4 ? { kind: "noHelloAck" } : { kind: "ok" };
    },
  });
  const report = await runScenario(reconnectStorm, SMALL, { ...server, signal: controller.signal });
  assertEquals(report.status, "interrupted");
  assertEquals(brokenEquations(report.ledger), []);
});

Deno.test("reconnect-storm stops at a rate limiter", { ignore }, async () => {
  const ipRate = { capacity: 6, refillPerSecond: 0.001 };
  await using server = await startReference({ dialect: "nov", limits: { ipRate } });
  const report = await runScenario(reconnectStorm, SMALL, server);
  assertEquals(failedChecks(report), [WHILE_UP, AFTER_DROP_BACKOFF]);
  const { observed } = checkNamed(report, AFTER_DROP_BACKOFF);
  assertStringIncludes(observed, "2 of 4 clients: a call ended as rateLimited: Rate");
  assertEquals([report.ledger.ok, report.ledger.rateLimited], [6, 2]);
});
