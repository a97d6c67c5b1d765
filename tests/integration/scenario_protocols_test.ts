import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { brokenEquations, openLedger } from "../../lib/client/ledger.ts";
import { PROTOCOLS } from "../../lib/protocols/mod.ts";
import type { SessionSpec } from "../../lib/load/session.ts";
import { runPreflight } from "../../lib/run/preflight.ts";
import { type Parameters, TargetUnusableError } from "../../lib/run/scenario.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import {
  type CountingServer,
  startEchoServer,
  startJsonRpcServer,
  startMcpServer,
} from "../support/protocol_servers.ts";
import { failedChecks, runScenario } from "../support/run_scenarios.ts";
import { startScriptedServer } from "../support/scripted_server.ts";
import { ledgerWith, NO_NET as ignore, targetAt } from "../support/targets.ts";

const SERVERS = { mcp: startMcpServer, jsonrpc: startJsonRpcServer, echo: startEchoServer };
type ProtocolName = keyof typeof SERVERS;
const NAMES: ProtocolName[] = ["mcp", "jsonrpc", "echo"];

/** Short parameters by scenario; the others use their quick ones. */
const SHORT: Record<string, Parameters> = {
  "connection-establishment": { connects: 3 },
  "message-throughput": { durationMs: 20 },
  "concurrent-connections": { durationMs: 20 },
  "reconnection": { cycles: 2, pauseMs: 1 },
  "connection-limit": { bound: 12 },
  "pipelining": { durationMs: 10 },
  "scaling": { connections: 4, durationMs: 10 },
  // A single size: calls that probe the limit are in no ledger of the report.
  "payload-size": { payloadBytes: 64, durationMs: 20 },
  "open-loop": { ratePerSecond: 200, durationMs: 100 },
  "saturation": {
    ...{ ratePerSecond: 100, highestRatePerSecond: 100 },
    ...{ durationMs: 250, sloMs: 1_000 },
  },
  "reconnect-storm": { connections: 4 },
  "rate-limit": { messages: 30 },
  "soak": { ratePerSecond: 200, durationMs: 600 },
  "session-capacity": {
    ...{ connections: 2, sessions: 2, sloMs: 2_000 },
    ...{ durationMs: 200, confirmMs: 300 },
  },
  "spike": { ratePerSecond: 1_000, spikeFactor: 2, durationMs: 100 },
};

/** Sessions that hardly think: the default ones think for a second. */
const SESSIONS: SessionSpec = {
  begin: [],
  lasts: { patterns: 5, time: null },
  patterns: [{
    name: "all",
    weight: 1,
    steps: [{
      ...{ tool: "echo", argsJson: '{"message":"{seq}"}', timeoutMs: null, onError: "continue" },
      think: { kind: "exponential", meanMs: 5 },
    }],
  }],
};

/** Scenarios that make no sense on a protocol, with the reported reason. */
const SKIPPED: Record<string, (protocol: string) => string> = {
  "authentication": (protocol) => `the ${protocol} protocol has no authentication`,
};

/** The pings of a breakdown, which are no calls: those its check counts, and the first probe. */
function probesOf({ checks }: ScenarioReport): number {
  const probes = checks.find(({ name }) => name === "every probe answered without a tool");
  return probes === undefined ? 0 : 1 + parseInt(probes.observed);
}
/** Only one of its calls is in the ledger. */
const OUTSIDE_THE_LEDGER = "malformed-input";

/** Compares both ledgers of a report with the server's counts. */
function assertAgree(report: ScenarioReport, { counts }: CountingServer): void {
  const { ledger, warmupLedger } = report;
  const sum = (pick: (one: typeof ledger) => number) => pick(ledger) + pick(warmupLedger);
  assertEquals([...brokenEquations(ledger), ...brokenEquations(warmupLedger)], []);
  assertEquals(counts, {
    calls: sum(({ sent }) => sent),
    pings: probesOf(report),
    notifications: sum(({ frames }) => frames.progress),
    strange: 0,
  });
  assertEquals(sum(({ ok }) => ok), counts.calls);
  assertEquals(sum(({ frames }) => frames.received), counts.calls + counts.notifications);
}

for (const protocol of NAMES) {
  for (const scenario of SCENARIOS) {
    const { name } = scenario;
    const skipped = SKIPPED[name]?.(protocol);
    const what = skipped === undefined ? "matches the server's own counts" : "is skipped";
    Deno.test(`${name} on ${protocol} ${what}`, { ignore }, async () => {
      await using server = SERVERS[protocol]();
      const report = await runScenario(scenario, SHORT[name] ?? {}, {
        ...{ epochs: 2, cold: true },
        ...server,
        protocol: PROTOCOLS[protocol],
        workload: createWorkload("echo", { argsJson: '{"message":"{seq}"}', payloadBytes: 0 }),
        settings: { workload: SESSIONS },
      });
      if (skipped !== undefined || report.status === "skipped") {
        assertEquals([report.status, report.metrics, report.ledger.sent], ["skipped", [], 0]);
        assert(report.reason, "skipped without a reason");
        if (skipped !== undefined) assertEquals(report.reason, skipped);
        return;
      }
      // Soak's checks of memory and pace depend on other tests of this process.
      const failed = failedChecks(report).filter((check) => !/memory|as it was/.test(check));
      assertEquals(failed, []);
      if (name !== OUTSIDE_THE_LEDGER) return assertAgree(report, server);
      assertEquals([report.ledger.sent, brokenEquations(report.ledger)], [1, []]);
    });
  }

  Deno.test(`the preflight passes on ${protocol}`, { ignore }, async () => {
    await using server = SERVERS[protocol]();
    using target = targetAt(server.url, { protocol: PROTOCOLS[protocol] });
    const workload = createWorkload("echo", { argsJson: "{}", payloadBytes: 0 });
    const { checks, warnings } = await runPreflight(target, workload);
    assertEquals(warnings, []);
    assertEquals(
      checks.map(({ name }) => name),
      [
        "connected",
        "session opened",
        ...(protocol === "mcp" ? ["tools listed"] : []),
        "tool answers",
      ],
    );
  });
}

Deno.test("protocols without a handshake report no time for it", { ignore }, async () => {
  for (const protocol of NAMES) {
    await using server = SERVERS[protocol]();
    const report = await runScenario(connectionEstablishment, { connects: 2 }, {
      ...{ epochs: 1, cold: true },
      ...server,
      protocol: PROTOCOLS[protocol],
    });
    const names = report.metrics.map(({ name }) => name);
    assertEquals(names.includes("authenticate"), protocol === "mcp");
    assertEquals(
      report.notMeasured,
      protocol === "mcp" ? [] : [
        { name: "authenticate", reason: `the ${protocol} protocol has no handshake of its own` },
      ],
    );
  }
});

Deno.test("a server's pings are answered, its other requests declined", { ignore }, async () => {
  await using server = startMcpServer();
  const report = await runScenario(
    messageThroughput,
    { messages: 19, durationMs: null },
    {
      ...{ epochs: 1, cold: true },
      ...server,
      protocol: PROTOCOLS.mcp,
      workload: () => ({ tool: "ping", argsJson: "{}" }),
    },
  );
  assertEquals(
    report.ledger,
    ledgerWith({ sent: 19, ok: 19, frames: { received: 40, final: 19, progress: 21 } }),
  );
  assertEquals(server.answers.length, 2);
  const shapes = server.answers.map((answer) => Object.keys(answer as object).join());
  assertEquals(shapes, ["jsonrpc,id,result", "jsonrpc,id,error"]);
});

Deno.test("a server can ping before it answers initialize", { ignore }, async () => {
  const answers: string[] = [];
  let initializeId: unknown;
  await using server = startScriptedServer(({ send }, _message, text) => {
    const { id, method } = JSON.parse(text);
    if (method === "initialize") {
      initializeId = id;
      return send({ jsonrpc: "2.0", id: "p-1", method: "ping" });
    }
    if (method !== undefined) return;
    answers.push(text);
    send({ jsonrpc: "2.0", id: initializeId, result: { protocolVersion: "2024-11-05" } });
  });
  using target = targetAt(server.url, { protocol: PROTOCOLS.mcp });
  await using connection = await target.connect(openLedger());
  assertEquals(connection.isOpen, true);
  assertEquals(answers, [
    '{"jsonrpc":"2.0","id":"p-1","result":{"_meta":{"from":"exai-ws-bench"}}}',
  ]);
});

Deno.test("an unknown revision of mcp ends the preflight, naming both", { ignore }, async () => {
  await using server = startScriptedServer(({ send }, _message, text) => {
    const { id } = JSON.parse(text);
    send({ jsonrpc: "2.0", id, result: { protocolVersion: "1999-12-31" } });
  });
  using target = targetAt(server.url, { protocol: PROTOCOLS.mcp, token: null });
  const { message } = await assertRejects(
    () => runPreflight(target, () => ({ tool: "ping", argsJson: "{}" })),
    TargetUnusableError,
  );
  assertEquals(
    message,
    "Cannot complete the handshake: the server's protocol version is 1999-12-31, not one of 2025-11-25, " +
      "2025-06-18, 2025-03-26, 2024-11-05. Is it a server of another protocol (--protocol), or an " +
      "overloaded one (--timeout)?",
  );
});
