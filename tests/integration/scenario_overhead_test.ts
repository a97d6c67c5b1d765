import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, ScenarioReport } from "../../lib/schema.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { verdictOf } from "../../lib/run/verdict.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { LAYER_NAMES } from "../../scenarios/overhead_breakdown/ladder.ts";
import {
  createOverheadBreakdown,
  overheadBreakdown,
} from "../../scenarios/overhead_breakdown/mod.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  countedCalls,
  expectedCalls,
  metricNamed,
  runScenario,
  runScenarios,
  startReference,
} from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { lacks } from "../support/permissions.ts";
import { SHORT_TIMEOUT_MS } from "../support/targets.ts";
import { distinctCalls } from "../support/workloads.ts";

/** The echoes run in a worker, which reads its modules. */
const ignore = lacks("net", "read");

/** One block of a few calls in each epoch. */
const FEW = { messages: 8, durationMs: null };
const PROBES = "every probe answered without a tool";

/** The layers that each one contains. */
const CONTAINED: Record<typeof LAYER_NAMES[number], string[]> = {
  ...{ dispatch: [], codec: [], wakeup: [], tcp: ["wakeup"], websocket: ["tcp"] },
  ...{ routing: ["websocket"], tool: ["routing", "dispatch"] },
};

function layerOf(report: ScenarioReport, layer: string): Distribution {
  return metricNamed(report, "layer", "distribution", { layer });
}

function layersOf(report: ScenarioReport): Distribution[] {
  return LAYER_NAMES.map((layer) => layerOf(report, layer));
}

Deno.test("each layer adds to the one below, and all sum up to the call", { ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(overheadBreakdown, FEW, { ...server, epochs: 5, cold: true });
  assertEquals([report.reason, report.status], [null, "passed"]);
  const layers = layersOf(report);
  for (const [index, { added, epochs }] of layers.entries()) {
    const name = LAYER_NAMES[index]!;
    assertEquals([added!.above, epochs.length], [CONTAINED[name][0] ?? null, 5], name);
    assertEquals(added!.measuredOn, index < 5 ? "bundled" : "target");
    assert(added!.ci95 !== null && added!.shareCi95 !== null, name);
  }
  // JSON is part of the layers on the server.
  const sum = layers.filter((_, index) => LAYER_NAMES[index] !== "codec")
    .reduce((total, { added }) => total + added!.share!, 0);
  assertAlmostEquals(sum, 1, 1e-9);
});

Deno.test("the ledgers of a breakdown have its calls, but not its probes", { ignore }, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({ dialect });
    const report = await runScenario(overheadBreakdown, FEW, {
      ...server,
      workload: distinctCalls(),
    });
    const { ledger, warmupLedger } = report;
    // Three epochs of eight calls, and as many with recorded replies.
    assertEquals([ledger.sent, ledger.ok], [48, 48]);
    assertEquals([...brokenEquations(ledger), ...brokenEquations(warmupLedger)], []);
    assertEquals(countedCalls(server.stats()), expectedCalls([ledger, warmupLedger]));
    assertEquals(layerOf(report, "tool").count, 24);
    assertEquals(layerOf(report, "routing").count, 24);
    assertEquals(metricNamed(report, "serverReported", "distribution").count, 24);
    assertEquals(metricNamed(report, "networkAndQueue", "distribution").count, 24);
    const { seen, wanted } = checkNamed(report, PROBES);
    assert(seen === wanted && seen! >= 24, `${seen} of ${wanted}`);
  }
});

Deno.test("the call and the dispatch are shared with message-throughput", { ignore }, async () => {
  await using server = await startReference();
  const bundled = {
    restart: () => Promise.reject(new Error("not here")),
  };
  const { scenarios: [throughput, breakdown], unitEpochs } = await runScenarios(
    [[messageThroughput, FEW], [overheadBreakdown, FEW]],
    { ...server, bundled },
  );
  const latency = metricNamed(throughput!, "latency", "distribution");
  assertEquals(layerOf(breakdown!, "tool").epochs, latency.epochs);
  assertEquals(unitEpochs, layerOf(breakdown!, "dispatch").epochs.map(({ p50 }) => p50!));
  // The shared calls are in the ledger of the first.
  assertEquals([throughput!.ledger.ok, breakdown!.ledger.ok], [24, 24]);
});

Deno.test("the bundled dispatch is no unit baseline for another server", { ignore }, async () => {
  await using server = await startReference();
  const { scenarios, unitEpochs } = await runScenarios(
    [[messageThroughput, FEW], [overheadBreakdown, FEW]],
    server,
  );
  assertEquals(unitEpochs, []);
  assert(scenarios[0]!.metrics.every(({ name }) => name !== "unitFactor"));
  assertEquals(layerOf(scenarios[1]!, "dispatch").added!.measuredOn, "bundled");
});

/** A server that reports this latency for every call. */
function startReporting(latencyMs: () => number) {
  return startScriptedServer((peer, message) => {
    const { op, request_id } = message!;
    if (op === "ping") return peer.send({ op: "pong", request_id });
    if (op !== "call_tool") return answerSoundly(peer, message);
    const metadata = { latency_metrics: { latency_ms: latencyMs() } };
    const outputs = [{ type: "text", text: "fine", metadata }];
    peer.send({ op: "call_tool_res", request_id, ok: true, outputs });
  });
}

Deno.test("times that a server reports are subtracted from the client's", { ignore }, async () => {
  await using honest = await startReporting(() => 0.001);
  const report = await runScenario(overheadBreakdown, FEW, honest);
  const reported = metricNamed(report, "serverReported", "distribution");
  const rest = metricNamed(report, "networkAndQueue", "distribution");
  assertEquals([reported.count, rest.count, reported.min, reported.max], [24, 24, 1000, 1000]);
  assertEquals(report.validity.warnings.filter(({ kind }) => kind === "serverTimes"), []);

  await using boastful = await startReporting(() => 1e6);
  const { validity, metrics } = await runScenario(overheadBreakdown, FEW, boastful);
  assertEquals(validity.warnings.filter(({ kind }) => kind === "serverTimes").length, 1);
  const nothing = metricNamed({ metrics } as ScenarioReport, "networkAndQueue", "distribution");
  assertEquals([nothing.min, nothing.max], [0, 0]);
});

Deno.test("a server that reports no times has no metrics of them", { ignore }, async () => {
  await using server = await startFaultyServer();
  const report = await runScenario(overheadBreakdown, FEW, server);
  assertEquals(report.status, "passed");
  assertEquals(report.metrics.map(({ name, at }) => [name, at!.layer]), [
    ...LAYER_NAMES.map((layer) => ["layer", layer]),
  ]);
  assertEquals(report.ledger.sent, 24);
});

/** Sleeps instead of spinning: the scheduler can penalise a busy thread afterwards. */
function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS);
}

const SLOW_MS = 5;
/** A slow layer slows everything that passes through it. A real call's dispatch is in the tool. */
const SLOW = {
  dispatch: { own: { inProcess: { dispatch: stall } }, server: { toolMs: SLOW_MS } },
  codec: { own: { inProcess: { codec: stall } }, server: {} },
  wakeup: {
    own: { echoMs: { wakeup: SLOW_MS, tcp: SLOW_MS, webSocket: SLOW_MS } },
    server: { routingMs: SLOW_MS },
  },
  tcp: { own: { echoMs: { tcp: SLOW_MS, webSocket: SLOW_MS } }, server: { routingMs: SLOW_MS } },
  websocket: { own: { echoMs: { webSocket: SLOW_MS } }, server: { routingMs: SLOW_MS } },
  routing: { own: {}, server: { routingMs: SLOW_MS } },
  tool: { own: {}, server: { toolMs: SLOW_MS } },
};

for (const [slow, { own, server: delays }] of Object.entries(SLOW)) {
  Deno.test(`a slow ${slow} shows in its own layer and in no other`, { ignore }, async () => {
    await using server = await startFaultyServer({ delays });
    const report = await runScenario(createOverheadBreakdown(own), FEW, { ...server, cold: true });
    assertEquals(report.reason, null);
    // The fastest of each, because a busy machine only adds to them.
    const fastestMs: Record<string, number> = Object.fromEntries(
      LAYER_NAMES.map((name) => [name, layerOf(report, name).min / 1e6]),
    );
    for (const name of LAYER_NAMES) {
      const contained = CONTAINED[name].map((inner) => fastestMs[inner]!);
      const addedMs = contained.reduce((rest, ms) => rest - ms, fastestMs[name]!);
      const shown = `${slow} is slow: ${JSON.stringify(fastestMs)}`;
      if (name === slow) assert(addedMs > 0.8 * SLOW_MS, shown);
      else assert(Math.abs(addedMs) < 0.5 * SLOW_MS, shown);
    }
  });
}

Deno.test("a server faster than its stand-ins invalidates the breakdown", { ignore }, async () => {
  // The server answers immediately, while the suite's own dispatch is slow.
  await using server = await startFaultyServer();
  const report = await runScenario(
    createOverheadBreakdown({ inProcess: { dispatch: stall } }),
    FEW,
    {
      ...server,
      epochs: 5,
      cold: true,
    },
  );
  const negative = report.validity.warnings.filter(({ kind }) => kind === "negativeLayer");
  // On the client's own thread, the server can also be faster than an echo on another.
  assertEquals(negative.at(-1)?.layer, "tool");
  assertStringIncludes(negative.at(-1)!.message, "the breakdown does not hold");
  assertEquals([report.status, report.validity.valid], ["passed", false]);
});

Deno.test("without an answer to probes, routing and tool are one layer", { ignore }, async () => {
  await using server = await startFaultyServer({ pings: () => "silent" });
  const report = await runScenario(overheadBreakdown, FEW, {
    ...server,
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assertEquals(report.status, "passed");
  assertEquals(report.notMeasured.map(({ name }) => name), ["routing"]);
  assertStringIncludes(report.notMeasured[0]!.reason, "(tried: ping, unknown op)");
  assertEquals(layerOf(report, "tool").added!.above, "websocket");
});

Deno.test("an unanswered probe fails the breakdown", { ignore }, async () => {
  const words = {
    silent: "timeout",
    close: "connectionLost",
    unknown: "toolError",
    rateLimited: "rateLimited (Rate limit exceeded",
  };
  for (const [answer, why] of Object.entries(words)) {
    // The first ping finds out whether the server answers pings.
    await using server = await startFaultyServer({
      pings: (nth) => nth === 1 ? "pong" : answer as keyof typeof words,
    });
    const report = await runScenario(overheadBreakdown, FEW, {
      ...server,
      timeoutMs: SHORT_TIMEOUT_MS,
    });
    const { passed, observed } = checkNamed(report, PROBES);
    assertEquals([passed, report.status, server.pingsSeen], [false, "failed", 2], answer);
    assertStringIncludes(observed, `0 of 1; first failure: ping: ${why}`);
    assertEquals(brokenEquations(report.ledger), []);
  }
});

Deno.test("a limiter that refuses the first probe fails the scenario", { ignore }, async () => {
  await using server = await startFaultyServer({ pings: () => "rateLimited" });
  const { scenarios, reasons } = await runScenarios([[overheadBreakdown, FEW]], server);
  assertEquals([scenarios[0]!.status, reasons.map(({ code }) => code)], ["failed", [1]]);
  assertStringIncludes(reasons[0]!.message, "RATE_LIMIT_USER_CAPACITY");
});

Deno.test("a server that dies, stalls or fails leaves exact ledgers", { ignore }, async () => {
  for (const kind of ["abruptClose", "silent", "toolError"] as const) {
    for (const from of [1, 9]) {
      await using server = await startFaultyServer({
        script: (call) => ({ kind: call >= from ? kind : "ok" }),
      });
      const report = await runScenario(overheadBreakdown, FEW, {
        ...server,
        timeoutMs: SHORT_TIMEOUT_MS,
      });
      const { ledger, warmupLedger } = report;
      assertEquals(report.status, "failed", `${kind} from call ${from}`);
      assertEquals([...brokenEquations(ledger), ...brokenEquations(warmupLedger)], []);
      assertEquals(ledger.sent + warmupLedger.sent, server.callsSeen);
      assert(ledger.ok + warmupLedger.ok === from - 1);
    }
  }
});

Deno.test("frames that are no part of a reply are not replayed", { ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message!.op === "call_tool") peer.send("not JSON");
    answerSoundly(peer, message);
  });
  const report = await runScenario(overheadBreakdown, FEW, {
    ...server,
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assertEquals([report.status, report.reason], ["failed", null]);
  assertEquals(report.ledger.frames.malformed, report.ledger.sent);
  assertEquals(layerOf(report, "tool").count, 24);
});

Deno.test("an interrupt at any stage of a breakdown ends it", { ignore }, async () => {
  for (const at of [1, 2, 3, 20]) {
    const controller = new AbortController();
    let messages = 0;
    const interrupt = () => {
      if (++messages === at) controller.abort(new Error("interrupted"));
    };
    await using server = await startFaultyServer({
      script: () => {
        interrupt();
        return { kind: "ok" };
      },
      pings: () => {
        interrupt();
        return "pong";
      },
    });
    const { scenarios, reasons } = await runScenarios([[overheadBreakdown, FEW]], {
      ...server,
      signal: controller.signal,
    });
    assertEquals([scenarios[0]!.reason, scenarios[0]!.status], ["interrupted", "interrupted"]);
    assertEquals(verdictOf(reasons).exitCode, 130);
    assertEquals(brokenEquations(scenarios[0]!.ledger), []);
  }
});

Deno.test("the echo protocol has no layers", { ignore }, async () => {
  await using server = await startFaultyServer();
  const report = await runScenario(overheadBreakdown, FEW, { ...server, protocol: echo });
  assertEquals([report.status, server.connectionsSeen], ["skipped", 0]);
  assertStringIncludes(report.reason!, "has no tools");
});

/** An MCP server that counts its requests, and asks for roots before every answer. */
function startMcpServer() {
  const asked: Record<string, number> = {};
  let answers = 0;
  const server = startScriptedServer((peer, message) => {
    const { id, method = "answer" } = message as { id?: number; method?: string };
    asked[method] = (asked[method] ?? 0) + 1;
    if (id === undefined || method === "answer") return;
    if (method === "initialize") {
      return peer.send({ jsonrpc: "2.0", id, result: { protocolVersion: "2025-06-18" } });
    }
    peer.send({ jsonrpc: "2.0", method: "notifications/message" });
    peer.send({ jsonrpc: "2.0", id: ++answers, method: "roots/list" });
    const content = [{ type: "text", text: "fine" }];
    peer.send({ jsonrpc: "2.0", id, result: method === "tools/call" ? { content } : {} });
  });
  return { server, asked };
}

Deno.test("over MCP, routing is a ping and the tool a tools/call", { ignore }, async () => {
  const { server, asked } = startMcpServer();
  await using _stopped = server;
  const report = await runScenario(overheadBreakdown, FEW, {
    ...server,
    protocol: mcp,
    workload: () => ({ tool: "greet", argsJson: "{}" }),
  });
  assertEquals([report.reason, report.status], [null, "passed"]);
  assertEquals(layersOf(report).map(({ added }) => added !== undefined), Array(7).fill(true));
  assert(asked.ping! > 24 && asked["tools/call"]! > 24);
  assertEquals(asked.answer, asked.ping! + asked["tools/call"]!);
  assertEquals([report.ledger.ok, report.ledger.frames.progress], [24, 48]);
  assertEquals(checkNamed(report, PROBES).passed, true);
});

Deno.test("over MCP, a run without --tool reports that it has none", { ignore }, async () => {
  const { server } = startMcpServer();
  await using _stopped = server;
  const report = await runScenario(overheadBreakdown, FEW, {
    ...server,
    protocol: mcp,
    workload: () => ({ tool: "ping", argsJson: "{}" }),
  });
  assertEquals(report.status, "passed");
  assertEquals(report.notMeasured.map(({ name }) => name), ["a tool"]);
  assertEquals(layerOf(report, "tool").added!.above, "websocket", "the ping itself is routing");
});

Deno.test("--max-rate caps calls and probes of each session", { ignore }, async () => {
  const seenMs: Record<"calls" | "pings", number[]> = { calls: [], pings: [] };
  await using server = await startFaultyServer({
    script: () => {
      seenMs.calls.push(performance.now());
      return { kind: "ok" };
    },
    pings: () => {
      seenMs.pings.push(performance.now());
      return "pong";
    },
  });
  const report = await runScenario(overheadBreakdown, FEW, {
    ...server,
    epochs: 1,
    cold: true,
    maxRatePerSecond: 20,
    settings: { scenarios: ["overhead-breakdown"] },
  });
  assertEquals(report.status, "passed");
  for (const times of Object.values(seenMs)) {
    // The first is unpaced: it records a reply, or finds the probe.
    const gapsMs = times.slice(2).map((time, index) => time - times[index + 1]!);
    assert(gapsMs.length >= 7);
    // Never two together: a message can be seen late, but not by half of its slot.
    assert(Math.min(...gapsMs) > 25, `${gapsMs} ms`);
  }
});

Deno.test("a low --max-rate skips the layers unless they are named", { ignore }, async () => {
  await using server = await startReference();
  const few = { messages: 1, durationMs: null };
  const at = (maxRatePerSecond: number, scenarios: string[] | null = null) =>
    runScenario(overheadBreakdown, few, {
      ...{ ...server, epochs: 1, cold: true, maxRatePerSecond, settings: { scenarios } },
    });
  const skipped = await at(999);
  assertEquals([skipped.status, skipped.ledger.sent], ["skipped", 0]);
  assertStringIncludes(skipped.reason!, "--max-rate keeps each client to 999 calls/s");
  assertStringIncludes(skipped.reason!, "1000 or more");
  assertEquals((await at(1_000)).status, "passed");
  assertEquals((await at(999, ["overhead-breakdown"])).status, "passed");
  assertEquals((await at(999, ["message-throughput"])).status, "skipped");
});
