import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { Distribution, ScenarioReport } from "../../lib/schema.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { LAYER_NAMES } from "../../lib/run/layers/layer.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { median } from "../../lib/stats/rounds.ts";
import { createOverheadBreakdown, overheadBreakdown } from "../../scenarios/overhead_breakdown.ts";
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
import { startScriptedServer } from "../support/scripted_server.ts";
import { SHORT_TIMEOUT_MS, STATUS, TOKEN } from "../support/targets.ts";

/** The echoes run in a worker, which reads its own modules. */
const ignore = ["net", "read"].some((name) =>
  Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state !== "granted"
);

/** Five rounds of a few calls. */
const FEW = { rounds: 5, slices: 2, messages: 6, durationMs: null, warmupMs: 0 };
const PROBES = "every probe answered without a tool";

function layersOf(report: ScenarioReport): Distribution[] {
  return LAYER_NAMES.map((name) => metricNamed(report, `layer.${name}`, "distribution"));
}

/** What each layer adds, in milliseconds, by its name. */
function addedMs(report: ScenarioReport): Record<string, number> {
  return Object.fromEntries(
    layersOf(report).map(({ name, added }) => [name.split(".")[1], added!.value / 1e6]),
  );
}

Deno.test(
  { name: "each layer is what its rounds are above those of the layer below", ignore },
  async () => {
    for (const dialect of ["oct", "nov"] as const) {
      await using server = await startReference({ dialect });
      const report = await runScenario(overheadBreakdown, FEW, server);
      assertEquals([report.reason, report.status], [null, "passed"]);
      const layers = layersOf(report);
      const medians = layers.map(({ rounds }) => rounds.map(({ p50 }) => p50!));
      const whole = median(medians.at(-1)!);
      for (const [index, { name, added, rounds }] of layers.entries()) {
        assertEquals([rounds.length, added!.above], [5, layers[index - 1]?.name ?? null], name);
        assertEquals(added!.measuredOn, index < 4 ? "bundled" : "target");
        const below = medians[index - 1] ?? medians[0]!.map(() => 0);
        const differences = medians[index]!.map((own, round) => own - below[round]!);
        assertAlmostEquals(added!.call, median(medians[index]!), 1e-6);
        assertAlmostEquals(added!.value, median(differences), 1e-6);
        assertAlmostEquals(added!.share!, median(differences) / whole, 1e-12);
        assert(added!.ci95![0] <= added!.value && added!.value <= added!.ci95![1]);
        assert(added!.shareCi95 !== null);
      }
    }
  },
);

Deno.test(
  { name: "the calls of a breakdown are in its ledgers, and its probes are not", ignore },
  async () => {
    for (const [dialect, probe] of [["oct", "unknown op"], ["nov", "ping"]] as const) {
      await using server = await startReference({ dialect });
      const report = await runScenario(overheadBreakdown, FEW, {
        ...server,
        workload: distinct(),
      });
      const { ledger, warmupLedger } = report;
      // The one that is recorded, and the first of each slice.
      assertEquals([ledger.sent, ledger.ok], [30, 30]);
      assertEquals([warmupLedger.sent, warmupLedger.ok], [11, 11]);
      assertEquals([...brokenEquations(ledger), ...brokenEquations(warmupLedger)], []);
      assertEquals(countedCalls(server.stats()), expectedCalls([ledger, warmupLedger]));
      assertEquals(metricNamed(report, "layer.tool", "distribution").count, 30);
      assertEquals(metricNamed(report, "layer.routing", "distribution").count, 30);
      // Five rounds of two slices of six, and the first of each.
      assertEquals(checkNamed(report, PROBES).observed, `40 of 40, by ${probe}`);
    }
  },
);

/** Calls that no cache has. */
function distinct() {
  let calls = 0;
  return () => ({ tool: "status", argsJson: `{"n":${++calls}}` });
}

Deno.test(
  { name: "what a server says of its time is set against what the client saw", ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(overheadBreakdown, FEW, server);
    const reported = metricNamed(report, "serverReported", "distribution");
    const rest = metricNamed(report, "networkAndQueue", "distribution");
    const seen = metricNamed(report, "layer.tool", "distribution");
    assertEquals([reported.count, rest.count], [30, 30]);
    // A mean is a sum: the parts of every call make up the call. The histogram is 0.1 % off.
    assertAlmostEquals((reported.mean + rest.mean) / seen.mean, 1, 0.003);
  },
);

Deno.test({ name: "a server that tells no times has none", ignore }, async () => {
  await using server = await startFaultyServer();
  const report = await runScenario(overheadBreakdown, FEW, server);
  assertEquals(report.status, "passed");
  assertEquals(report.metrics.map(({ name }) => name), LAYER_NAMES.map((name) => `layer.${name}`));
});

Deno.test(
  { name: "the layers sum to the median of the call, on the bundled server", ignore },
  async () => {
    const options = defaultServerOptions({ token: TOKEN, limits: "off" });
    await using server = await startEmbeddedServer(options);
    const { url } = server;
    const report = await runScenario(overheadBreakdown, overheadBreakdown.defaults.standard, {
      url,
    });
    const layers = layersOf(report);
    const whole = layers.at(-1)!.added!.call;
    const sum = layers.reduce((total, { added }) => total + added!.value, 0) / whole;
    const isWarned = report.validity.warnings.some((warning) => warning.startsWith("layers:"));
    // A machine that is too restless to tell says so; sums that are wrong by design are further off.
    assert(Math.abs(sum - 1) < 0.1 || isWarned && Math.abs(sum - 1) < 0.4, `${sum}`);
    assertEquals(report.status, "passed");
  },
);

/** Stops the thread, rather than to keep it busy: a machine makes a busy one wait for its turn afterwards. */
function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS);
}

const SLOW_MS = 5;
/** A layer that is slow is so for everything that passes through it; a real call has its dispatch in the tool. */
const SLOW = {
  dispatch: { own: { dispatch: stall }, server: { toolMs: SLOW_MS } },
  codec: { own: { codec: stall }, server: { toolMs: SLOW_MS } },
  tcp: { own: { tcpMs: SLOW_MS, webSocketMs: SLOW_MS }, server: { routingMs: SLOW_MS } },
  websocket: { own: { webSocketMs: SLOW_MS }, server: { routingMs: SLOW_MS } },
  routing: { own: {}, server: { routingMs: SLOW_MS } },
  tool: { own: {}, server: { toolMs: SLOW_MS } },
};

for (const [slow, { own, server: delays }] of Object.entries(SLOW)) {
  Deno.test(
    { name: `a slow ${slow} is seen in its own layer, and in no other`, ignore },
    async () => {
      await using server = await startFaultyServer({ delays });
      const parameters = { ...FEW, slices: 1, messages: 5 };
      const report = await runScenario(createOverheadBreakdown(own), parameters, server);
      assertEquals(report.reason, null);
      const added = addedMs(report);
      for (const [name, ms] of Object.entries(added)) {
        const told = `${slow} is slow: ${JSON.stringify(added)}`;
        if (name === slow) assert(ms > 0.8 * SLOW_MS, told);
        else assert(Math.abs(ms) < 0.5 * SLOW_MS, told);
      }
    },
  );
}

Deno.test(
  { name: "a server that answers nothing without a tool has routing and tool together", ignore },
  async () => {
    await using server = await startFaultyServer({ pings: () => "silent" });
    const report = await runScenario(overheadBreakdown, FEW, {
      ...server,
      timeoutMs: SHORT_TIMEOUT_MS,
    });
    assertEquals(report.status, "passed");
    assertEquals(report.notMeasured.map(({ name }) => name), ["layer.routing"]);
    assertStringIncludes(report.notMeasured[0]!.reason, "(tried: ping, unknown op)");
    const tool = metricNamed(report, "layer.tool", "distribution");
    assertEquals(tool.added!.above, "layer.websocket");
  },
);

Deno.test({ name: "a probe that is not answered fails the breakdown", ignore }, async () => {
  const words = {
    silent: "no answer in time, or the connection was lost",
    close: "no answer in time, or the connection was lost",
    unknown: "answered with an error",
    rateLimited: "refused for load: Rate limit exceeded",
  };
  for (const [answer, why] of Object.entries(words)) {
    await using server = await startFaultyServer({
      pings: (nth) => nth < 10 ? "pong" : answer as keyof typeof words,
    });
    const report = await runScenario(overheadBreakdown, FEW, {
      ...server,
      timeoutMs: SHORT_TIMEOUT_MS,
    });
    const { passed, observed } = checkNamed(report, PROBES);
    // The first was asked to find out whether there is one.
    assertEquals([passed, report.status, server.pingsSeen], [false, "failed", 10], answer);
    assertStringIncludes(observed, `8 of 9, by ping (${why}`);
    assertEquals(brokenEquations(report.ledger), []);
  }
});

Deno.test({ name: "a limiter met by the first probe ends the run", ignore }, async () => {
  await using server = await startFaultyServer({ pings: () => "rateLimited" });
  const { scenarios, reasons } = await runScenarios([[overheadBreakdown, FEW]], server);
  assertEquals([scenarios[0]!.status, reasons.map(({ code }) => code)], ["failed", [3]]);
  assertStringIncludes(reasons[0]!.message, "--max-rate");
});

Deno.test(
  { name: "a server that dies, stalls or fails half-way leaves exact accounts", ignore },
  async () => {
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
  },
);

Deno.test({ name: "an interrupt at any stage of a breakdown ends it", ignore }, async () => {
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
    assertEquals(scenarios[0]!.status, "interrupted", `message ${at}`);
    assertEquals(reasons.map(({ code }) => code), [130]);
    assertEquals(brokenEquations(scenarios[0]!.ledger), []);
  }
});

Deno.test({ name: "an echo has no layers to tell", ignore }, async () => {
  await using server = await startFaultyServer();
  const report = await runScenario(overheadBreakdown, FEW, { ...server, protocol: echo });
  assertEquals([report.status, server.connectionsSeen], ["skipped", 0]);
  assertStringIncludes(report.reason!, "has no tools");
});

/** A server that speaks MCP, counting what it is asked; it asks for roots before every answer. */
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

Deno.test(
  { name: "over MCP, routing is its ping, and the tool a tools/call", ignore },
  async () => {
    const { server, asked } = startMcpServer();
    await using _stopped = server;
    const report = await runScenario(overheadBreakdown, FEW, {
      url: server.url,
      protocol: mcp,
      workload: () => ({ tool: "greet", argsJson: "{}" }),
    });
    assertEquals([report.reason, report.status], [null, "passed"]);
    assertEquals(layersOf(report).map(({ added }) => added !== undefined), Array(6).fill(true));
    // One probe to find out, one call that is recorded, and the first of each of ten slices.
    assertEquals([asked.ping, asked["tools/call"], asked.answer], [41, 41, 82]);
    assertEquals(checkNamed(report, PROBES).observed, "40 of 40, by ping");
    assertEquals([report.ledger.ok, report.ledger.frames.progress], [30, 60]);
  },
);

Deno.test(
  { name: "over MCP, a run that names no tool says that it has none", ignore },
  async () => {
    const { server } = startMcpServer();
    await using _stopped = server;
    const report = await runScenario(overheadBreakdown, FEW, {
      url: server.url,
      protocol: mcp,
      workload: () => ({ tool: "ping", argsJson: "{}" }),
    });
    assertEquals(report.status, "passed");
    assertEquals(report.notMeasured.map(({ name }) => name), ["a tool"]);
  },
);

Deno.test({ name: "a rate caps calls and probes, each session by its own", ignore }, async () => {
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
  const report = await runScenario(overheadBreakdown, { ...FEW, rounds: 1 }, {
    ...server,
    workload: () => STATUS,
    maxRatePerSecond: 20,
  });
  assertEquals(report.status, "passed");
  for (const times of Object.values(seenMs)) {
    // The first is asked before any pace is kept, to be recorded or to find a probe.
    const gapsMs = times.slice(2).map((time, index) => time - times[index + 1]!);
    assertEquals(gapsMs.length, 7);
    // Never two at once; a message may be seen late, but not by half of its slot.
    assert(Math.min(...gapsMs) > 25, `${gapsMs} ms`);
  }
});

Deno.test({ name: "a probe that fails in the warm-up is the last", ignore }, async () => {
  await using server = await startFaultyServer({
    pings: (nth) => nth === 1 ? "pong" : "unknown",
  });
  const report = await runScenario(overheadBreakdown, { ...FEW, warmupMs: 10 }, server);
  assertEquals([report.status, server.pingsSeen], ["failed", 2]);
  assertStringIncludes(checkNamed(report, PROBES).observed, "0 of 1");
});
