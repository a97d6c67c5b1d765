/**
 * Servers with answers that break their protocol: counted neither as success nor as silence, and
 * reported with the first such frame.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import type { TargetOptions } from "../../lib/client/target.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import type { Protocol } from "../../lib/protocols/protocol.ts";
import { runPreflight } from "../../lib/run/preflight.ts";
import { TargetUnusableError } from "../../lib/run/scenario.ts";
import {
  answerSoundly,
  HELLO_ACK,
  type Script,
  type ScriptedPeer,
  startScriptedServer,
} from "../support/scripted_server.ts";
import {
  countsOf,
  ledgerWith,
  NO_NET as ignore,
  SHORT_TIMEOUT_MS,
  STATUS,
  targetAt,
  TOKEN,
} from "../support/targets.ts";

const PING = { tool: "ping", argsJson: "{}" };
const ECHO_TOOL = { tool: "echo", argsJson: "{}" };
const CONTENT = { content: [{ type: "text", text: "Echo" }] };

interface McpMessage {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
}

/** An MCP server with the tool `echo`; `answer` handles all but the handshake and the list. */
function speakMcp(
  answer: (peer: ScriptedPeer, message: McpMessage, text: string) => void,
  { version = "2025-06-18", capabilities = { tools: {} } as object } = {},
): Script {
  return (peer, _message, text) => {
    const message: McpMessage = JSON.parse(text);
    const reply = (result: object) => peer.send({ jsonrpc: "2.0", id: message.id, result });
    if (message.method === "initialize") return reply({ protocolVersion: version, capabilities });
    if (message.method === "notifications/initialized") return;
    if (message.method === "tools/list") return reply({ tools: [{ name: "echo" }] });
    answer(peer, message, text);
  };
}

function preflight(url: string, message: typeof PING, options: Partial<TargetOptions> = {}) {
  const target = targetAt(url, { protocol: mcp, ...options });
  return runPreflight(target, () => message).finally(() => target[Symbol.dispose]());
}

/** Makes calls one after the other; returns their ledger. */
async function account(
  url: string,
  { calls = 1, message = PING, ...options }:
    & { calls?: number; message?: typeof PING }
    & Partial<TargetOptions> = {},
) {
  using target = targetAt(url, { protocol: mcp, timeoutMs: SHORT_TIMEOUT_MS, ...options });
  const ledger = openLedger();
  {
    await using connection = await target.connect(ledger);
    for (let call = 0; call < calls; call++) await connection.call(message);
  }
  const settled = settleLedger(ledger, target.observed.streamComplete);
  assertEquals(brokenEquations(settled), []);
  return settled;
}

/** Wrong answers to an MCP call, and how the preflight describes them. */
const WRONG: [
  name: string,
  send: (peer: ScriptedPeer, id: number, text: string) => void,
  string,
][] = [
  ["an echo", (peer, _id, text) => peer.send(text), "an echo of what this client sent: {"],
  [
    "an id of text",
    (peer, id) => peer.send({ jsonrpc: "2.0", id: String(id), result: {} }),
    'the id "11"; the only call outstanding is 11: {"jsonrpc"',
  ],
  [
    "a result of text",
    (peer, id) => peer.send({ jsonrpc: "2.0", id, result: "pong" }),
    'a result that is not an object: {"jsonrpc":"2.0","id":11,"result":"pong"}',
  ],
  [
    "two values on two lines",
    (peer, id) =>
      peer.send(`{"jsonrpc":"2.0","method":"x"}\n{"jsonrpc":"2.0","id":${id},"result":{}}`),
    'several JSON values, one on each line: {"jsonrpc":"2.0","method":"x"}',
  ],
  [
    "an array in a revision without batches",
    (peer, id) => peer.send([{ jsonrpc: "2.0", id, result: {} }]),
    "several JSON values, in an array: [",
  ],
];

Deno.test("the preflight quotes a wrong answer and waits for no timeout", { ignore }, async () => {
  await Promise.all(WRONG.map(async ([name, send, words]) => {
    await using server = startScriptedServer(
      speakMcp((peer, { id, method }, text) => method === "ping" && send(peer, id!, text)),
    );
    const { message } = await assertRejects(
      () => preflight(server.url, PING, { timeoutMs: 600_000 }),
      TargetUnusableError,
    );
    assertStringIncludes(message, `The server answered a call of ping, but with ${words}`, name);
  }));
});

Deno.test("a tool's result without content is not an answer", { ignore }, async () => {
  await using server = startScriptedServer(
    speakMcp((peer, { id }) => id !== undefined && peer.send({ jsonrpc: "2.0", id, result: {} })),
  );
  const { message } = await assertRejects(
    () => preflight(server.url, ECHO_TOOL, { timeoutMs: 600_000 }),
    TargetUnusableError,
  );
  assertStringIncludes(message, "a call of echo, but with a result without a tool's content: {");
  const [tool, ping] = await Promise.all([
    account(server.url, { message: ECHO_TOOL }),
    account(server.url),
  ]);
  assertEquals([tool.ok, tool.timeout, tool.frames.malformed], [0, 1, 1]);
  assertEquals([ping.ok, ping.frames.malformed], [1, 0]);
});

Deno.test("an answer that is not a handshake is quoted", { ignore }, async () => {
  const greet: Script = (peer) => peer.send(`hello ${"x".repeat(500)}`);
  const message = async (script: Script, protocol: Protocol) => {
    await using server = startScriptedServer(script);
    // An answer ends the wait long before the timeout; a greeting does not.
    const options = { protocol, timeoutMs: script === greet ? SHORT_TIMEOUT_MS : 600_000 };
    const start = () => preflight(server.url, PING, options);
    return (await assertRejects(start, TargetUnusableError)).message;
  };
  const repeat: Script = (peer, _message, text) => peer.send(text);
  const repeated = await message(repeat, mcp);
  assertStringIncludes(
    repeated,
    "The server answered the handshake, but with an echo of what this client sent: {",
  );
  assertStringIncludes(repeated, "--protocol echo");
  const asText: Script = (peer, _message, text) => {
    const { id }: McpMessage = JSON.parse(text);
    peer.send({ jsonrpc: "2.0", id: `${id}`, result: { protocolVersion: "2025-06-18" } });
  };
  assertStringIncludes(
    await message(asText, mcp),
    "but with another id than the 1 that was sent: {",
  );
  const greeted = await message(greet, mcp);
  assertStringIncludes(greeted, ", only an unrelated frame: hello xxx");
  assert(greeted.length < 400, greeted);
});

Deno.test("wrong answers that go on do not prolong the handshake", { ignore }, async () => {
  for (const [answer, why] of [[null, "an echo"], [{ op: "hello_ack" }, "refused"]] as const) {
    using timers = new DisposableStack();
    let isOver = false;
    await using server = startScriptedServer((peer, _, text) => {
      const send = () => peer.send(answer ?? text);
      timers.adopt(setInterval(() => isOver || send(), SHORT_TIMEOUT_MS / 4), clearInterval);
    });
    using target = targetAt(server.url, { timeoutMs: SHORT_TIMEOUT_MS });
    timers.adopt(setTimeout(() => isOver = true, 40 * SHORT_TIMEOUT_MS), clearTimeout);
    const { message } = await assertRejects(() => target.connect(openLedger()), ConnectError);
    assertStringIncludes(message, why);
    assert(!isOver, "the handshake went on as long as the answers");
  }
});

Deno.test("an echo of a ping is neither answered nor served", { ignore }, async () => {
  const heard: string[] = [];
  await using server = startScriptedServer(speakMcp((peer, { method }, text) => {
    heard.push(method ?? "an answer");
    // Echoes the cancellation too.
    peer.send(text);
  }));
  const ledger = await account(server.url, { calls: 2 });
  assertEquals(heard, ["ping", "notifications/cancelled", "ping", "notifications/cancelled"]);
  assertEquals(
    countsOf(ledger),
    ledgerWith({ sent: 2, timeout: 2, frames: { received: 4, malformed: 4 } }),
  );
  assertStringIncludes(ledger.firstStrays!.malformed!, "an echo of what this client sent: {");
});

Deno.test("a server's request may have the id of a call in flight", { ignore }, async () => {
  await using server = startScriptedServer(speakMcp((peer, { id, method }) => {
    if (method !== "ping") return;
    peer.send({ jsonrpc: "2.0", id, method: "roots/list" });
    peer.send({ jsonrpc: "2.0", id, result: {} });
  }));
  const { ok, frames } = await account(server.url);
  assertEquals([ok, frames.progress, frames.malformed], [1, 1, 0]);
});

Deno.test("the echo of an answer is not the reply to the call of its id", { ignore }, async () => {
  // Pings with the id of the next call, and echoes the answer while that call waits.
  const held: string[] = [];
  await using server = startScriptedServer(speakMcp((peer, { id, method }, text) => {
    if (method === undefined) return void held.push(text);
    if (method !== "ping") return;
    for (const one of held.splice(0)) return peer.send(one);
    peer.send({ jsonrpc: "2.0", id: id! + 1, method: "ping" });
    setTimeout(() => peer.send({ jsonrpc: "2.0", id, result: {} }), 20);
  }));
  const ledger = await account(server.url, { calls: 2 });
  assertEquals([ledger.ok, ledger.timeout, ledger.frames.malformed], [1, 1, 1]);
});

Deno.test("a batch is unpacked if the revision has batches", { ignore }, async () => {
  const batching = speakMcp((peer, { id, method }) => {
    if (method !== "tools/call") return;
    peer.send([
      { jsonrpc: "2.0", method: "notifications/message", params: {} },
      { jsonrpc: "2.0", id, result: CONTENT },
      [],
    ]);
  }, { version: "2025-03-26" });
  await using server = startScriptedServer(batching);
  assertEquals(
    countsOf(await account(server.url, { calls: 3, message: ECHO_TOOL })),
    ledgerWith({ sent: 3, ok: 3, frames: { received: 9, final: 3, progress: 3, malformed: 3 } }),
  );
});

Deno.test("a call that timed out is cancelled by its id", { ignore }, async () => {
  const cancelled: unknown[] = [];
  await using server = startScriptedServer(speakMcp((_peer, { method, params }) => {
    if (method === "notifications/cancelled") cancelled.push(params!.requestId);
  }));
  const { timeout } = await account(server.url, { calls: 2 });
  assertEquals([timeout, cancelled], [2, [11, 12]]);
});

/** An MCP server that lists one tool per page, up to page `last`. */
function paged(last: number, asked: unknown[]): Script {
  return (peer, _message, text) => {
    const { id, method, params }: McpMessage = JSON.parse(text);
    const reply = (result: object) => peer.send({ jsonrpc: "2.0", id, result });
    if (method === "initialize") {
      return reply({ protocolVersion: "2025-06-18", capabilities: { tools: {} } });
    }
    if (method === "tools/call") return reply(CONTENT);
    if (method !== "tools/list") return;
    asked.push(id);
    const nth = Number(params!.cursor ?? 1);
    reply({ tools: [{ name: `tool-${nth}` }], ...nth < last ? { nextCursor: `${nth + 1}` } : {} });
  };
}

Deno.test("a tool on any page of the list is known; others end the run", { ignore }, async () => {
  const asked: unknown[] = [];
  await using server = startScriptedServer(paged(3, asked));
  const { checks, warnings } = await preflight(server.url, { tool: "tool-3", argsJson: "{}" });
  assertEquals([warnings, asked, checks[2]!.observed], [[], [2, 3, 4], "3 tools"]);
  const { message } = await assertRejects(
    () => preflight(server.url, { tool: "tool-4", argsJson: "{}" }),
    TargetUnusableError,
  );
  assertStringIncludes(message, "The server has no tool tool-4 (although a call of it succeeds)");
  assertStringIncludes(message, "closest of the 3 that it offers: tool-");
});

Deno.test("a list that never ends is not read forever", { ignore }, async () => {
  const asked: unknown[] = [];
  await using server = startScriptedServer(paged(Infinity, asked));
  await preflight(server.url, { tool: "tool-5", argsJson: "{}" });
  assertEquals(asked.length, 100);
});

Deno.test("a server that declares no tools is not asked for them", { ignore }, async () => {
  const heard: unknown[] = [];
  await using server = startScriptedServer((peer, _message, text) => {
    const { id, method }: McpMessage = JSON.parse(text);
    heard.push(method);
    const result = method === "initialize"
      ? { protocolVersion: "2025-06-18", capabilities: {} }
      : {};
    if (id !== undefined) peer.send({ jsonrpc: "2.0", id, result });
  });
  const { warnings, checks } = await preflight(server.url, PING);
  assertEquals([warnings, checks.length, heard.includes("tools/list")], [[], 3, false]);
});

Deno.test("a tool that exai does not list ends the run even if served", { ignore }, async () => {
  await using server = startScriptedServer(answerSoundly);
  const exai = { protocol: targetAt(server.url).options.protocol };
  await preflight(server.url, { tool: "status_EXAI-WS", argsJson: "{}" }, exai);
  for (const tool of ["statusx", "status_EXAI-WS-VSCode1"]) {
    const { message } = await assertRejects(
      () => preflight(server.url, { tool, argsJson: "{}" }, exai),
      TargetUnusableError,
    );
    assertStringIncludes(message, `The server has no tool ${tool} (although a call`);
  }
});

Deno.test("an echo server's greeting is a notification, or is ignored", { ignore }, async () => {
  const greet = (peer: ScriptedPeer) => peer.send("hello from lab");
  await using server = startScriptedServer((peer, _message, text) => peer.send(text), greet);
  const options = { protocol: echo, calls: 2, message: ECHO_TOOL, timeoutMs: 10_000 };
  assertEquals(
    countsOf(await account(server.url, options)),
    ledgerWith({ sent: 2, ok: 2, frames: { received: 3, final: 2, progress: 1 } }),
  );
  assertEquals(
    await account(server.url, { ...options, ignoreFirst: 1 }),
    ledgerWith({ sent: 2, ok: 2, frames: { received: 2, final: 2 } }),
  );
  await using greeter = startScriptedServer(() => {}, greet);
  const { message } = await assertRejects(
    () => preflight(greeter.url, ECHO_TOOL, { protocol: echo, timeoutMs: SHORT_TIMEOUT_MS }),
    TargetUnusableError,
  );
  assertStringIncludes(message, "but with a frame that has nothing of its call: hello from lab");
  assertStringIncludes(message, "--ignore-first");
});

Deno.test("text in binary frames is read, other bytes are reported", { ignore }, async () => {
  const bytes = (frame: object) => new TextEncoder().encode(JSON.stringify(frame));
  await using utf8 = startScriptedServer(speakMcp((peer, { id, method }) => {
    if (method === "ping") peer.send(bytes({ jsonrpc: "2.0", id, result: { "ü": 1 } }));
  }));
  assertEquals((await account(utf8.url)).ok, 1);
  await using other = startScriptedServer(speakMcp((peer, { method }) => {
    if (method === "ping") peer.send(new Uint8Array([255, 254]));
  }));
  const ledger = await account(other.url);
  assertEquals(ledger.firstStrays, { malformed: "a binary frame that is not UTF-8" });
});

Deno.test("the first message of each error is kept, masked and cut", { ignore }, async () => {
  const errors = [
    { code: "INTERNAL_ERROR", message: `Tool execution failed for ${TOKEN}` },
    { code: "INTERNAL_ERROR", message: "Something else" },
    { code: "toString", message: "x".repeat(20_000_000) },
    { code: "EMPTY" },
  ];
  let nth = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "hello") return peer.send(HELLO_ACK);
    const error = errors[nth++];
    // Without an id, because only one call is outstanding.
    if (error !== undefined) return peer.send({ error });
    peer.send({
      op: "call_tool_res",
      request_id: `${TOKEN}-1`,
      outputs: [`${TOKEN} ${" \u001b".repeat(3e6)}`],
    });
    answerSoundly(peer, message);
  });
  using target = targetAt(server.url);
  const ledger = openLedger();
  {
    await using connection = await target.connect(ledger);
    for (const { code } of errors) {
      const { status, errorCode, errorMessage } = await connection.call(STATUS);
      assertEquals([status, errorCode], ["toolError", code]);
      assert(errorMessage.length < 200 && !errorMessage.includes(TOKEN));
    }
    assertEquals((await connection.call(STATUS)).status, "ok");
  }
  const { errorCodes, errorMessages, firstStrays } = settleLedger(ledger, true);
  assertEquals(errorCodes, { INTERNAL_ERROR: 2, toString: 1, EMPTY: 1 });
  assertEquals(Object.keys(errorMessages!), ["INTERNAL_ERROR", "toString"]);
  assertEquals(errorMessages!.INTERNAL_ERROR, "Tool execution failed for ***");
  assertEquals(errorMessages!.toString, `${"x".repeat(160)}…` as never);
  assertStringIncludes(firstStrays!.orphan!, "the id ***-1; the only call outstanding is");
  const written = JSON.stringify([errorMessages, firstStrays]);
  assert(written.length < 2_000 && !written.includes(TOKEN), written.slice(0, 3_000));
});
