import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import type { Limits, ServerOptionOverrides } from "../../lib/server/options.ts";
import { TokenBucket } from "../../lib/server/token_bucket.ts";
import { rateLimit } from "../../scenarios/rate_limit.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  countedCalls,
  expectedCalls,
  failedChecks,
  metricNamed,
  runScenario,
  runScenarios,
  startReference,
} from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore, SHORT_TIMEOUT_MS, TOKEN } from "../support/targets.ts";

const SHORT = { refillMs: 600 };

function limits(userRate: Limits["userRate"], ipRate: Limits["ipRate"]): Partial<Limits> {
  return { userRate, ipRate, globalRate: null };
}

function bucket(capacity: number, refillPerSecond: number) {
  return { capacity, refillPerSecond };
}

/** The metric's interval contains both its value and the true one. */
function assertFound(report: ScenarioReport, name: string, truth: number): void {
  const { value, ci95 } = metricNamed(report, name, "scalar");
  assert(ci95 !== null && ci95[0] <= truth && truth <= ci95[1], `${name}: ${ci95}, truly ${truth}`);
  assert(ci95[0] <= value && value <= ci95[1]);
}

Deno.test("rate-limit finds a server's budgets on each build", { ignore }, async () => {
  for (const dialect of ["oct", "oct25", "nov"] as const) {
    const options: ServerOptionOverrides = {
      dialect,
      limits: limits(bucket(20, 10), bucket(45, 25)),
    };
    await using server = await startReference(options);
    const report = await runScenario(
      rateLimit,
      { ...SHORT, expectLimits: "session=20/10,ip=45/25" },
      server,
    );
    assertEquals([report.status, failedChecks(report)], ["passed", []], JSON.stringify(report));
    assertFound(report, "sessionBurst", 20);
    assertFound(report, "sessionRefill", 10);
    assertFound(report, "ipBurst", 45);
    assertFound(report, "ipRefill", 25);
    // No refusal was lost as a repeat.
    assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger]));
    assertEquals(report.ledger.timeout, 0);
    assert(report.ledger.sent < 150, `${report.ledger.sent} calls`);
  }
});

Deno.test("rate-limit fails if other limits are expected", { ignore }, async () => {
  await using server = await startReference({ limits: limits(bucket(20, 10), null) });
  const expect = async (expectLimits: string) =>
    await runScenario(rateLimit, { ...SHORT, messages: 60, expectLimits }, server);
  const wrong = await expect("session=30/40,ip=100/10");
  assertEquals(failedChecks(wrong), [
    "session burst is as expected",
    "session refill is as expected",
    "ip burst is as expected",
  ]);
  assertEquals(checkNamed(wrong, "session burst is as expected").observed, "20 calls");
  // It searched beyond the number of messages, up to 1.5 times the expected limit.
  assertStringIncludes(checkNamed(wrong, "ip burst is as expected").observed, "of 150 calls");
  const none = await expect("session=none,ip=none");
  assertEquals(failedChecks(none), ["session has no limit"]);
  assertEquals(checkNamed(none, "session has no limit").observed, "refused after 20 calls");
  assert(checkNamed(none, "ip has no limit").passed);
});

Deno.test("rate-limit reports how many calls were not refused", { ignore }, async () => {
  await using server = await startReference({ limits: "off" });
  const report = await runScenario(rateLimit, { ...SHORT, messages: 40 }, server);
  assertEquals([report.status, report.metrics.length, report.ledger.sent], ["passed", 0, 40]);
  assertEquals(report.notMeasured.map(({ name }) => name), [
    "budget of a session",
    "budget of an IP address",
  ]);
  assertEquals(report.notMeasured[0]!.reason, "none of 40 calls in a row was refused");
});

Deno.test("rate-limit recognises a limit per address", { ignore }, async () => {
  await using server = await startReference({ limits: limits(null, bucket(15, 10)) });
  const report = await runScenario(rateLimit, SHORT, server);
  assertEquals(report.status, "passed");
  assertFound(report, "ipBurst", 15);
  assertFound(report, "ipRefill", 10);
  assertEquals(report.notMeasured, [{
    name: "budget of a session",
    reason: "the budget of the IP address was used up first",
  }]);
});

Deno.test("rate-limit includes what sessions used of the address budget", { ignore }, async () => {
  // With ::1 there is no second loopback address to use.
  await using server = await startReference({
    hostname: "::1",
    limits: limits(bucket(20, 10), bucket(60, 25)),
  });
  const report = await runScenario(rateLimit, SHORT, server);
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  assertFound(report, "ipBurst", 60);
  assertFound(report, "ipRefill", 25);
  assertEquals(report.notes?.filter(({ kind }) => kind === "sharedAddress").length, 1);
});

Deno.test("rate-limit starts a limited copy of the bundled server", { ignore }, async () => {
  await using unlimited = await startReference();
  const report = await runScenario(rateLimit, { refillMs: 200 }, {
    url: unlimited.url,
    bundled: { restart: () => Promise.reject(new Error("not asked for")) },
  });
  assertEquals([report.status, unlimited.stats().callsReceived], ["passed", 0]);
  assertFound(report, "sessionBurst", 50);
  assertFound(report, "ipBurst", 100);
});

Deno.test("rate-limit's refusals do not affect other scenarios", { ignore }, async () => {
  await using server = await startReference({ limits: limits(bucket(20, 100), null) });
  const { scenarios, rateLimit: met, reasons } = await runScenarios([
    [rateLimit, { refillMs: 200, messages: 60 }],
    [openLoop, { ratePerSecond: 50, connections: 1, messages: 5, durationMs: null }],
  ], server);
  assertEquals(scenarios.map(({ status }) => status), ["passed", "passed"]);
  assertEquals([met, reasons], [null, []]);
});

Deno.test("rate-limit is skipped if --max-rate is set", { ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(rateLimit, SHORT, { ...server, maxRatePerSecond: 4 });
  assertEquals([report.status, report.ledger.sent], ["skipped", 0]);
});

/** Refuses every call after the tenth in this way. */
function refusing(how: Behaviour): (call: number) => Behaviour {
  return (call) => call > 10 ? how : { kind: "ok" };
}

Deno.test("rate-limit fails if a limit ends the connection", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: refusing({ kind: "closeHalfway", code: 1008, reason: "too many" }),
  });
  const report = await runScenario(rateLimit, SHORT, server);
  assertEquals(failedChecks(report), ["every call answered"]);
  assertStringIncludes(checkNamed(report, "every call answered").observed, "1 lost");
  assertEquals(report.notMeasured[0]!.reason, "the server closed the connection after call 10");
});

Deno.test("rate-limit fails if a limited call gets no answer", { ignore }, async () => {
  await using server = await startFaultyServer({ script: refusing({ kind: "silent" }) });
  const report = await runScenario(rateLimit, { ...SHORT, patienceMs: SHORT_TIMEOUT_MS }, server);
  assertEquals(failedChecks(report), ["every call answered"]);
  assertEquals([report.ledger.sent, report.ledger.timeout], [11, 1]);
  assertEquals(report.notMeasured[0]!.reason, "the server stopped answering after call 10");
});

Deno.test("rate-limit fails if a refusal is followed by a close", { ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "call_tool" || ++calls <= 10) return answerSoundly(peer, message);
    peer.send({ op: "error", error: { code: "OVER_CAPACITY", message: "no" } });
    peer.close(1008, "no");
  });
  const report = await runScenario(rateLimit, { refillMs: 200 }, server);
  assertEquals(failedChecks(report).includes("a refusal leaves the connection open"), true);
  assertEquals(
    checkNamed(report, "a refusal leaves the connection open").observed,
    "OVER_CAPACITY: no; closed",
  );
});

Deno.test("rate-limit fits no bucket to a server that has none", { ignore }, async () => {
  // Refuses the 11th call, accepts the next 100, and then none.
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    const isCall = message?.op === "call_tool" && ++calls > 0;
    if (!isCall || calls <= 10 || (calls > 11 && calls <= 111)) {
      return answerSoundly(peer, message);
    }
    peer.send({ op: "error", error: { code: "OVER_CAPACITY", message: `no ${calls}` } });
  });
  const report = await runScenario(rateLimit, { refillMs: 700 }, server);
  assertEquals(report.metrics, []);
  assertStringIncludes(report.notMeasured[0]!.reason, "the refusals do not fit a token bucket");
  assertStringIncludes(report.notMeasured[0]!.reason, "after 10 calls");
});

Deno.test("rate-limit gives no figure for a refill it hardly sees", { ignore }, async () => {
  const refillOf = async (refillPerSecond: number) => {
    const own = bucket(2, refillPerSecond);
    await using server = await startReference({ dialect: "nov", limits: limits(own, null) });
    const report = await runScenario(rateLimit, { refillMs: 300, messages: 30 }, server);
    assertFound(report, "sessionBurst", 2);
    assertEquals(report.metrics.map(({ name }) => name), ["sessionBurst"]);
    return report.notMeasured.find(({ name }) => name === "refill of a session")?.reason ?? "";
  };
  assertMatch(await refillOf(200), /from [\d.e+]+ to ([\d.e+]+|Infinity) calls/);
  assertStringIncludes(await refillOf(0.01), "from 0.0 to");
});

Deno.test("rate-limit runs on mcp, where a session is a connection", { ignore }, async () => {
  const buckets = new Map<number, TokenBucket>();
  await using server = startScriptedServer((peer, message) => {
    const { id, method } = (message ?? {}) as { id?: unknown; method?: string };
    const reply = (body: object) => peer.send({ jsonrpc: "2.0", id, ...body });
    if (method === "initialize") return reply({ result: { protocolVersion: "2025-03-26" } });
    if (method !== "ping") return;
    const own = buckets.get(peer.nth) ?? new TokenBucket(bucket(12, 5), performance.now());
    buckets.set(peer.nth, own);
    const waitS = own.take(performance.now());
    reply(waitS === 0 ? { result: {} } : { error: { code: 429, message: "slow down" } });
  });
  const report = await runScenario(rateLimit, { ...SHORT, messages: 40 }, {
    ...server,
    protocol: mcp,
    token: null,
    workload: () => ({ tool: "ping", argsJson: "{}" }),
  });
  assertEquals(
    [report.status, failedChecks(report)],
    ["passed", []],
    JSON.stringify(report.checks),
  );
  assertFound(report, "sessionBurst", 12);
  assertFound(report, "sessionRefill", 5);
});

Deno.test("rate-limit runs on an echo", { ignore }, async () => {
  await using server = startScriptedServer((peer, _message, text) => peer.send(text));
  const report = await runScenario(rateLimit, { messages: 20 }, {
    ...server,
    protocol: echo,
    token: TOKEN,
  });
  assertEquals([report.status, report.ledger.ok], ["passed", 20]);
});

Deno.test("rate-limit can be interrupted during a wait", { ignore }, async () => {
  const controller = new AbortController();
  let refused = 0;
  await using server = await startFaultyServer({
    script: (call) => {
      if (call <= 5) return { kind: "ok" };
      if (++refused === 1) queueMicrotask(() => controller.abort(new Error("interrupted")));
      return { kind: "rateLimitNoId" };
    },
  });
  const report = await runScenario(rateLimit, { refillMs: 60_000 }, {
    ...server,
    signal: controller.signal,
  });
  assertEquals(report.status, "interrupted");
});

Deno.test("rate-limit finds expected address limits beyond its messages", { ignore }, async () => {
  await using server = await startReference({ limits: limits(null, bucket(30, 20)) });
  const report = await runScenario(
    rateLimit,
    { ...SHORT, messages: 10, expectLimits: "session=none,ip=30/20" },
    server,
  );
  assertEquals(
    [report.status, failedChecks(report)],
    ["passed", []],
    JSON.stringify(report.checks),
  );
  assertFound(report, "ipBurst", 30);
});

Deno.test("rate-limit finds the same limits again right away", {
  ignore: ignore || Deno.build.os !== "linux",
}, async () => {
  // With this slow a refill, a re-used address would have half of its budget.
  await using server = await startReference({ limits: limits(bucket(15, 5), bucket(30, 0.1)) });
  for (let run = 0; run < 2; run++) {
    const report = await runScenario(rateLimit, SHORT, server);
    assertFound(report, "sessionBurst", 15);
    assertFound(report, "ipBurst", 30);
  }
});
