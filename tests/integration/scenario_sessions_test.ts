import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { brokenEquations } from "../../lib/client/ledger.ts";
import type { SessionSpec, StepSpec } from "../../lib/load/session.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { createSessionWork } from "../../lib/run/session_work.ts";
import type { ScenarioReport } from "../../lib/schema.ts";
import { sessionCapacity } from "../../scenarios/session_capacity/mod.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  countedCalls,
  expectedCalls,
  failedChecks,
  metricNamed,
  runScenario,
  settingsAt,
  startReference,
} from "../support/run_scenarios.ts";
import { startScriptedServer, successFrames } from "../support/scripted_server.ts";
import { NO_NET as ignore, STATUS } from "../support/targets.ts";

/** Short trials, with an objective that only a stuck machine misses. */
const SHORT = { durationMs: 100, confirmMs: 200, sloMs: 5_000, connections: 6, sessions: 3 };

function step(tool: string, more: Partial<StepSpec> = {}): StepSpec {
  return {
    tool,
    argsJson: "{}",
    think: { kind: "exponential", meanMs: 5 },
    timeoutMs: null,
    onError: "continue",
    ...more,
  };
}

function workOf(steps: StepSpec[], more: Partial<SessionSpec> = {}): SessionSpec {
  const patterns = [{ name: "all", weight: 1, steps }];
  return { begin: [], patterns, lasts: { patterns: 3, time: null }, ...more };
}

function exact({ ledger, warmupLedger }: ScenarioReport): void {
  assertEquals([ledger, warmupLedger].flatMap(brokenEquations), []);
}

function capacityOf(report: ScenarioReport): number | undefined {
  const found = report.metrics.find(({ name }) => name === "capacity");
  return found?.kind === "scalar" ? found.value : undefined;
}

function notesOf({ notes = [] }: ScenarioReport): string[] {
  return notes.map(({ kind }) => kind);
}

Deno.test("sessions: all requested are carried, and each call counted", { ignore }, async () => {
  // One more connection would be refused.
  await using server = await startReference({ limits: { maxConnectionsPerIp: 6 } });
  const workload = workOf([step("status"), step("version")], { begin: [step("health")] });
  const report = await runScenario(sessionCapacity, SHORT, { ...server, settings: { workload } });
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const { value, role } = metricNamed(report, "capacity", "scalar");
  assertEquals([value, role], [6, "headline"]);
  assertEquals(report.notMeasured.map(({ name }) => name), ["limit of the server"]);
  exact(report);
  const { ledger, warmupLedger } = report;
  assertEquals(countedCalls(server.stats()), expectedCalls([ledger, warmupLedger]));
  assertEquals(server.stats().connectionsRefused, 0);
  for (const sessions of [3, 6]) {
    for (const name of ["latency", "establish"]) {
      metricNamed(report, name, "distribution", { sessions });
    }
    metricNamed(report, "throughput", "scalar", { sessions });
  }
  // Each call is answered by stream_complete and a result.
  const frames = metricNamed(report, "sessionFrames", "scalar").value * 6;
  const calls = metricNamed(report, "callRate", "scalar").value;
  assert(frames > 2 * calls && frames < 4 * calls, `${frames} frames, ${calls} calls`);
  assert(metricNamed(report, "sessionBytes", "scalar").value > 0);
  assertStringIncludes(String(report.parameters.workload), "begin: health {} think 0.005 s");
});

Deno.test("sessions: the server's connection limit is named as the bound", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 4 } });
  const report = await runScenario(sessionCapacity, { ...SHORT, connections: 50 }, {
    ...server,
    settings: { workload: workOf([step("status")], { lasts: { patterns: null, time: null } }) },
  });
  assertEquals([report.status, capacityOf(report)], ["passed", 4]);
  assertEquals(notesOf(report), ["connectionLimit"]);
  const beyond = (wanted: string) =>
    report.metrics.filter(({ name, at }) => name === wanted && at!.sessions as number > 4).length;
  assertEquals(beyond("establish"), 1, "more were tried");
  assertEquals(beyond("throughput"), 0, "their calls were measured");
  assertEquals(
    report.notes![0]!.message,
    "limited by the server's connection limit: it accepted 4 sessions at once, then refused more: " +
      "close 1008 Too many connections from your IP (4/4)",
  );
  exact(report);
});

Deno.test("sessions: a limit of one is reported in the singular", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 1 } });
  const report = await runScenario(sessionCapacity, { ...SHORT, connections: 5, sessions: 2 }, {
    ...server,
    settings: { workload: workOf([step("status")]) },
  });
  assertStringIncludes(report.notes![0]!.message, "it accepted 1 session at once, then ");
});

/** tests/support/session_experiment.ts shows that the right number is found. */
Deno.test("sessions: a missed objective reports what failed first", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call % 3 === 0 ? "toolError" : "ok" }),
  });
  const report = await runScenario(sessionCapacity, { ...SHORT, connections: 2, sessions: 2 }, {
    ...server,
    settings: { workload: workOf([step("status")]) },
  });
  exact(report);
  assertEquals([report.status, failedChecks(report)], ["failed", ["sessions are carried"]]);
  assertMatch(
    checkNamed(report, "sessions are carried").observed,
    /: at 1 session, \d+ of \d+ calls failed or took over 5000 ms$/,
  );
  const note = report.notes!.find(({ kind }) => kind === "failedFirst")!;
  assertEquals([note.sessions, note.what], [1, "latency"]);
  assert(report.ledger.toolError > 0);
});

Deno.test("sessions: a ramp follows its stages", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 5 } });
  const report = await runScenario(sessionCapacity, {
    ...SHORT,
    ...{ stages: "0.3s:5,0.2s:5,0.3s:0", connections: 5 },
  }, { ...server, settings: { workload: workOf([step("status")]) } });
  assertEquals([report.status, capacityOf(report)], ["passed", 5]);
  exact(report);
  assertEquals(server.stats().connectionsRefused, 0);
  const levels = report.metrics.filter(({ name }) => name === "latency").map(({ at }) =>
    at!.sessions
  );
  assert(levels.includes(5) && levels.length >= 2, `${levels}`);
  assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger, report.warmupLedger]));
});

Deno.test("sessions: a ramp tries each refused session only once", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 2 } });
  const report = await runScenario(sessionCapacity, {
    ...SHORT,
    ...{ stages: "0.1s:6,0.3s:6", connections: 6 },
  }, {
    ...server,
    settings: { workload: workOf([step("status")], { lasts: { patterns: null, time: null } }) },
  });
  exact(report);
  assertEquals([capacityOf(report), notesOf(report)], [2, ["connectionLimit"]]);
  assertEquals(server.stats().connectionsRefused, 4);
});

Deno.test("sessions: a ramp without any session says why", { ignore }, async () => {
  await using server = startScriptedServer((peer) => peer.close(1008, "not today"));
  const report = await runScenario(sessionCapacity, { ...SHORT, stages: "0.1s:2,0.1s:2" }, {
    ...server,
    settings: { workload: workOf([step("status")]) },
  });
  exact(report);
  assertEquals(failedChecks(report), ["sessions are carried"]);
  assertMatch(
    checkNamed(report, "sessions are carried").observed,
    /no session opened: .*not today/,
  );
});

Deno.test("sessions: an error in a ramp is an answer", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call % 3 === 0 ? "toolError" : "ok" }),
  });
  const report = await runScenario(sessionCapacity, {
    ...SHORT,
    ...{ stages: "0.1s:2,0.2s:2", connections: 2 },
  }, { ...server, settings: { workload: workOf([step("status")]) } });
  assert(report.ledger.toolError > 0);
  const latencies = report.metrics.filter(({ name }) => name === "latency");
  assertEquals(latencies.map((one) => "censored" in one && one.censored), latencies.map(() => 0));
});

Deno.test("sessions: a call took at least the timeout of its step", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call % 3 === 0 ? "ok" : "silent" }),
  });
  const report = await runScenario(sessionCapacity, {
    ...SHORT,
    ...{ durationMs: 600, connections: 1, sessions: 1 },
  }, { ...server, settings: { workload: workOf([step("status", { timeoutMs: 50 })]) } });
  const { p50, count, censored } = metricNamed(report, "latency", "distribution");
  assert(count > 0 && censored > count, `${count} and ${censored}`);
  assert(p50! >= 50e6 && p50! < 5e9, `${p50}`);
});

Deno.test("sessions: the step decides what follows an error", { ignore }, async () => {
  const seen: string[][] = [];
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "hello") return peer.send({ op: "hello_ack", ok: true });
    if (message?.op !== "call_tool") return;
    const { request_id: id, name } = message;
    (seen[peer.nth] ??= []).push(name!);
    if (name === "fails") {
      return peer.send({
        op: "call_tool_res",
        request_id: id,
        error: { code: "X", message: "no" },
      });
    }
    for (const frame of successFrames(id!)) peer.send(frame);
  });
  const once = { durationMs: 50, confirmMs: 50, connections: 1, sessions: 1, sloMs: 5_000 };
  const first = async (steps: StepSpec[]) => {
    seen.length = 0;
    const workload = workOf(steps, { lasts: { patterns: 1, time: null } });
    exact(await runScenario(sessionCapacity, once, { ...server, settings: { workload } }));
    return seen.find((calls) => calls !== undefined)!.join();
  };
  const failing = (onError: StepSpec["onError"]) =>
    first([step("fails", { onError }), step("next")]);
  assertEquals(await failing("continue"), "fails,next");
  assertEquals(await failing("end"), "fails");
  assertEquals(await failing("retry"), "fails,fails,fails,next");
});

Deno.test("sessions: {previous} is the last reply; gaps are reported", { ignore }, async () => {
  const asked: unknown[] = [];
  await using server = startScriptedServer((peer, message) => {
    const { op, request_id: id, arguments: args } = message as unknown as Record<string, unknown>;
    if (op === "hello") return peer.send({ op: "hello_ack", ok: true });
    if (op !== "call_tool") return;
    asked.push((args as { of?: unknown }).of);
    peer.send({ op: "call_tool_res", request_id: id, outputs: [{ key: 42 }] });
    peer.send({ op: "progress", request_id: id });
  });
  const run = (path: string) =>
    runScenario(sessionCapacity, { ...SHORT, connections: 1, sessions: 1 }, {
      ...server,
      settings: {
        workload: workOf([step("a"), step("b", { argsJson: `{"of":"{previous.${path}}"}` })]),
      },
    });
  const found = await run("outputs.0.key");
  assertEquals(failedChecks(found), []);
  assertEquals(asked.slice(0, 2), [undefined, 42]);
  const lacking = await run("outputs.0.lock");
  assertEquals(failedChecks(lacking), ["every {previous} is in the reply before"]);
  assertStringIncludes(checkNamed(lacking, failedChecks(lacking)[0]!).observed, "lock");
});

Deno.test("sessions: a server that cuts clients ends the search quickly", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "abruptClose" }) });
  const report = await runScenario(sessionCapacity, SHORT, {
    ...server,
    settings: { workload: workOf([step("status")]) },
  });
  exact(report);
  assertEquals([report.status, capacityOf(report)], ["failed", undefined]);
  assertStringIncludes(checkNamed(report, "sessions are carried").observed, "0 of 1");
  // One call by each of the three sessions.
  assert(server.callsSeen <= 3, `${server.callsSeen} calls`);
});

Deno.test("sessions: an echo server carries sessions of one step", { ignore }, async () => {
  await using server = startScriptedServer((peer, _, text) => peer.send(text));
  const report = await runScenario(sessionCapacity, SHORT, {
    ...server,
    protocol: echo,
    settings: { workload: workOf([step("echo", { argsJson: '{"n":"{unique}"}' })]) },
  });
  exact(report);
  assertEquals([report.status, capacityOf(report)], ["passed", 6]);
});

Deno.test("sessions use the workload, else the bundled server's heavy tools, else the light tool", () => {
  const tools = [{
    ...{ tool: "chat", argsJson: '{"p":"{unique}"}', timeoutMs: 9_000, weight: 3, repetitions: 1 },
    message: () => ({ tool: "chat", argsJson: "{}" }),
  }];
  const heavyTools = { status: "granted", tools, uniqueSeed: 1 } as const;
  const of = (settings: Parameters<typeof settingsAt>[1], bundled: object | null = {}) =>
    createSessionWork(settingsAt("ws://x", settings), {
      ...{ tool: "status", workload: () => STATUS, heavyTools, bundled },
      place: { index: 1, count: 1 },
    });
  const names = (work: ReturnType<typeof of>) =>
    work.status === "refused" ? work.reason : work.spec.patterns.map(({ steps }) => steps[0]!.tool);
  assertEquals(names(of({})), ["status"]);
  assertEquals(names(of({ profile: "phase3" })), ["chat"]);
  assertStringIncludes(String(names(of({ profile: "phase3" }, null))), "can cost money");
  const unique = { argsJson: '{"x":"{unique}"}' };
  const workload = workOf([step("a", unique), step("a", unique)]);
  const work = of({ profile: "phase3", workload }, null);
  assertEquals(names(work), ["a"]);
  assert(work.status === "granted");
  // Every call has its own text, different from heavy calls elsewhere in the run.
  const texts = work.spec.patterns[0]!.steps.map(({ message }) => message().argsJson);
  assert(texts[0] !== texts[1] && !texts[0]!.includes("00000001-"), texts.join());
});
