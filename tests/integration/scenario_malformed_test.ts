import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { exaiConduct } from "../../lib/protocols/exai_conduct.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import type { ServerOptionOverrides } from "../../lib/server/options.ts";
import { malformedInput } from "../../scenarios/malformed_input/mod.ts";
import { type Alterations, startAlteringProxy } from "../support/altering_proxy.ts";
import {
  checkNamed,
  failedChecks,
  metricNamed,
  type RunOptions,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { type Script, startScriptedServer } from "../support/scripted_server.ts";
import { ledgerWith, NO_NET as ignore, SHORT_TIMEOUT_MS } from "../support/targets.ts";

const AT_ONCE = { medianMs: 1, sigma: 0 };
const THINK = { chat: AT_ONCE, analyze: AT_ONCE, debug: AT_ONCE };
const PATIENT = { noHelloWaitMs: 5_000, patienceMs: 5_000 };

/** Names of EXAI's cases. */
const ROWS = exaiConduct.cases({
  sessionId: "s",
  token: null,
  dialect: null,
  tool: "status",
  argsJson: "{}",
  toolList: null,
}).map(({ name }) => name);

function missing({ notMeasured }: ScenarioReport): string[] {
  return notMeasured.map(({ name }) => name);
}

Deno.test("malformed-input passes every case on both builds", { ignore }, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({ dialect, helloTimeoutMs: 1_500, think: THINK });
    const report = await runScenario(malformedInput, PATIENT, server);
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    const checked = report.checks.map(({ name }) => name);
    assertEquals(ROWS.filter((name) => !checked.includes(name)), []);
    assertEquals(missing(report), exaiConduct.leftOut.map(({ name }) => name));
    assertEquals(report.notes?.find(({ kind }) => kind === "dialect")?.dialect, dialect);
    // The ledger has only the call made after the cases.
    assertEquals([report.ledger.sent, report.ledger.ok, report.ledger.timeout], [1, 1, 0]);
    // Every case but the silent client's has a timed answer.
    assertEquals(metricNamed(report, "answer", "distribution").count, ROWS.length - 1);
  }
});

Deno.test("malformed-input holds a server to its own build", { ignore }, async () => {
  await using oct = await startReference({ dialect: "oct", helloTimeoutMs: 1_500, think: THINK });
  // Shows every sign of the later build.
  await using proxy = startAlteringProxy(oct.url, {
    frame: (text, said) => {
      const id = /"request_id":"([^"]*)"/.exec(
        said.findLast((one) => one.includes("list_tools")) ?? "",
      );
      return text.replace('"ok": true, "outputs"', '"outputs"')
        .replace('"op": "list_tools_res"', `"op": "list_tools_res", "request_id": "${id?.[1]}"`);
    },
  });
  const report = await runScenario(malformedInput, { ...PATIENT, patienceMs: 1_000 }, proxy);
  assertEquals(failedChecks(report), [
    "invalid session id",
    "first message not hello",
    "first message not JSON",
    "unknown tool",
    "tool name with a further ending",
    "argument out of range",
    "the tool raises",
    "not JSON, twice",
    "unknown op",
    "ping",
  ]);
});

Deno.test("malformed-input recognises oct25, but no build by mixed signs", { ignore }, async () => {
  const outcome = async (change: (text: string) => string, dialect: "oct" | "nov") => {
    const report = await altered({ frame: change }, { server: { dialect } });
    const [build, ...better] = report.notes!.map(({ kind, dialect, name }) =>
      kind === "dialect" ? dialect : name
    );
    return { build, better, failed: failedChecks(report) };
  };
  const mixed = await outcome((text) => text.replace('"ok": true, "outputs"', '"outputs"'), "oct");
  assertEquals([mixed.build, mixed.failed], [null, []]);
  const another = (text: string) =>
    text.replace(/(hello_ack.*"session_id": )"[^"]*"/, `$1"${"x".repeat(43)}"`);
  const oct25 = await outcome(another, "oct");
  assertEquals([oct25.build, oct25.failed], ["oct25", ["not JSON, twice"]]);
});

Deno.test("malformed-input notes where a server beats its build", { ignore }, async () => {
  let dropped = "";
  const report = await altered({
    frame: (text, said) => {
      // Restores the frame that the server dropped as a repeat.
      if (text.includes("Invalid JSON")) dropped = text;
      const isTwice = said.filter((one) => one === "{not JSON").length === 2;
      return isTwice && text.includes("stream_complete") ? [dropped, text] : text;
    },
  });
  assertEquals(failedChecks(report), []);
  const better = report.notes!.filter(({ kind }) => kind === "betterThanBuild");
  assert(better.some(({ name }) => name === "not JSON, twice"), JSON.stringify(report.notes));
});

/** Runs against a sound server behind a proxy that alters it. */
async function altered(
  alterations: Alterations,
  { server = {}, ...options }: { server?: ServerOptionOverrides } & Partial<RunOptions> = {},
): Promise<ScenarioReport> {
  await using sound = await startReference({ think: THINK, ...server });
  await using proxy = startAlteringProxy(sound.url, alterations);
  return await runScenario(malformedInput, { noHelloWaitMs: 0, patienceMs: 5_000 }, {
    url: proxy.url,
    ...options,
  });
}

Deno.test("malformed-input fails on a wrong error code or message", { ignore }, async () => {
  const report = await altered({
    frame: (text) =>
      text.replace("VALIDATION_ERROR", "INTERNAL_ERROR").replace("Unknown operation", "What is"),
  });
  assertEquals(failedChecks(report), [
    "a call as tool_call",
    "argument out of range",
    "not JSON",
    "not JSON, twice",
    "unknown op",
    "ping",
  ]);
  const { expected, observed } = checkNamed(report, "unknown op");
  assertEquals(
    [expected, observed],
    [
      "[error, no id, INVALID_REQUEST, Unknown operation: no-such-op]; a call is served after it",
      "[error, no id, INVALID_REQUEST, What is: no-such-op]; a call is served after it",
    ],
  );
});

Deno.test("malformed-input fails on an error without or with a wrong id", { ignore }, async () => {
  const report = await altered({
    frame: (text) => {
      if (text.includes("TOOL_NOT_FOUND")) return text.replace(/"request_id": "[^"]*", /, "");
      return text.replace(
        /-r1", "error": \{"code":"INTERNAL/,
        '-r2", "error": {"code":"INTERNAL',
      );
    },
  });
  assertEquals(failedChecks(report), [
    "unknown tool",
    "tool name with a further ending",
    "the tool raises",
  ]);
  assertStringIncludes(
    checkNamed(report, "the tool raises").observed,
    "call_tool_res, r2, INTERNAL",
  );
});

Deno.test("malformed-input fails on a close with a wrong code or reason", { ignore }, async () => {
  const report = await altered({
    close: ({ code, reason }) => code === 4001 ? { code: 4000, reason } : { code, reason: "go" },
  });
  assertEquals(failedChecks(report), [
    "empty first message",
    "hello is an array",
    "wrong token",
    "missing token",
    "empty token",
    "non-string token",
    "first message not hello",
    "first message not JSON",
  ]);
  assertEquals(
    checkNamed(report, "first message not hello").observed,
    "[hello_ack, missing_hello]; close 4000 missing hello",
  );
});

Deno.test("malformed-input fails if a bad message ends the connection", { ignore }, async () => {
  const report = await altered({
    swallow: (said) => said.length > 1 && said.at(-1)!.includes("no-such-op") ? "close" : false,
  });
  assertEquals(failedChecks(report), ["unknown op"]);
  assertEquals(checkNamed(report, "unknown op").observed, "no frame; close 1011 swallowed");
});

Deno.test("malformed-input fails if nothing is served after a bad one", { ignore }, async () => {
  const report = await altered({
    swallow: (said) => said.slice(0, -1).includes("{not JSON") && !said.at(-1)!.includes("{not"),
  }, { timeoutMs: 2 * SHORT_TIMEOUT_MS });
  assertEquals(failedChecks(report), ["not JSON", "not JSON, twice"]);
  assertMatch(
    checkNamed(report, "not JSON").observed,
    /could not be parsed\]; a call after it is not/,
  );
});

Deno.test("malformed-input fails if a bad message gets a result", { ignore }, async () => {
  const report = await altered({
    frame: (text, said) => {
      if (said.at(-1)?.startsWith('{"op":"ping"')) return text.replace(/.*/, `{"op": "pong"}`);
      // A result instead of the error.
      if (!text.includes("TOOL_NOT_FOUND")) return text;
      return text.replace(/"error": .*/, '"ok": true, "outputs": []}');
    },
  });
  assertEquals(failedChecks(report), ["unknown tool", "tool name with a further ending", "ping"]);
  assertEquals(
    checkNamed(report, "unknown tool").observed,
    "[call_tool_res, r1, outputs, ok]; a call is served after it",
  );
});

Deno.test("malformed-input gives up on a silent server", { ignore }, async () => {
  let sessions = 0;
  const report = await altered({
    // The probes of the server and of its tokens succeed.
    swallow: (said) => (said.length === 1 ? ++sessions : sessions) > 2,
  }, { timeoutMs: SHORT_TIMEOUT_MS });
  assertEquals(report.status, "failed");
  const silent = report.notMeasured.filter(({ reason }) => reason.startsWith("the 3 cases"));
  assert(silent.length > 20, `${silent.length}`);
  assertEquals(failedChecks(report).slice(0, 3), ROWS.slice(0, 3));
});

Deno.test("malformed-input fails and ends if the server goes away", { ignore }, async () => {
  await using sound = await startReference({ think: THINK });
  let connections = 0;
  await using proxy = startAlteringProxy(sound.url, {
    swallow: () => {
      if (++connections === 12) void sound.stop();
      return false;
    },
  });
  const report = await runScenario(malformedInput, { noHelloWaitMs: 0 }, {
    url: proxy.url,
    timeoutMs: 1_000,
  });
  assertEquals(report.status, "failed");
});

Deno.test("malformed-input skips token cases if any token is accepted", { ignore }, async () => {
  await using server = await startReference({ token: null, think: THINK });
  const report = await runScenario(malformedInput, { noHelloWaitMs: 0 }, {
    ...server,
    token: null,
  });
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const leftOut = exaiConduct.leftOut.map(({ name }) => name);
  assertEquals(missing(report).filter((name) => !leftOut.includes(name)), [
    "no hello",
    "wrong token",
    "missing token",
    "empty token",
    "non-string token",
  ]);
});

Deno.test("malformed-input does not take rate limiting for an answer", { ignore }, async () => {
  await using server = await startReference({
    think: THINK,
    limits: { ipRate: { capacity: 20, refillPerSecond: 0.001 } },
  });
  const report = await runScenario(malformedInput, { noHelloWaitMs: 0 }, server);
  const limited = report.notMeasured.filter(({ reason }) => reason.includes("rate limiter"));
  assert(limited.length > 5);
  assertStringIncludes(limited[0]!.reason, "ip_rate_limit_exceeded");
  // The ledger's call is refused as well.
  assertEquals(failedChecks(report), ["no error replies"]);
});

Deno.test("malformed-input can be interrupted during a wait", { ignore }, async () => {
  const controller = new AbortController();
  let calls = 0;
  const report = await altered({
    swallow: () => {
      if (++calls === 20) controller.abort(new Error("interrupted"));
      return calls >= 20;
    },
  }, { signal: controller.signal });
  assertEquals(report.status, "interrupted");
});

Deno.test("malformed-input is skipped on the echo protocol", { ignore }, async () => {
  await using server = startScriptedServer((peer, _message, text) => peer.send(text));
  const report = await runScenario(malformedInput, {}, { ...server, protocol: echo });
  assertEquals([report.status, report.reason], [
    "skipped",
    "no malformed messages are defined for the echo protocol",
  ]);
});

/** Id of a server's own requests: a digit that occurs in many messages of the client. */
const SERVERS_ID = 2;

/** An MCP server that answers by the rules of JSON-RPC. */
function speakMcp(
  { isSilentOn = () => false }: { isSilentOn?: (text: string) => boolean } = {},
): Script {
  return (peer, message, text) => {
    if (isSilentOn(text)) return;
    const { id, method, params, result } = (message ?? {}) as Record<string, unknown>;
    if (id === SERVERS_ID && result !== undefined) return; // The answer to the ping below.
    const reply = (body: object) => peer.send({ jsonrpc: "2.0", id: id ?? null, ...body });
    const fail = (code: number) => reply({ error: { code, message: "wrong" } });
    if (text === '{"jsonrpc":') return fail(-32700);
    if (typeof method !== "string") return fail(-32600);
    if (id === undefined) return;
    switch (method) {
      case "initialize":
        return reply({
          result: { protocolVersion: "2025-03-26", capabilities: {}, serverInfo: { name: "s" } },
        });
      case "ping":
        peer.send({ jsonrpc: "2.0", id: SERVERS_ID, method: "ping" });
        return reply({ result: {} });
      case "tools/list":
        return reply({ result: { tools: [{ name: "echo" }] } });
      case "tools/call":
        return (params as { arguments: unknown }).arguments === "text"
          ? reply({ result: { isError: true, content: [] } })
          : fail(-32602);
      default:
        return fail(-32601);
    }
  };
}

const MCP = { protocol: mcp, token: null, workload: () => ({ tool: "ping", argsJson: "{}" }) };

Deno.test("malformed-input holds an mcp server to JSON-RPC", { ignore }, async () => {
  await using server = startScriptedServer(speakMcp());
  const report = await runScenario(malformedInput, {}, { ...server, ...MCP });
  assertEquals(
    [report.status, failedChecks(report)],
    ["passed", []],
    JSON.stringify(report.checks),
  );
  assertEquals(
    report.checks.filter(({ name }) => name === "not JSON")[0]!.expected,
    "[no id, error -32700, …] or no frame; a call is served after it",
  );
  assertEquals(
    report.ledger,
    ledgerWith({ sent: 1, ok: 1, frames: { received: 2, final: 1, progress: 1 } }),
  );
});

Deno.test("malformed-input lets a gateway drop messages without a method", { ignore }, async () => {
  const dropped = (text: string) => !text.includes('"method"');
  await using server = startScriptedServer(speakMcp({ isSilentOn: dropped }));
  const report = await runScenario(malformedInput, {}, { ...server, ...MCP });
  assertEquals(failedChecks(report), []);
});

Deno.test("malformed-input fails an mcp server with wrong answers", { ignore }, async () => {
  const sound = speakMcp();
  const heard: string[] = [];
  await using server = startScriptedServer((peer, message, text) => {
    heard.push(text);
    if (text === '{"jsonrpc":') return peer.close(1002);
    // Echoes the unknown method; the client must not answer that.
    if (text.includes("no/such/method")) return peer.send(text);
    if (text.includes("notifications/no-such-thing")) {
      peer.send({ jsonrpc: "2.0", id: null, error: { code: -32601, message: "what?" } });
    }
    sound(peer, message, text);
  });
  const report = await runScenario(malformedInput, { patienceMs: SHORT_TIMEOUT_MS }, {
    ...server,
    ...MCP,
  });
  assertEquals(failedChecks(report), [
    "not JSON",
    "unknown method",
    "a notification gets no reply",
  ]);
  assertStringIncludes(checkNamed(report, "unknown method").observed, "[r1, a request: no/such/");
  assertEquals(heard.filter((text) => text.includes("Method not found")), []);
});
