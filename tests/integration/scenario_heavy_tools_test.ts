import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { heavyTools } from "../../scenarios/heavy_tools.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { headOfLine } from "../../scenarios/head_of_line.ts";
import {
  checkNamed,
  countedCalls,
  expectedCalls,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer, successFrames } from "../support/scripted_server.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { heavyToolsOf } from "../support/workloads.ts";

const TOOLS = ["chat", "analyze", "debug"];
const THINK = { medianMs: 30, sigma: 0 };
/** Constant think times, with progress every few milliseconds. */
const FAST = { think: { chat: THINK, analyze: THINK, debug: THINK }, progressIntervalMs: 5 };

/** The samples of a metric for a tool, or for all tools together. */
function countOf(report: ScenarioReport, metric: string, tool?: string): number {
  const found = report.metrics.find(({ name, at }) => name === metric && at?.tool === tool);
  return found?.kind === "distribution" ? found.count : 0;
}

Deno.test("heavy tools: makes exactly the announced calls, timed by part", { ignore }, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({ ...FAST, dialect });
    const report = await runScenario(heavyTools, { connections: 3 }, { ...server, epochs: 2 });
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    // 2 epochs of 2 + 1 + 1 alone, and a turn of 3 + 1 + 1 for one client and for each of three.
    assertEquals(report.ledger.sent, 2 * (4 + 4 * 5));
    assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger]));
    const counts = (metric: string) => TOOLS.map((tool) => countOf(report, metric, tool));
    assertEquals(counts("latency"), [4, 2, 2]);
    assertEquals(counts("firstProgress"), [4, 2, 2]);
    assertEquals(counts("concurrentLatency"), [18, 6, 6]);
    assertEquals(counts("cached"), [0, 0, 0]);
    assertEquals([countOf(report, "latencyAlone"), countOf(report, "latency")], [10, 30]);
    for (const tool of TOOLS) {
      const latency = metricNamed(report, "latency", "distribution", { tool });
      const progress = metricNamed(report, "firstProgress", "distribution", { tool });
      assert(progress.min > 0 && progress.max < latency.max, tool);
      assert(latency.min >= 29e6, "a result came before the tool had thought");
    }
    const epochs = (name: string) => metricNamed(report, name, "scalar").epochs;
    assertEquals(
      epochs("speedup"),
      epochs("throughput").map((rate, epoch) => rate / epochs("throughputAlone")[epoch]!),
    );
    // A client cannot be faster than the tool; three cannot be more than thrice as fast.
    assert(Math.max(...epochs("throughputAlone")) <= 1000 / 29);
    assert(Math.max(...epochs("throughput")) <= 3 * 1000 / 29);
  }
});

Deno.test("heavy tools: replies from a cache are counted separately", { ignore }, async () => {
  await using server = await startReference({ ...FAST, dialect: "nov" });
  const same = heavyToolsOf([{ argsJson: '{"prompt":"always the same"}', repetitions: 3 }]);
  const report = await runScenario(heavyTools, { connections: 2, messages: 4 }, {
    ...server,
    epochs: 1,
    heavyTools: same,
  });
  const { callsFromCache, callsServed } = server.stats();
  assertEquals([callsServed, report.ledger.ok], [15, 15]);
  assert(callsFromCache >= 12);
  assertEquals(countOf(report, "cached", "chat"), callsFromCache);
  assertEquals(report.ledger.cached, callsFromCache);
  assertEquals(countOf(report, "latency", "chat"), 1);
  assertEquals([countOf(report, "latencyAlone"), countOf(report, "latency")], [0, 0]);
  // Nothing was computed in the mix, so there is no throughput.
  assertEquals(metricNamed(report, "throughput", "scalar").value, 0);
  assertEquals(report.notes!.find(({ kind }) => kind === "cachedTool")?.cached, 14);
  assertEquals(report.validity.valid, false);
});

Deno.test("heavy tools: unique arguments miss an earlier run's cache", { ignore }, async () => {
  await using server = await startReference({ ...FAST, dialect: "nov" });
  const run = async (seed: number) => {
    const report = await runScenario(heavyTools, { connections: 2, messages: 2 }, {
      ...server,
      epochs: 1,
      heavyTools: heavyToolsOf([{}], seed),
    });
    return { sent: report.ledger.sent, cached: report.ledger.cached };
  };
  assertEquals(await run(1), { sent: 7, cached: 0 });
  assertEquals(await run(2), { sent: 7, cached: 0 });
  assertEquals(await run(1), { sent: 7, cached: 7 }, "the same seed makes the same calls");
});

Deno.test("heavy tools: each tool has its own timeout on one connection", { ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "call_tool" || message.name === "quick") {
      return answerSoundly(peer, message);
    }
    if (message.name === "late") {
      setTimeout(() => successFrames(message.request_id).forEach(peer.send), 400);
    }
  });
  const report = await runScenario(heavyTools, { connections: 1 }, {
    ...server,
    epochs: 1,
    heavyTools: heavyToolsOf([
      { tool: "late", timeoutMs: 10_000 },
      { tool: "quick", timeoutMs: 10_000 },
      { tool: "silent", timeoutMs: 400, weight: 1, repetitions: 2 },
    ]),
  });
  assertEquals([report.ledger.ok, report.ledger.timeout], [2, 2]);
  assertEquals(checkNamed(report, "the announced calls were made").observed, "4 of 10");
});

Deno.test("heavy tools: calls without an answer count as longer than any", { ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "call_tool" && ++calls % 3 !== 0) return;
    answerSoundly(peer, message);
  });
  const report = await runScenario(heavyTools, { connections: 1, messages: 6 }, {
    ...server,
    epochs: 1,
    heavyTools: heavyToolsOf([{ timeoutMs: 100, repetitions: 6 }]),
  });
  const at = { tool: "chat" };
  for (const one of [{ name: "latency", at }, { name: "latencyAlone", at: {} }]) {
    const times = metricNamed(report, one.name, "distribution", one.at);
    assertEquals([times.count, times.censored, times.p50], [2, 4, 100e6], one.name);
  }
});

// Because calls can cost money.
Deno.test("heavy tools: a tool without a success ends the scenario", { ignore }, async () => {
  await using server = await startReference(FAST);
  const report = await runScenario(heavyTools, { connections: 2 }, {
    ...server,
    epochs: 5,
    heavyTools: heavyToolsOf([{}, { tool: "none", repetitions: 2 }]),
  });
  assertEquals([report.status, report.ledger.sent, report.ledger.toolError], ["failed", 3, 2]);
  assertEquals(failedChecks(report), ["the announced calls were made", "no error replies"]);
  assertEquals(countOf(report, "latency", "chat"), 1);
});

Deno.test("heavy tools: a lost or silent server ends it, ledger intact", { ignore }, async () => {
  for (const fate of ["silent", "cut"] as const) {
    let calls = 0;
    await using server = startScriptedServer((peer, message) => {
      if (message?.op !== "call_tool" || ++calls <= 5) return answerSoundly(peer, message);
      if (fate === "cut") peer.cut();
    });
    const report = await runScenario(heavyTools, { connections: 2, messages: 10 }, {
      ...server,
      epochs: 5,
      // Of calls only: on a busy machine, connecting takes longer.
      heavyTools: heavyToolsOf([{ timeoutMs: 400 }]),
    });
    assertEquals(report.status, "failed");
    assertEquals(checkNamed(report, "ledger reconciles").passed, true);
    const { ok, timeout, connectionLost } = report.ledger;
    assertEquals([ok, timeout, connectionLost], fate === "cut" ? [5, 0, 1] : [5, 3, 0]);
  }
});

Deno.test("heavy tools: without progress, firstProgress is not measured", { ignore }, async () => {
  await using server = await startReference({ ...FAST, progressIntervalMs: 60_000 });
  const report = await runScenario(heavyTools, { connections: 1 }, {
    ...server,
    epochs: 1,
    heavyTools: heavyToolsOf([{}]),
  });
  assertEquals(report.status, "passed");
  assertEquals(countOf(report, "firstProgress", "chat"), 0);
  assertEquals(report.notMeasured.map(({ name }) => name), ["firstProgress of chat"]);
});

Deno.test("heavy tools: skipped with a reason if none is granted", { ignore }, async () => {
  await using server = await startReference(FAST);
  const report = await runScenario(heavyTools, {}, { ...server, protocol: echo });
  assertEquals([report.status, report.ledger.sent], ["skipped", 0]);
  assertStringIncludes(report.reason!, "echo server has no tools");
  assertEquals(server.stats().callsReceived, 0);
  assertEquals(report.parameters.heavyTools, null);
});

/** An MCP server that answers every call, heavy ones a little later. */
function startMcpServer(heavyMs: number) {
  return startScriptedServer((peer, message) => {
    const { id, method, params } = message as unknown as {
      id?: number;
      method: string;
      params?: { name?: string };
    };
    if (id === undefined) return;
    const answer = () => {
      peer.send({ jsonrpc: "2.0", method: "notifications/message", params: {} });
      peer.send({ jsonrpc: "2.0", id, result: { content: [] } });
    };
    if (method === "initialize") {
      return peer.send({ jsonrpc: "2.0", id, result: { protocolVersion: "2025-06-18" } });
    }
    if (method === "tools/call" && params?.name === "chat") setTimeout(answer, heavyMs);
    else answer();
  });
}

Deno.test("heavy tools and head of line run on MCP without firstProgress", { ignore }, async () => {
  await using server = startMcpServer(300);
  const options = {
    ...server,
    protocol: mcp,
    workload: () => ({ tool: "ping", argsJson: "{}" }),
    heavyTools: heavyToolsOf([{}]),
    epochs: 1,
  };
  const heavy = await runScenario(heavyTools, { connections: 2 }, options);
  assertEquals([heavy.status, heavy.ledger.ok, heavy.ledger.cached], ["passed", 4, 0]);
  assertEquals(heavy.notMeasured.map(({ name }) => name), ["firstProgress of chat"]);
  const line = await runScenario(headOfLine, { durationMs: 300 }, options);
  assertEquals([line.status, failedChecks(line)], ["passed", []]);
  // This server answers out of order, as MCP allows, so nothing waits on the same connection.
  const cheap = metricNamed(line, "cheap", "distribution", { place: "sameConnection" });
  assert(cheap.p50! < 150e6);
});

Deno.test("heavy tools: no client is connected before its part begins", { ignore }, async () => {
  const connections: number[] = [];
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "call_tool") connections.push(server.connections);
    answerSoundly(peer, message);
  });
  const report = await runScenario(heavyTools, { connections: 3, messages: 1 }, {
    ...server,
    epochs: 1,
    heavyTools: heavyToolsOf([{ repetitions: 3 }]),
  });
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  // Three alone, then three simultaneously, then the mix with one client, as in the first epoch.
  assertEquals(connections.length, 3 + 3 + 1);
  assertEquals(connections.slice(0, 3).map((one) => one - connections[0]!), [0, 0, 0]);
  assertEquals(connections.at(-1)! - connections[0]!, 1 + 3);
});

Deno.test("heavy tools: a lost connection is named if calls are missing", { ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "call_tool" && ++calls > 2) return peer.close(4008, "too long");
    answerSoundly(peer, message);
  });
  const report = await runScenario(heavyTools, { connections: 2, messages: 1 }, {
    ...server,
    epochs: 1,
    heavyTools: heavyToolsOf([{ repetitions: 5 }]),
  });
  assertStringIncludes(
    checkNamed(report, "the announced calls were made").observed,
    "close 4008 too long",
  );
});
