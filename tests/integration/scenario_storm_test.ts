import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
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
import { NO_NET as ignore, SHORT_TIMEOUT_MS, TOKEN } from "../support/targets.ts";

const SMALL = { rounds: 2, connections: 4, patienceMs: 10_000 };
const PHASES = ["DropImmediate", "DropBackoff", "RestartImmediate", "RestartBackoff"];
const NO_READ = Deno.permissions.querySync({ name: "read" }).state !== "granted";

function scalarOf(report: ScenarioReport, name: string): number[] {
  return metricNamed(report, name, "scalar").rounds;
}

Deno.test({
  name: "reconnect-storm brings all clients back after drops and restarts of the bundled server",
  ignore: ignore || NO_READ,
}, async () => {
  await using server = await startEmbeddedServer(
    defaultServerOptions({ token: TOKEN, limits: "off" }),
  );
  let restarts = 0;
  const report = await runScenario(reconnectStorm, SMALL, {
    url: server.url,
    bundled: {
      restart() {
        restarts++;
        return server.restart();
      },
      startLimited: () => Promise.reject(new Error("not asked for")),
    },
  });
  assertEquals([report.status, failedChecks(report)], ["passed", []], JSON.stringify(report));
  assertEquals(restarts, 4);
  for (const phase of PHASES) {
    const recovery = metricNamed(report, `recovery${phase}`, "distribution");
    assertEquals(recovery.count, 8);
    // With so few clients, 99 % are all: the slowest of each round.
    const slowest = recovery.rounds.map(({ max }) => max!);
    for (const [round, ns] of scalarOf(report, `served99${phase}`).entries()) {
      assert(Math.abs(ns - slowest[round]!) <= 0.002 * ns, `${phase} ${round}`);
    }
    const peaks = scalarOf(report, `handshakes${phase}`);
    assert(peaks.every((peak) => peak >= 1 && peak <= 4), `${phase}: ${peaks}`);
  }
  assertEquals(scalarOf(report, "handshakesDropImmediate"), [4, 4]);
  assertEquals(scalarOf(report, "refusedDropImmediate"), [0, 0]);
  // While the server was away it refused: at once, or 10 ms later.
  assert(scalarOf(report, "refusedRestartImmediate").every((refused) => refused > 0));
  assertEquals(report.ledger.ok, 32);
  assertEquals(report.ledger.closeCodes, { 1001: 16 });
  assertEquals(brokenEquations(report.ledger), []);
});

Deno.test({ name: "reconnect-storm of another server drops clients only", ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(reconnectStorm, SMALL, server);
  assertEquals([report.status, report.ledger.ok, report.ledger.sent], ["passed", 16, 16]);
  assertEquals(report.notMeasured, [{
    name: "a restart of the server",
    reason: "only the bundled server can be restarted",
  }]);
  assertEquals(report.metrics.filter(({ name }) => name.includes("Restart")), []);
  assertEquals(server.stats().connections, 0);
});

Deno.test({ name: "reconnect-storm counts who is refused, and tries again", ignore }, async () => {
  // Four that begin, then every second one is refused.
  await using server = await startFaultyServer({
    handshakes: (nth): Handshake =>
      nth > 4 && nth % 2 === 0 ? { kind: "httpStatus", status: 503 } : { kind: "ok" },
  });
  const report = await runScenario(reconnectStorm, { ...SMALL, rounds: 1 }, server);
  assertEquals([report.status, report.ledger.ok], ["passed", 8]);
  const refused = scalarOf(report, "refusedDropImmediate")[0]! +
    scalarOf(report, "refusedDropBackoff")[0]!;
  assertEquals(refused, server.connectionsSeen - 4 - 8);
  assert(refused > 0);
});

Deno.test({ name: "reconnect-storm fails where not all come back, and ends", ignore }, async () => {
  await using server = await startFaultyServer({
    handshakes: (nth): Handshake => nth > 7 ? { kind: "httpStatus", status: 503 } : { kind: "ok" },
  });
  const report = await runScenario(reconnectStorm, { ...SMALL, patienceMs: 100 }, server);
  assertEquals(failedChecks(report), ["99 % served again after a drop, immediate"]);
  const { observed } = checkNamed(report, "99 % served again after a drop, immediate");
  assertStringIncludes(observed, "0 of 1 times (3 of 4 clients; first failure:");
  assertStringIncludes(observed, "HTTP 503");
  assertEquals(report.metrics.some(({ name }) => name === "served99DropImmediate"), false);
  assertEquals(report.notMeasured[0], {
    name: "99 % served again after a drop, with back-off",
    reason: "the storm before was not overcome",
  });
});

Deno.test(
  { name: "reconnect-storm fails where a new session does not serve", ignore },
  async () => {
    await using server = await startFaultyServer({
      script: (call) => call % 3 === 0 ? { kind: "toolError" } : { kind: "ok" },
    });
    const report = await runScenario(reconnectStorm, { ...SMALL, rounds: 1 }, server);
    assertEquals(failedChecks(report), ["no call failed while the server was up"]);
    assertEquals(
      Number(checkNamed(report, "no call failed while the server was up").observed),
      report.ledger.toolError,
    );
  },
);

Deno.test(
  { name: "reconnect-storm is not held up by a server that falls silent", ignore },
  async () => {
    await using server = await startFaultyServer({ script: () => ({ kind: "silent" }) });
    const report = await runScenario(reconnectStorm, { ...SMALL, patienceMs: 100 }, {
      ...server,
      url: server.url,
      timeoutMs: SHORT_TIMEOUT_MS,
    });
    assertEquals(failedChecks(report), [
      "99 % served again after a drop, immediate",
      "no call failed while the server was up",
    ]);
    assertEquals([report.ledger.timeout, report.ledger.sent], [4, 4]);
  },
);

/** A bundled server that can be stopped, and comes back or not. */
async function restartable(
  restart: (stop: () => Promise<void>) => Promise<void>,
): Promise<ScenarioReport> {
  await using server = await startServer(defaultServerOptions({ token: TOKEN, limits: "off" }));
  const bundled: BundledServer = {
    restart: () => restart(() => server.stop()),
    startLimited: () => Promise.reject(new Error("not asked for")),
  };
  return await runScenario(reconnectStorm, { ...SMALL, rounds: 1, patienceMs: 300 }, {
    url: server.url,
    bundled,
  });
}

Deno.test({ name: "reconnect-storm says why a server did not come back", ignore }, async () => {
  const report = await restartable(async (stop) => {
    await stop();
    throw new Error("Cannot listen as the port is in use");
  });
  assertEquals(failedChecks(report), ["99 % served again after a restart, immediate"]);
  assertEquals(
    checkNamed(report, "99 % served again after a restart, immediate").observed,
    "0 of 1 times (0 of 4 clients; first failure: Cannot listen as the port is in use)",
  );
  assertEquals(report.ledger.connectionLost, 0);
});

Deno.test(
  { name: "reconnect-storm does not wait for a restart without an end", ignore },
  async () => {
    const gone = await restartable(async (stop) => {
      await stop();
      await new Promise(() => {});
    });
    assertStringIncludes(
      checkNamed(gone, "99 % served again after a restart, immediate").observed,
      "the restart has not come to its end",
    );
    // One that never even begins leaves the clients where they are.
    const idle = await restartable(() => new Promise(() => {}));
    assertEquals(failedChecks(idle), ["99 % served again after a restart, immediate"]);
  },
);

Deno.test(
  { name: "reconnect-storm fails where not all can connect at first", ignore },
  async () => {
    await using server = await startReference({ limits: { maxConnectionsPerIp: 3 } });
    const report = await runScenario(reconnectStorm, SMALL, server);
    assertEquals([report.status, failedChecks(report)], ["failed", ["all clients connected"]]);
  },
);

Deno.test({ name: "reconnect-storm comes back to an echo", ignore }, async () => {
  await using server = startScriptedServer((peer, _message, text) => peer.send(text));
  const report = await runScenario(reconnectStorm, SMALL, { url: server.url, protocol: echo });
  assertEquals([report.status, report.ledger.ok], ["passed", 16]);
});

Deno.test({ name: "reconnect-storm is interrupted in the middle of a storm", ignore }, async () => {
  const controller = new AbortController();
  await using server = await startFaultyServer({
    handshakes: (nth): Handshake => {
      if (nth === 8) controller.abort(new Error("interrupted"));
      return nth > 4 ? { kind: "noHelloAck" } : { kind: "ok" };
    },
  });
  const report = await runScenario(reconnectStorm, SMALL, {
    url: server.url,
    signal: controller.signal,
  });
  assertEquals(report.status, "interrupted");
  assertEquals(brokenEquations(report.ledger), []);
});

Deno.test({ name: "reconnect-storm does not storm a rate limiter", ignore }, async () => {
  const ipRate = { capacity: 6, refillPerSecond: 0.001 };
  await using server = await startReference({ dialect: "nov", limits: { ipRate } });
  const report = await runScenario(reconnectStorm, SMALL, server);
  assertEquals(failedChecks(report), [
    "99 % served again after a drop, with back-off",
    "no call failed while the server was up",
  ]);
  const { observed } = checkNamed(report, "99 % served again after a drop, with back-off");
  assertStringIncludes(
    observed,
    "(2 of 4 clients; first failure: a call ended as rateLimited: Rate",
  );
  assertEquals([report.ledger.ok, report.ledger.rateLimited], [6, 2]);
});
