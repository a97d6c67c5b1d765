import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { exai } from "../../lib/protocols/exai.ts";
import { authentication } from "../../scenarios/authentication.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { connectionLimit } from "../../scenarios/connection_limit.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { pipelining } from "../../scenarios/pipelining.ts";
import { reconnectStorm } from "../../scenarios/reconnect_storm.ts";
import { reconnection } from "../../scenarios/reconnection.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import {
  answerSoundly,
  type Script,
  type ScriptedPeer,
  startScriptedServer,
  successFrames,
} from "../support/scripted_server.ts";
import {
  ledgerWith,
  NO_NET as ignore,
  SHORT_TIMEOUT_MS,
  STATUS,
  TOKEN,
} from "../support/targets.ts";

const COUNTED = { messages: 20, durationMs: null };
const ONCE = { epochs: 1, cold: true };

/** Asserts that exactly these checks failed, each with this observation. */
function assertFailed(report: ScenarioReport, failed: Record<string, string | RegExp>): void {
  assertEquals(failedChecks(report), Object.keys(failed));
  for (const [name, expected] of Object.entries(failed)) {
    const { observed } = checkNamed(report, name);
    if (typeof expected === "string") assertEquals(observed, expected);
    else assertMatch(observed, expected);
  }
}

/** A server that handles openings correctly, except those for which `exception` returns true. */
function guarded(exception: (peer: ScriptedPeer, opening: string) => boolean): Script {
  const greeted = new Set<number>();
  const ended = new Set<number>();
  const end = (peer: ScriptedPeer, code: number, reason = "") => {
    ended.add(peer.nth);
    peer.close(code, reason);
  };
  return (peer, message, text) => {
    if (ended.has(peer.nth)) return;
    if (greeted.has(peer.nth)) return answerSoundly(peer, message);
    const { op, token } = message ?? {};
    const opening = message === null
      ? "not JSON"
      : op !== "hello"
      ? "not hello"
      : token === undefined
      ? "missing"
      : token === ""
      ? "empty"
      : typeof token !== "string"
      ? "non-string"
      : token === TOKEN
      ? "right"
      : "wrong";
    if (exception(peer, opening)) return;
    switch (opening) {
      case "right":
        greeted.add(peer.nth);
        return answerSoundly(peer, JSON.parse(text));
      case "not JSON":
        return end(peer, 4000, "invalid hello");
      case "not hello":
        return end(peer, 4001, "missing hello");
      case "non-string":
        return end(peer, 1000);
      default:
        return end(peer, 4003, "unauthorized");
    }
  };
}

async function authenticate(
  exception: (peer: ScriptedPeer, opening: string) => boolean,
  options: { timeoutMs?: number } = {},
): Promise<ScenarioReport> {
  await using server = startScriptedServer(guarded(exception));
  return await runScenario(
    authentication,
    { accepts: 1, noHelloWaitMs: 0 },
    { ...server, epochs: 2, cold: true, ...options },
  );
}

Deno.test("authentication passes on a correct server", { ignore }, async () => {
  assertEquals(failedChecks(await authenticate(() => false)), []);
});

Deno.test("authentication retries once after a lost close frame", { ignore }, async () => {
  // Like a TCP reset: the call after the opening is never read.
  const cutOnce = new Set<string>();
  const report = await authenticate((peer, opening) => {
    if (opening === "right" || cutOnce.has(opening)) return false;
    cutOnce.add(opening);
    peer.cut();
    return true;
  });
  assertEquals([failedChecks(report), cutOnce.size], [[], 6]);
});

Deno.test("authentication fails if one kind of bad token is let in", { ignore }, async () => {
  const letIn = new Set<number>();
  const report = await authenticate((peer, opening) => {
    if (opening === "missing") {
      letIn.add(peer.nth);
      answerSoundly(peer, { op: "hello" });
    } else if (letIn.has(peer.nth)) answerSoundly(peer, { op: "call_tool", request_id: "r" });
    return letIn.has(peer.nth);
  });
  assertEquals([report.status, failedChecks(report)], ["failed", ["missing token turned away"]]);
  assertMatch(checkNamed(report, "missing token turned away").observed, /accepted$/);
});

Deno.test("authentication fails on a wrong close code or reason", { ignore }, async () => {
  const closes: [string, number, string][] = [
    ["wrong", 4001, "unauthorized"],
    ["empty", 4003, "go away"],
    ["not JSON", 4001, "missing hello"],
  ];
  const report = await authenticate((peer, opening) => {
    const close = closes.find(([name]) => name === opening);
    if (close !== undefined) peer.close(close[1], close[2]);
    return close !== undefined;
  });
  assertEquals(failedChecks(report), [
    "wrong token turned away",
    "empty token turned away",
    "first message not JSON turned away",
  ]);
  const { expected, observed } = checkNamed(report, "empty token turned away");
  assertEquals(
    [expected, observed],
    ["no result, close 4003 unauthorized", "no result, close 4003 go away"],
  );
});

Deno.test("authentication fails if a rejected client gets a result", { ignore }, async () => {
  const report = await authenticate((peer, opening) => {
    if (opening === "not hello") successFrames("r1").forEach(peer.send);
    return false;
  });
  assertFailed(report, {
    "first message not hello turned away": /^(1 result|2 results), close 4001 missing hello$/,
  });
});

Deno.test("authentication waits only once for a close that never comes", { ignore }, async () => {
  let waits = 0;
  const silenced = new Set<number>();
  const report = await authenticate((peer, opening) => {
    if (opening === "non-string") {
      silenced.add(peer.nth);
      waits++;
    }
    return silenced.has(peer.nth);
  }, { timeoutMs: 2 * SHORT_TIMEOUT_MS });
  assertEquals([failedChecks(report), waits], [["non-string token turned away"], 1]);
  assertEquals(
    checkNamed(report, "non-string token turned away").observed,
    "no result, not closed",
  );
});

Deno.test("authentication fails if connections are cut instead of closed", { ignore }, async () => {
  const report = await authenticate((peer, opening) => {
    if (opening === "wrong") peer.cut();
    return opening === "wrong";
  });
  assertFailed(report, { "wrong token turned away": "no result, no close frame (1006)" });
});

Deno.test("authentication fails if the right token is sometimes refused", { ignore }, async () => {
  let right = 0;
  const report = await authenticate((peer, opening) => {
    if (opening !== "right" || ++right !== 2) return false;
    peer.close(4003, "unauthorized");
    return true;
  });
  assertFailed(report, { "valid token accepted": /^1 of 2; first failure: .*4003/ });
});

Deno.test("authentication fails if a silent client is not closed in time", { ignore }, async () => {
  await using server = await startReference({ helloTimeoutMs: 60_000 });
  const report = await runScenario(authentication, { accepts: 1, noHelloWaitMs: 150 }, {
    ...server,
    epochs: 1,
  });
  assertFailed(report, { "no hello turned away": "no result, not closed" });
});

Deno.test("authentication fails if no connection can be made", { ignore }, async () => {
  await using server = await startFaultyServer({
    // The probe with a wrong token; no room for two at once; one let in; then no more.
    handshakes: (nth) =>
      nth === 1
        ? { kind: "helloRefused" }
        : nth === 2 || nth === 4
        ? { kind: "ok" }
        : { kind: "httpStatus", status: 503 },
  });
  const report = await runScenario(authentication, { accepts: 1, noHelloWaitMs: 100 }, {
    ...server,
    cold: true,
  });
  assertEquals(report.status, "failed");
  assertStringIncludes(report.reason ?? "", "HTTP 503");
  assertEquals(failedChecks(report), ["every epoch measured"]);
});

Deno.test("connection-establishment fails, ending after three refusals", { ignore }, async () => {
  await using server = await startFaultyServer({
    handshakes: (nth) => ({ kind: nth > 4 ? "helloRefused" : "ok" }),
  });
  const report = await runScenario(connectionEstablishment, { connects: 10 }, {
    ...server,
    cold: true,
  });
  const name = "every connection opened and closed cleanly";
  assertFailed(report, { [name]: /^2 of 10; first failure: .*4003/ });
  // The cold one, and one that is not measured.
  assertEquals(server.connectionsSeen, 2 + 2 + 3);
});

Deno.test("message-throughput fails with an exact ledger on a close", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (nth): Behaviour => nth === 12 ? { kind: "closeHalfway", code: 1011 } : { kind: "ok" },
  });
  const report = await runScenario(messageThroughput, COUNTED, { ...server, ...ONCE });
  assertEquals(failedChecks(report), ["every slice measured", "every message answered"]);
  assertEquals(
    report.ledger,
    ledgerWith({
      sent: 12,
      ok: 11,
      connectionLost: 1,
      frames: { received: 22, final: 11, progress: 11 },
      closeCodes: { 1011: 1 },
    }),
  );
  assertEquals(metricNamed(report, "latency", "distribution").count, 11);
});

Deno.test("message-throughput gives up on a server that falls silent", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (nth): Behaviour => ({ kind: nth > 6 ? "silent" : "ok" }),
  });
  const report = await runScenario(messageThroughput, COUNTED, {
    ...server,
    cold: true,
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assertEquals(failedChecks(report), ["every slice measured", "every message answered"]);
  assertEquals(
    report.ledger,
    ledgerWith({ sent: 9, ok: 6, timeout: 3, frames: { received: 12, final: 6, progress: 6 } }),
  );
  assertEquals(server.callsSeen, 9);
});

Deno.test("errors never count in latency or throughput", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (nth): Behaviour => ({ kind: nth % 2 === 0 ? "toolError" : "ok" }),
  });
  const report = await runScenario(messageThroughput, COUNTED, { ...server, ...ONCE });
  assertFailed(report, { "no error replies": "toolError 10 (INTERNAL_ERROR 10: the tool raised)" });
  assertEquals([report.ledger.ok, report.ledger.toolError], [10, 10]);
  assertEquals(metricNamed(report, "latency", "distribution").count, 10);
});

Deno.test("stray frames fail a scenario with every call answered", { ignore }, async () => {
  const faults: Behaviour[] = [{ kind: "ok" }, { kind: "duplicate" }, { kind: "orphan" }];
  await using server = await startFaultyServer({ script: faults });
  const report = await runScenario(messageThroughput, { messages: 5, durationMs: null }, {
    ...server,
    ...ONCE,
  });
  assertEquals([report.ledger.ok, failedChecks(report)], [5, ["no stray frames"]]);
  assertMatch(
    checkNamed(report, "no stray frames").observed,
    /^duplicate 1, orphan 1; first duplicate: its call had ended: \{.*; first orphan: the id orphan-\S+; the/,
  );
});

Deno.test("concurrent-connections fails if not all can connect", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 2 } });
  const report = await runScenario(
    concurrentConnections,
    { connections: 3, messages: 5, durationMs: null },
    { ...server, ...ONCE },
  );
  assertEquals(failedChecks(report), ["every slice measured", "all clients connected"]);
  assertMatch(
    checkNamed(report, "all clients connected").observed,
    /^2 of 3; first failure: .*1008.*\(2\/2\)/,
  );
  // Only the slice of one client is measured.
  assertEquals([report.ledger.ok, report.ledger.sent], [5, 5]);
  assertEquals(report.metrics.map(({ name }) => name), ["establish"]);
});

Deno.test("concurrent-connections keeps an exact ledger on a lost client", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (nth): Behaviour => nth === 15 ? { kind: "abruptClose" } : { kind: "ok" },
  });
  const report = await runScenario(
    concurrentConnections,
    { connections: 3, messages: 10, durationMs: null },
    { ...server, ...ONCE },
  );
  assertEquals(failedChecks(report), ["every slice measured", "every message answered"]);
  const { sent, ok, connectionLost, closeCodes } = report.ledger;
  assertEquals([sent - ok, connectionLost, closeCodes], [1, 1, { 1006: 1 }]);
  assertEquals(server.callsSeen, sent);
});

Deno.test("a server stopped midway fails every scenario without hanging", { ignore }, async () => {
  const scenarios = [
    [messageThroughput, COUNTED, 10],
    [concurrentConnections, { ...COUNTED, connections: 2 }, 10],
    [reconnection, { cycles: 3, pauseMs: 0 }, 5],
    [connectionLimit, { bound: 20 }, 5],
    [reconnectStorm, { connections: 4, patienceMs: 100 }, 6],
  ] as const;
  for (const [scenario, parameters, atCall] of scenarios) {
    await using server = await startReference();
    let calls = 0;
    const report = await runScenario(scenario, parameters, {
      ...server,
      cold: true,
      workload: () => {
        if (++calls === atCall) void server.stop();
        return STATUS;
      },
    });
    assertEquals(report.status, "failed", scenario.name);
    assertEquals(brokenEquations(report.ledger), []);
    const { sent, ok, connectionLost } = report.ledger;
    assertEquals(sent, ok + connectionLost, scenario.name);
  }
});

Deno.test("concurrent-connections excludes errors from its latency", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (nth): Behaviour => ({ kind: nth % 2 === 0 ? "toolError" : "ok" }),
  });
  const report = await runScenario(
    concurrentConnections,
    { connections: 2, messages: 10, durationMs: null },
    { ...server, ...ONCE },
  );
  // Ten calls by the single client, and ten by each of the two.
  assertEquals([report.ledger.ok, report.ledger.toolError], [15, 15]);
  assertEquals(metricNamed(report, "latency", "distribution").count, 10);
});

/** Runs reconnection on a scripted server. */
async function reconnect(
  script: Script,
  options: { timeoutMs?: number } = {},
): Promise<ScenarioReport> {
  await using server = startScriptedServer(script);
  return await runScenario(
    reconnection,
    { cycles: 2, pauseMs: 0 },
    { ...server, ...ONCE, ...options },
  );
}

Deno.test("reconnection fails if the server closes before the client", { ignore }, async () => {
  const report = await reconnect(guarded((peer, opening) => {
    if (opening !== "right") return false;
    return peer.nth === 1 && closeAfterCall(peer);
  }));
  assertEquals(failedChecks(report).includes("every close clean (1000)"), true);
});

/** Answers the next call, then closes with 1011. */
function closeAfterCall(peer: ScriptedPeer): boolean {
  const send = peer.send.bind(peer);
  Object.assign(peer, {
    send(frame: { op?: string }) {
      send(frame);
      if (frame.op === "call_tool_res") peer.close(1011, "done");
    },
  });
  return false;
}

Deno.test("reconnection fails if a call without a handshake is served", { ignore }, async () => {
  const report = await reconnect(answerSoundly, { timeoutMs: SHORT_TIMEOUT_MS });
  assertFailed(report, {
    "the old session's state is gone": "1 result, the connection stayed open",
  });
});

Deno.test("reconnection fails if a call without a handshake is ignored", { ignore }, async () => {
  const report = await reconnect(guarded((_peer, opening) => opening === "not hello"), {
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assertEquals(failedChecks(report), ["the old session's state is gone"]);
});

Deno.test("reconnection fails if a renewed session gets no good reply", { ignore }, async () => {
  await using server = await startFaultyServer({ script: [{ kind: "ok" }, { kind: "toolError" }] });
  const report = await runScenario(reconnection, { cycles: 2, pauseMs: 0 }, {
    ...server,
    cold: true,
  });
  const name = "a good reply after every reconnect";
  assertEquals(failedChecks(report).includes(name), true);
  assertMatch(
    checkNamed(report, name).observed,
    /^0 of 1; first failure: a call ended as toolError: /,
  );
  assertEquals(report.metrics.some(({ name }) => name === "recovery"), false);
});

Deno.test("reconnection names the close code and reason of a new session", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: [{ kind: "ok" }, { kind: "closeHalfway", code: 4008, reason: "Rate limited." }],
  });
  const report = await runScenario(reconnection, { cycles: 1, pauseMs: 0 }, {
    ...server,
    cold: true,
  });
  assertEquals(
    checkNamed(report, "a good reply after every reconnect").observed,
    "0 of 1; first failure: the connection was lost: close 4008 Rate limited.",
  );
});

/** A server of two slots that refuses a third client in its own way. */
function twoSlots(refuse: (peer: ScriptedPeer, held: ScriptedPeer[]) => void): Script {
  const held: ScriptedPeer[] = [];
  return (peer, message) => {
    if (message?.op === "hello" && held.length === 2) return refuse(peer, held);
    if (message?.op === "hello") held.push(peer);
    answerSoundly(peer, message);
  };
}

Deno.test("connection-limit fails unless refused with 1008 and a reason", { ignore }, async () => {
  for (const [code, reason] of [[1011, "busy"], [1008, ""]] as const) {
    let refused = 0;
    await using server = startScriptedServer(twoSlots((peer, held) => {
      peer.close(code, reason);
      if (++refused === 3) held.length = 0; // Room again, after the other address and one retry.
    }));
    const report = await runScenario(connectionLimit, { bound: 10 }, { ...server, epochs: 1 });
    assertFailed(report, {
      "one connection too many is refused": `close ${code} ${reason}`.trim(),
    });
  }
});

Deno.test("connection-limit accepts any refusal outside exai", { ignore }, async () => {
  for (const name of ["exai", "mcp"] as const) {
    // Two slots: the third is refused, then one from another address; then a slot is free.
    await using server = await startFaultyServer({
      handshakes: (nth) =>
        nth === 3 || nth === 4 ? { kind: "httpStatus", status: 503 } : { kind: "ok" },
    });
    const report = await runScenario(connectionLimit, { bound: 10 }, {
      ...server,
      epochs: 1,
      protocol: { ...exai, name },
    });
    const { passed, observed } = checkNamed(report, "one connection too many is refused");
    assertEquals([passed, report.status], name === "mcp" ? [true, "passed"] : [false, "failed"]);
    assertStringIncludes(observed, "HTTP 503");
    assertEquals(metricNamed(report, "limit", "scalar").value, 2);
  }
});

Deno.test("connection-limit fails if established connections are harmed", { ignore }, async () => {
  await using server = startScriptedServer(twoSlots((peer, held) => {
    held.shift()!.cut();
    peer.close(1008, "Too many connections");
  }));
  const report = await runScenario(connectionLimit, { bound: 10 }, { ...server, epochs: 1 });
  const name = "established connections still answer";
  assertEquals(failedChecks(report).includes(name), true);
  assertEquals(
    checkNamed(report, name).observed,
    "1 of 2; first failure: the connection was lost: no close frame (1006)",
  );
  assert(brokenEquations(report.ledger).length === 0);
});

Deno.test("connection-limit: a rate-limited connection still answers", { ignore }, async () => {
  const ipRate = { capacity: 2, refillPerSecond: 0.01 };
  await using server = await startReference({
    dialect: "nov",
    limits: { userRate: null, globalRate: null, ipRate, maxConnectionsPerIp: 6 },
  });
  const report = await runScenario(connectionLimit, { bound: 10 }, { ...server, epochs: 1 });
  assertEquals(failedChecks(report), ["no error replies"]);
  assertEquals(checkNamed(report, "established connections still answer").observed, "6 of 6");
  assertEquals(report.ledger.rateLimited, 4);
});

Deno.test("reconnection counts only the closes it made", { ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "call_tool" || ++calls < 6) return answerSoundly(peer, message);
    const error = { code: "INTERNAL_ERROR", message: "no more" };
    peer.send({ op: "call_tool_res", request_id: message.request_id, error });
  });
  const report = await runScenario(
    reconnection,
    { cycles: 10, pauseMs: 0 },
    { ...server, ...ONCE },
  );
  assertEquals(checkNamed(report, "every close clean (1000)").observed, "3 of 3");
});

for (const scenario of [messageThroughput, pipelining]) {
  Deno.test(
    `${scenario.name}: silence is seen across slices shorter than the timeout`,
    { ignore },
    async () => {
      await using server = await startFaultyServer({
        script: (nth) => nth <= 20 ? { kind: "ok" } : { kind: "silent" },
      });
      const report = await runScenario(scenario, { messages: null, durationMs: 20, inFlight: 1 }, {
        ...server,
        cold: true,
        epochs: 50,
        timeoutMs: SHORT_TIMEOUT_MS,
      });
      const { sent, ok, timeout } = report.ledger;
      assertEquals([failedChecks(report), sent], [["every message answered"], ok + timeout]);
      // One in the slice in which it fell silent, and one in the next, if any.
      assert(timeout === 1 || timeout === 2, String(timeout));
    },
  );
}

Deno.test("connection-limit: a stopped server has refused nothing", { ignore }, async () => {
  const server = await startReference();
  await server.stop();
  const report = await runScenario(connectionLimit, {}, server);
  assertEquals([report.status, report.metrics], ["failed", []]);
  assertStringIncludes(report.reason ?? "", "Cannot connect");
});

Deno.test("reconnection without rejections checks no stale session", { ignore }, async () => {
  await using server = await startFaultyServer({});
  const report = await runScenario(reconnection, { cycles: 1, pauseMs: 0 }, {
    ...server,
    protocol: { ...exai, rejections: () => [] },
  });
  assertEquals(report.notMeasured.map(({ name }) => name), ["the old session's state is gone"]);
});
