import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Procedure, Scenario } from "../../lib/run/scenario.ts";
import { TargetUnusableError } from "../../lib/run/scenario.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { EXIT, INTERRUPTED, verdictOf } from "../../lib/run/verdict.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { scaling } from "../../scenarios/scaling.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import { metricNamed, runScenarios, startReference } from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { ledgerWith, NO_NET as ignore, SHORT_TIMEOUT_MS } from "../support/targets.ts";
import { distinctCalls } from "../support/workloads.ts";

/** Fifty calls, and practically no refill. */
const FIFTY_CALLS = { userRate: { capacity: 50, refillPerSecond: 0.001 } };
const COUNTED = { messages: 100, durationMs: null };
const ONCE = { epochs: 1, cold: true };

Deno.test("rate limiting in the warm-up is counted, and the run goes on", { ignore }, async () => {
  await using server = await startReference({ dialect: "nov", limits: FIFTY_CALLS });
  const { scenarios, reasons, rateLimit } = await runScenarios([
    [messageThroughput, COUNTED],
    [sleeper("next", []), {}],
  ], { ...server, epochs: 1, workload: distinctCalls() });
  assertEquals([rateLimit?.scenario, rateLimit?.atCall], ["message-throughput", 51]);
  assertEquals(scenarios.map(({ status }) => status), ["failed", "passed"]);
  const { warmupLedger, ledger } = scenarios[0]!;
  assertEquals([warmupLedger.ok, warmupLedger.rateLimited], [50, 50]);
  // Each epoch has its own connections, hence sessions.
  assertEquals([ledger.sent, ledger.ok, ledger.rateLimited], [100, 50, 50]);
  assertEquals(verdictOf(reasons).exitCode, 1);
});

Deno.test("rate limiting of measured calls fails the scenario, once", { ignore }, async () => {
  await using server = await startReference({ dialect: "nov", limits: FIFTY_CALLS });
  const { scenarios, reasons, rateLimit } = await runScenarios(
    [[messageThroughput, COUNTED], [sleeper("next", []), {}]],
    { ...server, ...ONCE, workload: distinctCalls() },
  );
  assertEquals(scenarios.map(({ status }) => status), ["failed", "passed"]);
  const { ledger } = scenarios[0]!;
  assertEquals(
    [ledger.sent, ledger.ok, ledger.rateLimited, ledger.errorCodes],
    [100, 50, 50, { OVER_CAPACITY: 50 }],
  );
  assertEquals(metricNamed(scenarios[0]!, "latency", "distribution").count, 50);
  assertEquals([rateLimit?.scenario, rateLimit?.atCall], ["message-throughput", 51]);
  assertStringIncludes(rateLimit!.message, "Rate limit exceeded");
  assertEquals(verdictOf(reasons).exitCode, 1);
});

Deno.test("refusals dropped as repeats leave an exact ledger", { ignore }, async () => {
  await using server = await startReference({ dialect: "oct", limits: FIFTY_CALLS });
  const { scenarios, rateLimit } = await runScenarios([[messageThroughput, COUNTED]], {
    ...server,
    ...ONCE,
    workload: distinctCalls(),
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  const { ledger, status } = scenarios[0]!;
  assertEquals([status, rateLimit?.atCall, ledger.ok], ["failed", 51, 50]);
  assert(ledger.rateLimited >= 1);
  assertEquals([brokenEquations(ledger), ledger.sent], [
    [],
    ledger.ok + ledger.rateLimited + ledger.timeout,
  ]);
});

Deno.test("an interrupt keeps an exact ledger and what was measured", { ignore }, async () => {
  const controller = new AbortController();
  await using server = await startFaultyServer({
    script: (nth): Behaviour => {
      // Twenty calls of the first epoch, then four of the second.
      if (nth === 25) controller.abort(new Error("interrupted"));
      return { kind: nth < 25 ? "ok" : "silent" };
    },
  });
  const seen: string[][] = [];
  const { scenarios, reasons } = await runScenarios(
    [[messageThroughput, { messages: 20, durationMs: null }]],
    {
      ...server,
      cold: true,
      signal: controller.signal,
      timeoutMs: 60_000,
      onEpoch: (soFar) => seen.push(soFar.scenarios.map(({ status }) => status)),
    },
  );
  const [report] = scenarios;
  assertEquals([report!.status, report!.reason], ["interrupted", "interrupted"]);
  assertEquals(
    report!.ledger,
    ledgerWith({
      sent: 25,
      ok: 24,
      aborted: 1,
      frames: { received: 48, final: 24, progress: 24 },
    }),
  );
  assertEquals(reasons, [INTERRUPTED]);
  assertEquals(verdictOf(reasons), { status: "interrupted", exitCode: 130, reasons });
  assertEquals(seen, [["passed"]]);
  const latency = metricNamed(report!, "latency", "distribution");
  assertEquals([latency.count, latency.epochs.map(({ count }) => count)], [24, [20, 4]]);
  // An epoch that was cut short has no rate.
  assertEquals(metricNamed(report!, "throughput", "scalar").epochs.length, 1);
});

Deno.test("an interrupt at any stage of a case scenario fails nothing", { ignore }, async () => {
  const scenarios = [messageThroughput, concurrentConnections, scaling];
  for (const scenario of scenarios) {
    for (const afterMs of [0, 2, 5, 9, 30]) {
      const controller = new AbortController();
      await using server = await startReference({ limits: { maxConnectionsPerIp: 5 } });
      const timer = setTimeout(() => controller.abort(new Error("interrupted")), afterMs);
      const { scenarios: [report], reasons } = await runScenarios(
        [[scenario, { messages: 20, durationMs: null }]],
        { ...server, signal: controller.signal, timeoutMs: 60_000 },
      );
      clearTimeout(timer);
      const end = `${scenario.name} after ${afterMs} ms: ${JSON.stringify(reasons)}`;
      if (controller.signal.aborted) assertEquals(report!.status, "interrupted", end);
      assertEquals(reasons.filter(({ code }) => code !== EXIT.interrupted), [], end);
      assertEquals(brokenEquations(report!.ledger), [], end);
      assertEquals(brokenEquations(report!.warmupLedger), [], end);
      // An abandoned dial can still be closing; a leaked one hangs here.
      while (server.stats().connections > 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }
});

Deno.test("an interrupt before the epochs passes no scenario", { ignore }, async () => {
  for (const nth of [0, 1, 2]) {
    const controller = new AbortController();
    await using server = startScriptedServer((peer, message) => {
      // Each handshake takes a while, and the interrupt comes during one of them.
      if (message?.op !== "hello") return answerSoundly(peer, message);
      setTimeout(() => answerSoundly(peer, message), 20);
    });
    const log: string[] = [];
    const probing = (name: string, index: number): Procedure => ({
      ...sleeper(name, log),
      async begin(context) {
        if (index === nth) setTimeout(() => controller.abort(new Error("interrupted")), 5);
        const connection = await context.target.connect(context.ledger);
        await connection.close();
        return { epoch: () => Promise.resolve() };
      },
    });
    const { scenarios, reasons } = await runScenarios(
      ["a", "b", "c"].map((name, index) => [probing(name, index), {}] as const),
      { url: server.url, signal: controller.signal },
    );
    assertEquals(
      scenarios.map(({ name, status, reason }) => [name, status, reason]),
      ["a", "b", "c"].map((name) => [name, "interrupted", "interrupted"]),
    );
    assertEquals([reasons, log], [[INTERRUPTED], []]);
  }
});

Deno.test("a partial report passes no scenario that has not run yet", async () => {
  const split: Procedure = { ...sleeper("split", []), sharding: "connections" };
  const seen: string[][] = [];
  const { scenarios } = await runScenarios(
    [[split, { connections: 2 }], [sleeper("whole", []), {}]],
    {
      url: "ws://127.0.0.1:1",
      epochs: 1,
      settings: { shard: { index: 1, count: 2 } },
      onEpoch: (soFar) => seen.push(soFar.scenarios.map(({ status }) => status)),
    },
  );
  assertEquals(seen, [["passed", "interrupted"], ["passed", "passed"]]);
  assertEquals(scenarios.map(({ status, reason }) => [status, reason]), [
    ["passed", null],
    ["passed", null],
  ]);
});

/** A procedure that only logs its epochs. */
function sleeper(name: string, log: string[], epoch?: () => void): Procedure {
  return {
    kind: "procedure",
    name,
    title: name,
    question: "?",
    metrics: { value: { kind: "scalar", unit: "", better: null } },
    headline: { metric: "value" },
    gates: [],
    profiles: [],
    defaults: { standard: {} },
    begin: (context) => ({
      epoch() {
        log.push(`${context.epoch} ${name}`);
        context.scalar("value", context.epoch);
        epoch?.();
        return Promise.resolve();
      },
    }),
  };
}

const NAMES = ["a", "b", "c", "d", "e"];

Deno.test("each epoch runs every scenario once, in an order set by the seed", async () => {
  const run = async (seed: number) => {
    const log: string[] = [];
    const { scenarios, epochs } = await runScenarios(
      NAMES.map((name) => [sleeper(name, log), {}] as const),
      { url: "ws://127.0.0.1:1", epochs: 8, settings: { seed } },
    );
    assertEquals(epochs, 8);
    for (const report of scenarios) {
      // The warm-up, epoch 0, is not reported.
      assertEquals(metricNamed(report, "value", "scalar").epochs, [1, 2, 3, 4, 5, 6, 7, 8]);
      const check = report.checks.find(({ kind }) => kind === "epochs")!;
      assertEquals([check.passed, check.observed], [true, "8 of 8"]);
    }
    return log;
  };
  const log = await run(1);
  const orders = Array.from({ length: 9 }, (_, epoch) => log.slice(5 * epoch, 5 * epoch + 5));
  for (const [epoch, order] of orders.entries()) {
    assertEquals(order.toSorted(), NAMES.map((name) => `${epoch} ${name}`));
  }
  const names = orders.map((order) => order.map((entry) => entry.slice(2)).join(""));
  assert(new Set(names).size > 5, names.join());
  assertEquals(await run(1), log);
  assert(JSON.stringify(await run(2)) !== JSON.stringify(log));
});

Deno.test("a failed epoch ends its scenario, and the others go on", async () => {
  const log: string[] = [];
  let begun = 0;
  const { scenarios, reasons } = await runScenarios([
    [
      sleeper("failing", log, () => {
        if (++begun === 3) throw new Error("out of order");
      }),
      {},
    ],
    [sleeper("other", log), {}],
  ], { url: "ws://127.0.0.1:1", epochs: 4 });
  assertEquals(scenarios.map(({ status, reason }) => [status, reason]), [
    ["failed", "out of order"],
    ["passed", null],
  ]);
  // The warm-up, one epoch, and the failed one.
  assertEquals(log.filter((entry) => entry.endsWith("failing")).length, 3);
  assertEquals(log.filter((entry) => entry.endsWith("other")).length, 5);
  assertEquals(reasons.map(({ code, kind, scenario }) => [code, kind, scenario]), [
    [1, "failed", "failing"],
    [1, "epochs", "failing"],
  ]);
  const check = scenarios[0]!.checks.find(({ kind }) => kind === "epochs")!;
  assertEquals([check.passed, check.observed], [false, "1 of 2"]);
});

Deno.test("a skipped scenario, or one that stops early, does not fail", async () => {
  const log: string[] = [];
  const stopping: Procedure = {
    ...sleeper("stopping", log),
    begin: () => ({
      epoch() {
        log.push("stopping");
        return Promise.resolve("stop");
      },
    }),
  };
  const skipping: Procedure = {
    ...sleeper("skipping", log),
    begin: () => ({ skipped: "no need" }),
  };
  const { scenarios, reasons } = await runScenarios([[stopping, {}], [skipping, {}]], {
    url: "ws://127.0.0.1:1",
    cold: true,
  });
  assertEquals(scenarios.map(({ status, reason }) => [status, reason]), [
    ["passed", null],
    ["skipped", "no need"],
  ]);
  assertEquals([log, reasons], [["stopping"], []]);
});

Deno.test("an unusable target ends the run with exit 3 and only its own reason", async () => {
  const log: string[] = [];
  const unusable: Scenario = {
    ...sleeper("unusable", log),
    begin(context) {
      context.check({ kind: "k", name: "before", passed: false, expected: "a", observed: "b" });
      throw new TargetUnusableError("cannot be measured");
    },
  };
  const before = sleeper("before", log);
  const next = sleeper("next", log);
  const { reasons, scenarios } = await runScenarios([[before, {}], [unusable, {}], [next, {}]], {
    url: "ws://127.0.0.1:1",
  });
  assertEquals(log, []);
  assertEquals(scenarios.map(({ status, reason }) => [status, reason]), [
    ["interrupted", "the target cannot be measured"],
    ["failed", "cannot be measured"],
    ["interrupted", "the target cannot be measured"],
  ]);
  assertEquals(reasons, [{
    code: 3,
    kind: "targetUnusable",
    scenario: "unusable",
    message: "cannot be measured",
  }]);
});

Deno.test("with --precision, epochs go on until every headline repeats within it", async () => {
  const noisy = (name: string, values: readonly number[]): Procedure => ({
    ...sleeper(name, []),
    begin: (context) => ({
      epoch() {
        context.scalar("value", values[context.epoch % values.length]!);
        return Promise.resolve();
      },
    }),
  });
  const epochsOf = async (precisionPercent: number, maxTimeMs = 60_000) =>
    (await runScenarios([
      [noisy("noisy", [100, 120]), {}],
      [noisy("quiet", [5]), {}],
      // More epochs would not make it more precise.
      [{ ...sleeper("after the epochs", []), begin: () => ({ conclude: () => {} }) }, {}],
    ], {
      url: "ws://127.0.0.1:1",
      epochs: 6,
      settings: { precisionPercent, maxTimeMs },
    })).epochs;
  // Alternating 100 and 120: half the interval is about t(n - 1) x 10 / sqrt(n), of 110.
  assertEquals(await epochsOf(50), 6);
  const fine = await epochsOf(4);
  assert(fine >= 20 && fine <= 30, `${fine}`);
  assertEquals(await epochsOf(4, 1e-6), 6);
});

Deno.test("scenarios with a common case share its slices, in one ledger", { ignore }, async () => {
  await using server = await startReference();
  const calls = { messages: 7, durationMs: null };
  const { scenarios: [one, several] } = await runScenarios([
    [messageThroughput, calls],
    [concurrentConnections, { ...calls, connections: 2 }],
  ], { ...server, epochs: 2, cold: true });
  assertEquals([one!.ledger.sent, several!.ledger.sent], [2 * 7, 2 * 2 * 7]);
  assertEquals(server.stats().callsServed, 2 * 7 + 2 * 2 * 7);
  // The speedup is relative to those very slices.
  const alone = metricNamed(one!, "throughput", "scalar").epochs;
  const together = metricNamed(several!, "throughput", "scalar").epochs;
  assertEquals(
    metricNamed(several!, "speedup", "scalar").epochs,
    together.map((rate, epoch) => rate / alone[epoch]!),
  );
});

Deno.test("closing connections between calls fails the scenario", { ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    answerSoundly(peer, message);
    // Every call is answered, so only the rest of the epoch is lost.
    if (message?.op === "call_tool" && ++calls % 10 === 0) peer.close(1001, "max connection age");
  });
  const { scenarios: [report], reasons } = await runScenarios(
    [[messageThroughput, { messages: 20, durationMs: null }]],
    { ...server, epochs: 2, cold: true, timeoutMs: SHORT_TIMEOUT_MS },
  );
  assertEquals([report!.status, verdictOf(reasons).exitCode], ["failed", 1]);
  assert(report!.checks.some(({ kind, passed }) => kind === "slices" && !passed));
});
