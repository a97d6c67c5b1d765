import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Scenario } from "../../lib/run/scenario.ts";
import { TargetUnusableError } from "../../lib/run/scenario.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { EXIT, INTERRUPTED, verdictOf } from "../../lib/run/verdict.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { connectionLimit } from "../../scenarios/connection_limit.ts";
import { authentication } from "../../scenarios/authentication.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { reconnection } from "../../scenarios/reconnection.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import { metricNamed, runScenarios, startReference } from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { ledgerWith, NO_NET, SHORT_TIMEOUT_MS } from "../support/targets.ts";

const ignore = NO_NET;
/** Fifty calls, and as good as no more. */
const FIFTY_CALLS = { userRate: { capacity: 50, refillPerSecond: 0.001 } };
const COUNTED = { rounds: 1, messages: 100, durationMs: null, warmupMs: 0 };

function distinctCalls() {
  return createWorkload("status", { argsJson: '{"n":"{seq}"}', payloadBytes: 0 });
}

Deno.test(
  { name: "a rate limiter met in the warm-up ends the run, told at message 51", ignore },
  async () => {
    for (const dialect of ["oct", "nov"] as const) {
      await using server = await startReference({ dialect, limits: FIFTY_CALLS });
      const { scenarios, reasons, rateLimit } = await runScenarios([
        [messageThroughput, { rounds: 5, warmupMs: 5_000 }],
        [connectionEstablishment, {}],
      ], { ...server, workload: distinctCalls() });
      assertEquals(scenarios.map(({ name, status }) => [name, status]), [
        ["message-throughput", "failed"],
      ]);
      assertEquals(reasons.map(({ code, scenario }) => [code, scenario]), [
        [EXIT.targetUnusable, "message-throughput"],
      ]);
      assertStringIncludes(reasons[0]!.message, "from message 51 of the session on");
      assertStringIncludes(reasons[0]!.message, "Rate limit exceeded: user_rate_limit_exceeded");
      assertMatch(reasons[0]!.message, /Raise the server's limits.*--max-rate/);
      assertEquals([rateLimit?.scenario, rateLimit?.atCall], ["message-throughput", 51]);
      const { warmupLedger, ledger } = scenarios[0]!;
      assertEquals([warmupLedger.sent, warmupLedger.ok, warmupLedger.rateLimited], [51, 50, 1]);
      assertEquals(ledger, ledgerWith({}));
      assertEquals(verdictOf(reasons).exitCode, 3);
    }
  },
);

Deno.test({ name: "the default limits refuse the 51st of fast calls", ignore }, async () => {
  await using server = await startReference({ limits: "default" });
  const { rateLimit } = await runScenarios(
    [[messageThroughput, { rounds: 1, warmupMs: 5_000 }]],
    { ...server, workload: distinctCalls() },
  );
  // Refill adds one in 0.2 s, should the machine be that slow.
  assert(rateLimit !== null && rateLimit.atCall >= 51 && rateLimit.atCall < 80);
});

Deno.test(
  { name: "a rate limiter met by measured calls fails the scenario, told once", ignore },
  async () => {
    await using server = await startReference({ dialect: "nov", limits: FIFTY_CALLS });
    const { scenarios, reasons, rateLimit } = await runScenarios(
      [[messageThroughput, COUNTED], [connectionEstablishment, { rounds: 1, connects: 2 }]],
      { ...server, workload: distinctCalls() },
    );
    assertEquals(scenarios.map(({ status }) => status), ["failed", "passed"]);
    // The unmeasured first call is the 1st of the session.
    const { ledger } = scenarios[0]!;
    assertEquals(
      [ledger.sent, ledger.ok, ledger.rateLimited, ledger.errorCodes],
      [100, 49, 51, { OVER_CAPACITY: 51 }],
    );
    assertEquals(metricNamed(scenarios[0]!, "latency", "distribution").count, 49);
    assertEquals([rateLimit?.scenario, rateLimit?.atCall], ["message-throughput", 51]);
    assertStringIncludes(rateLimit!.message, "Rate limit exceeded");
    assertEquals(verdictOf(reasons).exitCode, 1);
  },
);

Deno.test({
  name: "a rate limiter whose words are dropped as repeats leaves an exact ledger",
  ignore,
}, async () => {
  await using server = await startReference({ dialect: "oct", limits: FIFTY_CALLS });
  const { scenarios, rateLimit } = await runScenarios([[messageThroughput, COUNTED]], {
    ...server,
    workload: distinctCalls(),
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  const { ledger, status } = scenarios[0]!;
  assertEquals([status, rateLimit?.atCall, ledger.ok], ["failed", 51, 49]);
  assert(ledger.rateLimited >= 1);
  assertEquals([brokenEquations(ledger), ledger.sent], [
    [],
    ledger.ok + ledger.rateLimited + ledger.timeout,
  ]);
});

Deno.test(
  { name: "an interrupt leaves an exact ledger, and says what was not begun", ignore },
  async () => {
    const controller = new AbortController();
    await using server = await startFaultyServer({
      script: (nth): Behaviour => {
        // 21 calls of the first round, then one unmeasured and four measured ones.
        if (nth === 26) controller.abort(new Error("interrupted"));
        return { kind: nth < 26 ? "ok" : "silent" };
      },
    });
    const seen: string[][] = [];
    const { scenarios, reasons } = await runScenarios([
      [messageThroughput, { rounds: 3, messages: 20, durationMs: null, warmupMs: 0 }],
      [reconnection, {}],
    ], {
      url: server.url,
      signal: controller.signal,
      timeoutMs: 60_000,
      onScenario: (soFar) => seen.push(soFar.scenarios.map(({ status }) => status)),
    });
    assertEquals(scenarios.map(({ name, status, reason }) => [name, status, reason]), [
      ["message-throughput", "interrupted", "interrupted"],
      ["reconnection", "interrupted", "not begun: the run was interrupted before"],
    ]);
    assertEquals(
      scenarios[0]!.ledger,
      ledgerWith({
        sent: 24,
        ok: 23,
        aborted: 1,
        frames: { received: 46, final: 23, progress: 23 },
      }),
    );
    assertEquals(scenarios[1]!.ledger, ledgerWith({}));
    assertEquals(reasons, [INTERRUPTED]);
    assertEquals(verdictOf(reasons), { status: "interrupted", exitCode: 130, reasons });
    assertEquals(seen, [["interrupted"]]);
    // What was measured is there; the round cut short is in the pooled figures only.
    const latency = metricNamed(scenarios[0]!, "latency", "distribution");
    assertEquals([latency.count, latency.rounds.length], [23, 1]);
    assertEquals(metricNamed(scenarios[0]!, "throughput", "scalar").rounds.length, 1);
  },
);

Deno.test({
  name: "an interrupt at any stage of any scenario ends it, with nothing failed",
  ignore,
}, async () => {
  const counted = { rounds: 2, messages: 5, durationMs: null, warmupMs: 0 };
  const scenarios = [
    [connectionEstablishment, { rounds: 2, connects: 5 }],
    [messageThroughput, counted],
    [concurrentConnections, { ...counted, connections: 2 }],
    [reconnection, { rounds: 1, cycles: 2, pauseMs: 1 }],
    [authentication, { rounds: 1, accepts: 1, noHelloWaitMs: 60_000 }],
    [connectionLimit, { rounds: 2, bound: 3 }],
  ] as const;
  for (const [scenario, parameters] of scenarios) {
    // In turn at a time that falls into another stage; a scenario that has ended by then has passed.
    for (const afterMs of [0, 2, 5, 9]) {
      const controller = new AbortController();
      await using server = await startReference({ limits: { maxConnectionsPerIp: 2 } });
      const timer = setTimeout(() => controller.abort(new Error("interrupted")), afterMs);
      const { scenarios: [report], reasons } = await runScenarios([[scenario, parameters]], {
        ...server,
        signal: controller.signal,
        timeoutMs: 60_000,
      });
      clearTimeout(timer);
      const end = `${scenario.name} after ${afterMs} ms: ${JSON.stringify(reasons)}`;
      assert(
        controller.signal.aborted ? report!.status === "interrupted" : report!.reason === null,
        end,
      );
      assertEquals(reasons.filter(({ code }) => code !== EXIT.interrupted), [], end);
      assertEquals(brokenEquations(report!.ledger), [], end);
      // A dial that was given up may still have to be closed; one that leaks hangs here.
      while (server.stats().connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
});

Deno.test(
  { name: "an interrupt during the last check of reconnection fails no check", ignore },
  async () => {
    const controller = new AbortController();
    const greeted = new Set<number>();
    await using server = startScriptedServer((peer, message) => {
      if (message?.op === "hello") greeted.add(peer.nth);
      else if (!greeted.has(peer.nth)) return controller.abort(new Error("interrupted"));
      answerSoundly(peer, message);
    });
    const { scenarios, reasons } = await runScenarios([[reconnection, { rounds: 1, cycles: 1 }]], {
      url: server.url,
      signal: controller.signal,
    });
    assertEquals([scenarios[0]!.status, reasons.map(({ code }) => code)], ["interrupted", [130]]);
  },
);

/** A scenario that does only this. */
function scenarioOf(name: string, run: Scenario["run"]): Scenario {
  const { defaults, metrics, profiles } = connectionEstablishment as unknown as Scenario;
  return { name, question: "?", defaults, metrics, profiles, run };
}

Deno.test(
  { name: "a scenario that throws has failed, and the next ones run", ignore },
  async () => {
    await using server = await startReference();
    const progress: string[] = [];
    const { scenarios, reasons } = await runScenarios([
      [
        scenarioOf("throwing", (context) => {
          context.check({ name: "before", passed: false, expected: "a", observed: "b" });
          throw new Error("out of order");
        }),
        {},
      ],
      [scenarioOf("skipping", () => Promise.resolve({ status: "skipped", reason: "no need" })), {}],
      [connectionEstablishment, { rounds: 2, connects: 1 }],
    ], { ...server, onProgress: (scenario, done) => progress.push(`${scenario} ${done}`) });
    assertEquals(scenarios.map(({ status, reason }) => [status, reason]), [
      ["failed", "out of order"],
      ["skipped", "no need"],
      ["passed", null],
    ]);
    assertEquals(reasons, [
      { code: 1, scenario: "throwing", message: "out of order" },
      { code: 1, scenario: "throwing", message: "before: expected a, observed b" },
    ]);
    assertEquals(progress.slice(-3), [0, 1, 2].map((done) => `connection-establishment ${done}`));
  },
);

Deno.test({
  name: "a target that proves unusable ends the run with exit 3, and its reason alone",
  ignore,
}, async () => {
  await using server = await startReference();
  const { scenarios, reasons } = await runScenarios([
    [
      scenarioOf("unusable", (context) => {
        context.check({ name: "before", passed: false, expected: "a", observed: "b" });
        throw new TargetUnusableError("cannot be measured");
      }),
      {},
    ],
    [connectionEstablishment, {}],
  ], server);
  assertEquals(scenarios.length, 1);
  assertEquals(reasons, [{ code: 3, scenario: "unusable", message: "cannot be measured" }]);
});

Deno.test({ name: "each scenario counts in ledgers of its own", ignore }, async () => {
  await using server = await startReference();
  const { scenarios } = await runScenarios([
    [messageThroughput, { ...COUNTED, messages: 7 }],
    [messageThroughput, { ...COUNTED, messages: 9 }],
  ], server);
  assertEquals(scenarios.map(({ ledger, warmupLedger }) => [ledger.sent, warmupLedger.sent]), [
    [7, 1],
    [9, 1],
  ]);
  assertEquals(server.stats().callsServed, 18);
});

Deno.test({
  name: "a capped rate is told as such, where a throughput was measured",
  ignore: NO_NET,
}, async () => {
  await using server = await startReference();
  const calls = { rounds: 1, warmupMs: 0, messages: 3, durationMs: null };
  const options = { url: server.url, maxRatePerSecond: 1000 };
  const { scenarios } = await runScenarios([[messageThroughput, calls], [reconnection, {
    rounds: 1,
    cycles: 1,
  }]], options);
  const told = "--max-rate 1000 bounds throughput and speedup: only the latency is the server's";
  assertEquals(scenarios.map(({ notes }) => notes?.includes(told)), [true, false]);
});
