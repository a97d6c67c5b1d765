import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { TargetOptions } from "../../lib/client/target.ts";
import { PROTOCOLS } from "../../lib/protocols/mod.ts";
import { runPreflight } from "../../lib/run/preflight.ts";
import { TargetUnusableError } from "../../lib/run/scenario.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import { freePort } from "../support/peer_process.ts";
import { startReference } from "../support/run_scenarios.ts";
import { readAll, startTcp } from "../support/raw_server.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore, SHORT_TIMEOUT_MS, targetAt, TOKEN } from "../support/targets.ts";

interface PreflightOptions extends Partial<TargetOptions> {
  tool?: string;
  argsJson?: string;
}

async function preflight(url: string, options: PreflightOptions = {}) {
  const { tool = "status", argsJson = "{}", ...rest } = options;
  using target = targetAt(url, rest);
  return await runPreflight(target, createWorkload(tool, { argsJson, payloadBytes: 0 }));
}

/** Asserts that the preflight fails with one message that has all the parts, and not the token. */
async function assertUnusable(
  url: string,
  parts: string[],
  options: PreflightOptions = {},
): Promise<void> {
  const { message } = await assertRejects(() => preflight(url, options), TargetUnusableError);
  for (const part of parts) assertStringIncludes(message, part);
  assertEquals(message.includes(TOKEN), false);
}

async function answerGarbage(conn: Deno.Conn): Promise<void> {
  await conn.read(new Uint8Array(4096));
  await conn.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9.6\r\n"));
  await readAll(conn);
}

Deno.test("preflight: a sound server passes in both dialects", { ignore }, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({ dialect });
    const { checks, warnings } = await preflight(server.url);
    assertEquals(checks.map(({ name, passed }) => [name, passed]), [
      ["connected", true],
      ["session opened", true],
      ["tools listed", true],
      ["tool answers", true],
    ]);
    assertEquals([warnings, checks[2]!.observed], [[], "7 tools"]);
    assertEquals([server.stats().callsReceived, server.stats().callsServed], [1, 1]);
  }
});

Deno.test("preflight: a server can serve tools it does not list", { ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "list_tools") return answerSoundly(peer, message);
    peer.send({ op: "list_tools_res", tools: [] });
  });
  const { checks, warnings } = await preflight(server.url);
  assertEquals(warnings, ["the server lists no tools"]);
  assertEquals(checks.map(({ name }) => name), ["connected", "session opened", "tool answers"]);
});

Deno.test("preflight: connection refused", { ignore }, async () => {
  const port = freePort();
  await assertUnusable(`ws://127.0.0.1:${port}`, [
    `Cannot connect to ws://127.0.0.1:${port}: connection refused. `,
    "Is the server running there?",
    "--url",
    "EXAI_WS_URL",
  ]);
});

Deno.test("preflight: unknown host", { ignore }, async () => {
  await assertUnusable("ws://no-such-host.invalid:8079", [
    "Cannot find the host of ws://no-such-host.invalid:8079",
    "typo",
  ]);
});

for (
  const [status, remedy] of [
    [401, "--header"],
    [403, "--header"],
    [404, "path in the URL"],
    [426, "drop the upgrade"],
    [503, "overloaded"],
  ] as const
) {
  Deno.test(`preflight: the upgrade is refused with ${status}`, { ignore }, async () => {
    await using server = await startFaultyServer({
      handshakes: () => ({ kind: "httpStatus", status }),
    });
    await assertUnusable(`${server.url}/?key=secret`, [`HTTP ${status}`, remedy, "?***"]);
  });
}

Deno.test("preflight: the answer is not HTTP", { ignore }, async () => {
  await using server = startTcp(answerGarbage);
  await assertUnusable(`ws://127.0.0.1:${server.port}`, [
    "Cannot open a WebSocket at",
    "not a WebSocket server",
    "port",
  ]);
});

Deno.test("preflight: a server that accepts and says nothing", { ignore }, async () => {
  await using server = startTcp(readAll);
  await assertUnusable(`ws://127.0.0.1:${server.port}`, [
    "within 0.2 s",
    "firewall",
    "--timeout",
  ], { timeoutMs: SHORT_TIMEOUT_MS });
});

Deno.test("preflight: wss:// to a server without TLS", { ignore }, async () => {
  await using plain = await startReference();
  await using garbage = startTcp(answerGarbage);
  for (const { port } of [plain, garbage]) {
    await assertUnusable(`wss://127.0.0.1:${port}`, [
      "Cannot set up TLS",
      `Use ws:// instead of wss://: ws://127.0.0.1:${port}`,
    ]);
  }
});

Deno.test("preflight: hello is never answered", { ignore }, async () => {
  await using server = await startFaultyServer({ handshakes: () => ({ kind: "noHelloAck" }) });
  await assertUnusable(server.url, [
    "No answer to the handshake within 0.2 s",
    "--protocol",
    "--timeout",
  ], { timeoutMs: SHORT_TIMEOUT_MS });
});

Deno.test("preflight: hello is answered by a close", { ignore }, async () => {
  await using server = startScriptedServer((peer) => peer.close(1000));
  await assertUnusable(server.url, ["closed with 1000", "no reason given", "--protocol"]);
});

Deno.test("preflight: a server of another protocol", { ignore }, async () => {
  await using server = await startReference();
  for (const protocol of [PROTOCOLS.echo, PROTOCOLS.jsonrpc]) {
    await assertUnusable(server.url, [
      "closed the connection on a call of status",
      "close 4001 missing hello",
      "Is it a server of another --protocol?",
    ], { protocol });
  }
  await using echo = startScriptedServer((peer, _message, text) => peer.send(text));
  await assertUnusable(echo.url, [
    "The server answered a call of status, but with an echo of what this client sent",
    "This looks like an echo server: use --protocol echo.",
  ], { protocol: PROTOCOLS.jsonrpc });
});

Deno.test("preflight: unauthorized, with a token and without", { ignore }, async () => {
  await using server = await startReference();
  await assertUnusable(
    server.url,
    ["4003", "unauthorized", "The token given is not the server's"],
    { token: "another-token-0123456789" },
  );
  await assertUnusable(server.url, ["4003", "unauthorized", "Give its token in EXAI_WS_TOKEN"], {
    token: null,
  });
});

Deno.test("preflight: the connection limit is reached", { ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 1 } });
  using target = targetAt(server.url);
  const socket = await target.dial();
  await assertUnusable(server.url, [
    "1008",
    "Too many connections from your IP (1/1)",
    "Close other",
  ]);
  await socket.close();
});

Deno.test("preflight: an unknown tool in both dialects", { ignore }, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({ dialect });
    await assertUnusable(server.url, [
      "The server has no tool status_EXAI-WS-VSCode1",
      "TOOL_NOT_FOUND",
      "closest of the 7 that it offers: status",
      "the server strips a trailing -EXAI-WS, not -EXAI-WS-VSCode1: try status",
    ], { tool: "status_EXAI-WS-VSCode1" });
    await assertUnusable(server.url, ["no tool statsu", "it offers: status,"], { tool: "statsu" });
  }
});

Deno.test("preflight: a tool name with a suffix the server strips passes", { ignore }, async () => {
  await using server = await startReference();
  await preflight(server.url, { tool: "status-EXAI-WS" });
});

Deno.test("preflight: a tool that always errors", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "toolError" }) });
  await assertUnusable(server.url, [
    "answers a call of status with an error (INTERNAL_ERROR: the tool raised)",
    "--tool-args",
  ]);
});

Deno.test("preflight: wrong arguments do not pass for an unknown tool", { ignore }, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({ dialect });
    for (const tool of ["chat", "chat-EXAI-WS"]) {
      const parts = [`answers a call of ${tool} with an error`, "--tool-args"];
      await assertUnusable(server.url, parts, { tool, argsJson: `{"prompt":5}` });
    }
  }
});

Deno.test("preflight: a tool that never answers", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "silent" }) });
  await assertUnusable(server.url, ["did not answer a call of status within 0.2 s", "--timeout"], {
    timeoutMs: SHORT_TIMEOUT_MS,
  });
});

Deno.test("preflight: a server that closes on the call", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: () => ({ kind: "closeHalfway", code: 1011 }),
  });
  await assertUnusable(server.url, [
    "closed the connection on a call of status",
    "Is it a server of another --protocol? If not, try another --tool.",
  ]);
});

Deno.test("preflight: a rate limit that refuses the first call", { ignore }, async () => {
  // list_tools takes the only token.
  const rate = { capacity: 1, refillPerSecond: 0.001 };
  await using server = await startReference({ limits: { userRate: rate, ipRate: rate } });
  await assertUnusable(server.url, [
    "rate limit per address, which all clients of the address share, is used up",
    "Rate limit exceeded: ip_rate_limit_exceeded",
    "Run again when it has refilled",
    "RATE_LIMIT_IP_CAPACITY",
  ]);
});

Deno.test("preflight: only warns if a server does not list its tools", { ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "list_tools") answerSoundly(peer, message);
  });
  const { checks, warnings } = await preflight(server.url);
  assertEquals(warnings, ["the server did not list its tools within 1 s"]);
  assertEquals(checks.map(({ name }) => name), ["connected", "session opened", "tool answers"]);
});

Deno.test("preflight: only warns if a server closes on list_tools", { ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "list_tools") peer.cut();
    else answerSoundly(peer, message);
  });
  assertEquals((await preflight(server.url)).warnings, [
    "the server closed the connection instead of listing its tools",
  ]);
});

Deno.test("preflight: an interrupt ends it with the interrupt's reason", { ignore }, async () => {
  for (const stage of ["hello", "list_tools", "call_tool"]) {
    const controller = new AbortController();
    await using server = startScriptedServer((peer, message) => {
      if (message?.op === stage) controller.abort(new Error(`interrupted at ${stage}`));
      else answerSoundly(peer, message);
    });
    await assertRejects(
      () => preflight(server.url, { signal: controller.signal, timeoutMs: 60_000 }),
      Error,
      `interrupted at ${stage}`,
    );
  }
});
