/**
 * A real MCP server, `@modelcontextprotocol/server-everything`, behind the gateway `supergateway`.
 *
 * Observed on the wire (supergateway 4.0.0, server-everything 2026.8.31):
 * - One server process serves all WebSocket clients. The gateway prefixes each request's id with
 *   the client's name and strips it from the reply with `parseInt`, so ids must be numbers: `"a-1"`
 *   comes back as null, `"0a-1"` as 0.
 * - A reply goes to its own client only. Notifications and the server's own requests go to all
 *   clients: each sees the progress of the others' calls, and `tools/list_changed` when one of them
 *   initialises.
 * - Messages that are not JSON, and batches, get no answer.
 * - Unknown tools or wrong arguments give a result with `isError`; an unknown method, error -32601.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Ledger } from "../../lib/schema.ts";
import type { Protocol } from "../../lib/protocols/protocol.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { runPreflight } from "../../lib/run/preflight.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { malformedInput } from "../../scenarios/malformed_input/mod.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { pipelining } from "../../scenarios/pipelining.ts";
import { rateLimit } from "../../scenarios/rate_limit.ts";
import { reconnectStorm } from "../../scenarios/reconnect_storm.ts";
import { reconnection } from "../../scenarios/reconnection.ts";
import { type McpGateway, startMcpGateway } from "../support/mcp_gateway.ts";
import { findNpmPeers, testWith } from "../support/npm_peers.ts";
import { listProcesses } from "../support/peer_process.ts";
import { makeUserFolder, runCli } from "../support/run_cli.ts";
import { failedChecks, runScenarios } from "../support/run_scenarios.ts";
import { targetAt } from "../support/targets.ts";

const npm = await findNpmPeers();

function testOnGateway(name: string, test: (gateway: McpGateway) => Promise<void>): void {
  Deno.test(testWith(`a real MCP server: ${name}`, npm.missing), async () => {
    await using gateway = await startMcpGateway(npm.folder!);
    await test(gateway);
  });
}

const LONG = "trigger-long-running-operation";

/** MCP, with progress requested for the long operation. */
const withProgress: Protocol = {
  ...mcp,
  encodeCall(id, tool, argsJson) {
    const call = JSON.parse(mcp.encodeCall(id, tool, argsJson));
    if (tool === LONG) call.params._meta = { progressToken: call.id };
    return JSON.stringify(call);
  },
};

/** Asserts that the ledger has served calls and notifications only. */
function assertServed(ledger: Ledger): void {
  const { sent, ok, frames } = ledger;
  assertEquals(brokenEquations(ledger), []);
  assertEquals([ok, frames.final, ledger.errorCodes], [sent, sent, {}]);
  assertEquals(frames.received, frames.final + frames.progress);
}

testOnGateway("its tools are listed and called", async ({ url }) => {
  const calls = [
    ["echo", '{"message":"hi"}'],
    ["get-sum", '{"a":1,"b":2}'],
    [LONG, '{"duration":0.05,"steps":2}'],
    ["ping", "{}"],
  ] as const;
  for (const [tool, argsJson] of calls) {
    using target = targetAt(url, { protocol: mcp });
    const { checks, warnings } = await runPreflight(target, () => ({ tool, argsJson }));
    assertEquals([checks.map(({ passed }) => passed), warnings], [[true, true, true, true], []]);
  }
});

testOnGateway("failed calls are reported as errors, never as served", async ({ url }) => {
  using target = targetAt(url, { protocol: mcp });
  const ledger = openLedger();
  {
    await using connection = await target.connect(ledger);
    const unknown = await connection.call({ tool: "no-such-tool", argsJson: "{}" });
    const invalid = await connection.call({ tool: "echo", argsJson: "{}" });
    const served = await connection.call({ tool: "echo", argsJson: '{"message":"hi"}' });
    assertEquals([unknown.status, invalid.status, served.status], ["toolError", "toolError", "ok"]);
    assertStringIncludes(unknown.errorMessage, "Tool no-such-tool not found");
    assertStringIncludes(invalid.errorMessage, "Invalid arguments for tool echo");
  }
  const settled = settleLedger(ledger, false);
  assertEquals(brokenEquations(settled), []);
  assertEquals([settled.ok, settled.errorCodes], [1, { TOOL_ERROR: 2 }]);
});

testOnGateway("bad messages, storms and limits pass", async ({ url }) => {
  const { scenarios } = await runScenarios([
    [malformedInput, {}],
    [reconnectStorm, { connections: 4 }],
    [rateLimit, { messages: 20 }],
  ], {
    ...{ url, protocol: mcp, token: null, epochs: 1 },
    workload: () => ({ tool: "echo", argsJson: '{"message":"hi"}' }),
  });
  assertEquals(
    scenarios.map((scenario) => [scenario.status, failedChecks(scenario)]),
    Array(3).fill(["passed", []]),
  );
  // The gateway drops what is not JSON; the server answers an unknown method.
  const observed = (name: string) =>
    scenarios[0]!.checks.find((check) => check.name === name)?.observed;
  assertEquals(observed("not JSON"), "no frame; a call is served after it");
  assertEquals(
    observed("unknown method"),
    "[r1, error -32601, Method not found]; a call is served after it",
  );
});

testOnGateway("progress between replies is counted and ends no call", async ({ url }) => {
  using target = targetAt(url, { protocol: withProgress });
  const ledger = openLedger();
  const order: string[] = [];
  {
    await using connection = await target.connect(ledger);
    const argsJson = '{"duration":0.3,"steps":6}';
    const startMs = performance.now();
    const long = connection.call({ tool: LONG, argsJson }).then(() => {
      // Not when its first notifications came, which is much earlier.
      assert(performance.now() - startMs > 290);
      order.push("long");
    });
    for (let n = 0; n < 20; n++) {
      const { status } = await connection.call({ tool: "echo", argsJson: `{"message":"${n}"}` });
      order.push(status);
    }
    await long;
    order.push((await connection.call({ tool: "ping", argsJson: "{}" })).status);
  }
  assertEquals(order.toSorted(), ["long", ...Array(21).fill("ok")]);
  assertEquals(order.at(-1), "ok");
  const settled = settleLedger(ledger, false);
  assertServed(settled);
  // A notification for each of the six steps, and tools/list_changed.
  assertEquals([settled.sent, settled.frames.progress], [22, 6 + 1]);
});

testOnGateway("ledgers hold while other clients' progress arrives", async ({ url }) => {
  using target = targetAt(url, { protocol: withProgress });
  const busy = openLedger();
  await using other = await target.connect(busy);
  // A progress notification every 5 ms until the scenarios are over.
  let isOver = false;
  const progressing = (async () => {
    while (!isOver) await other.call({ tool: LONG, argsJson: '{"duration":0.25,"steps":50}' });
  })();
  const { scenarios, reasons } = await runScenarios([
    [messageThroughput, { durationMs: 100 }],
    [concurrentConnections, { durationMs: 100, connections: 3 }],
    [reconnection, { cycles: 2, pauseMs: 5 }],
    [pipelining, { durationMs: 100 }],
    [openLoop, { ratePerSecond: 100, messages: 10, durationMs: null }],
  ], {
    epochs: 2,
    url,
    protocol: mcp,
    workload: createWorkload("echo", { argsJson: '{"message":"{seq}"}', payloadBytes: 0 }),
  });
  isOver = true;
  await progressing;
  assertEquals(reasons, []);
  for (const report of scenarios) {
    assertEquals([report.name, report.status, failedChecks(report)], [report.name, "passed", []]);
    assertServed(report.ledger);
    assertServed(report.warmupLedger);
    assert(report.ledger.frames.progress > 0, `${report.name} saw progress of another's call`);
  }
  assertServed(settleLedger(busy, false));
});

testOnGateway("the command line measures it with an exact ledger", async ({ url }) => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli([
    ...["--protocol", "mcp", "--url", url, "--profile", "quick", "--epochs", "2"],
    ...["--tool", "echo", "--tool-args", '{"message":"{seq}"}'],
  ], { folder: folder.path });
  assertEquals(code, 0, `${stdout}\n${stderr}`);
  const report = await folder.report();
  assertEquals([report.target.protocol, report.target.tool], ["mcp", "echo"]);
  for (const { name, status, reason, ledger, warmupLedger } of report.scenarios) {
    const isSkipped = name === "authentication";
    assertEquals([name, status], [name, isSkipped ? "skipped" : "passed"]);
    assertEquals(reason ?? null, isSkipped ? "the mcp protocol has no authentication" : null);
    assertServed(ledger);
    assertServed(warmupLedger);
  }
  assert(report.scenarios.some(({ ledger }) => ledger.frames.progress > 0));
});

const cannotList = npm.missing ?? (await listProcesses() === null ? "no ps" : null);
Deno.test(testWith("a real MCP server: no process is left behind", cannotList), async () => {
  let family: number[];
  {
    await using gateway = await startMcpGateway(npm.folder!);
    family = await gateway.processes();
    // The gateway and the server, and possibly a shell between them.
    assert(family.length >= 2, `${family}`);
  }
  const running = await listProcesses();
  assertEquals(family.filter((pid) => running!.has(pid)), []);
});
