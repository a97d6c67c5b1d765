import { assertEquals } from "@std/assert";
import type { Frame } from "../../lib/protocols/protocol.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { ECHO } from "../../lib/protocols/json.ts";

/** An id of this client: a number on the wire. */
const id = "1234567";
const result = (of: string): Frame => ({ kind: "result", id: of, fromCache: false });
const bare = (of: string): Frame => ({ kind: "result", id: of, fromCache: false, isBare: true });
const malformed = (reason: string): Frame => ({ kind: "malformed", id: null, reason });
const notification = (of: string | null = null, answer: object | null = null): Frame => ({
  kind: "notification",
  id: of,
  answer: answer === null ? null : JSON.stringify(answer),
});
const ping = (of: string, answer: object): Frame => ({
  kind: "notification",
  id: of,
  answer: JSON.stringify(answer),
  canBeCall: true,
});
const toolError = (of: string | null, code: string, message: string): Frame => (
  { kind: "toolError", id: of, code, message }
);
const rpc = (fields: object) => ({ jsonrpc: "2.0", ...fields });
const content = [{ type: "text", text: "Echo: hi" }];
const methodNotFound = { error: { code: -32601, message: "Method not found" } };
/** How this client answers requests of a server. */
const pong = { result: { _meta: { from: "exai-ws-bench" } } };
const refusal = { error: { ...methodNotFound.error, data: "exai-ws-bench" } };

/** Name, frame and classification. */
const FRAMES: [string, unknown, Frame][] = [
  ["the answer to a ping", rpc({ id: 1234567, result: {} }), bare(id)],
  ["a tool's result", rpc({ id: 1234567, result: { content } }), result(id)],
  ["isError of false", rpc({ id: 1234567, result: { content, isError: false } }), result(id)],
  ["an id that is text", rpc({ id: "a-1", result: {} }), bare("a-1")],
  ["a number sent back as text, which is another id", rpc({ id, result: {} }), bare(`"${id}"`)],
  ["an id of zero, which belongs to no call", rpc({ id: 0, result: {} }), bare("(number)")],
  [
    "a fraction as the id, which belongs to no call",
    rpc({ id: 1.5, result: {} }),
    bare("(number)"),
  ],
  [
    "an object as the id, which belongs to no call",
    rpc({ id: { toString: 1 }, result: {} }),
    bare("(object)"),
  ],
  ["a result with a null error", rpc({ id: 1234567, result: {}, error: null }), bare(id)],
  [
    "a tool's error",
    rpc({ id: 1234567, result: { content, isError: true } }),
    toolError(id, "TOOL_ERROR", "Echo: hi"),
  ],
  [
    "a tool's error without text",
    rpc({ id: 1234567, result: { content: [{ type: "image" }], isError: true } }),
    toolError(id, "TOOL_ERROR", ""),
  ],
  [
    "a JSON-RPC error",
    rpc({ id: 1234567, ...methodNotFound }),
    toolError(id, "-32601", "Method not found"),
  ],
  [
    "a parse error, whose id is null",
    rpc({ id: null, error: { code: -32700, message: "Parse error" } }),
    toolError(null, "-32700", "Parse error"),
  ],
  [
    "an error without an id",
    rpc({ error: { code: -32600, message: "Invalid Request" } }),
    toolError(null, "-32600", "Invalid Request"),
  ],
  [
    "an error with a result, which is not a success",
    rpc({ id: 1234567, result: {}, error: { code: 1, message: "no" } }),
    toolError(id, "1", "no"),
  ],
  [
    "an error without code or message",
    rpc({ id: 1234567, error: {} }),
    toolError(id, "UNKNOWN", ""),
  ],
  [
    "a code that String() throws on",
    rpc({ id: 1234567, error: { code: { toString: 1 }, message: 5 } }),
    toolError(id, "(object)", ""),
  ],
  [
    "a rate limit",
    rpc({ id: 1234567, error: { code: 429, message: "slow down" } }),
    { kind: "rateLimited", id, code: "429", message: "slow down" },
  ],
  [
    "a rate limit without an id",
    rpc({ id: null, error: { code: -32029, message: "Too many requests" } }),
    { kind: "rateLimited", id: null, code: "-32029", message: "Too many requests" },
  ],
  [
    "progress",
    rpc({ method: "notifications/progress", params: { progressToken: 1234567, progress: 1 } }),
    notification(),
  ],
  ["a log message", rpc({ method: "notifications/message", params: {} }), notification()],
  ["a changed list", rpc({ method: "notifications/tools/list_changed" }), notification()],
  [
    "a notification with the id null",
    rpc({ method: "notifications/message", id: null }),
    notification(),
  ],
  [
    "a ping, answered",
    rpc({ id: 0, method: "ping" }),
    ping("(number)", rpc({ id: 0, ...pong })),
  ],
  [
    "a ping with a text id, which is kept in the answer",
    rpc({ id: '7"', method: "ping" }),
    ping('7"', rpc({ id: '7"', ...pong })),
  ],
  [
    "a request for roots, which are not offered",
    rpc({ id: 1234567, method: "roots/list" }),
    notification(id, rpc({ id: 1234567, ...refusal })),
  ],
  [
    "a request to sample, which is not offered",
    rpc({ id: 3, method: "sampling/createMessage", params: { messages: [] } }),
    notification("3", rpc({ id: 3, ...refusal })),
  ],
  ["a batch", [rpc({ id: 1234567, result: {} })], malformed("several JSON values, in an array")],
  [
    "a result with an id of null",
    rpc({ id: null, result: {} }),
    malformed("a result without an id"),
  ],
  ["a result without an id", rpc({ result: {} }), malformed("a result without an id")],
  [
    "a result that is not an object",
    rpc({ id: 1234567, result: "ok" }),
    malformed("a result that is not an object"),
  ],
  [
    "an id alone",
    rpc({ id: 1234567 }),
    malformed("a message with neither result, error nor method"),
  ],
  [
    "an error that is a string",
    rpc({ id: 1234567, error: "no", result: {} }),
    malformed("an error that is not an object"),
  ],
  ["null", null, malformed("JSON that is not an object")],
  ["a string", "ok", malformed("JSON that is not an object")],
];

for (const [name, frame, expected] of FRAMES) {
  Deno.test(`mcp recognises ${name}`, () => {
    assertEquals(mcp.classify(JSON.stringify(frame)), expected);
  });
}

Deno.test("mcp classifies text that is not JSON as malformed", () => {
  for (const text of ["", "nope", "{", "[".repeat(100_000), "\u0000"]) {
    assertEquals(mcp.classify(text).kind, "malformed", text.slice(0, 20));
  }
});

Deno.test("mcp calls a tool by its name, and ping by its own method", () => {
  assertEquals(JSON.parse(mcp.encodeCall(id, "echo", '{"message":"hi"}')), {
    jsonrpc: "2.0",
    id: 1234567,
    method: "tools/call",
    params: { name: "echo", arguments: { message: "hi" } },
  });
  assertEquals(JSON.parse(mcp.encodeCall(id, "ping", '{"n":1}')), {
    jsonrpc: "2.0",
    id: 1234567,
    method: "ping",
    params: {},
  });
});

Deno.test("mcp's own requests have distinct ids below those of calls", () => {
  const ids = [...mcp.open({ sessionId: "s", token: null }).send, mcp.encodeListTools("s-list")!]
    .map((text) => JSON.parse(text).id);
  assertEquals(ids, [1, 2]);
});

Deno.test("mcp initialises without the token, and confirms once accepted", () => {
  const { send, read } = mcp.open({ sessionId: "s-1", token: "the-real-token-0123" });
  assertEquals(send.length, 1);
  assertEquals(send[0]!.includes("the-real-token"), false);
  const { method, params } = JSON.parse(send[0]!);
  assertEquals([method, params.protocolVersion], ["initialize", "2025-11-25"]);
  assertEquals(params.capabilities, {});
  const sessions = [
    ["2025-06-18", {}, { batches: false, tools: false }],
    ["2025-03-26", { tools: {} }, { batches: true, tools: true }],
  ] as const;
  for (const [protocolVersion, capabilities, session] of sessions) {
    const result = { protocolVersion, capabilities };
    assertEquals(read!(JSON.stringify(rpc({ id: 1, result }))), {
      status: "accepted",
      send: ['{"jsonrpc":"2.0","method":"notifications/initialized"}'],
      session,
    });
  }
});

Deno.test("mcp refuses an unknown revision, and reports a server's refusal", () => {
  const { read } = mcp.open({ sessionId: "s-1", token: null });
  const known = "2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05";
  const cases: [object, string][] = [
    [
      { id: 1, result: { protocolVersion: "1999-01-01" } },
      `the server's protocol version is 1999-01-01, not one of ${known}`,
    ],
    [{ id: 1, result: {} }, `the server's protocol version is none, not one of ${known}`],
    [{ id: 1, error: { code: -32602, message: "Unsupported" } }, "Unsupported"],
    [{ id: 1, error: { message: { toString: 1 } } }, "(object)"],
    [{ id: 1, error: "no" }, "no reason given"],
    [{ id: null, error: { code: -32700, message: "Parse error" } }, "Parse error"],
  ];
  for (const [fields, error] of cases) {
    assertEquals(read!(JSON.stringify(rpc(fields))), {
      status: "refused",
      error,
      ...(error.startsWith("the server's protocol version") ? { ours: true } : {}),
    });
  }
});

Deno.test("mcp's handshake ignores other frames, and answers a ping in the meantime", () => {
  const { read } = mcp.open({ sessionId: "s-1", token: null });
  const version = { protocolVersion: "2025-11-25" };
  for (const other of [7, "1", null]) {
    assertEquals(read!(JSON.stringify(rpc({ id: other, result: version }))), {
      status: "ignored",
      reason: "another id than the 1 that was sent",
    });
  }
  assertEquals(read!(JSON.stringify([rpc({ id: 1, result: version })])), {
    status: "ignored",
    reason: "several JSON values, in an array",
  });
  const foreign = [rpc({ id: 7, result: {} }), rpc({ method: "notifications/message" }), [], null];
  for (const frame of foreign) assertEquals(read!(JSON.stringify(frame)), { status: "ignored" });
  assertEquals(read!("not JSON"), { status: "ignored" });
  assertEquals(read!(JSON.stringify(rpc({ id: 1, method: "ping" }))), {
    status: "ignored",
    send: [JSON.stringify(rpc({ id: 1, ...pong }))],
  });
});

Deno.test("mcp never takes its own messages for an answer", () => {
  const { send, read } = mcp.open({ sessionId: "s-1", token: null });
  assertEquals(read!(send[0]!), { status: "ignored", reason: ECHO });
  const answers = ["ping", "roots/list"].map((method) => {
    const frame = mcp.classify(JSON.stringify(rpc({ id: 1234567, method })));
    return frame.kind === "notification" ? frame.answer! : "";
  });
  const sent = [
    ...[...send, ...answers, mcp.encodeCancel!(id), mcp.encodeListTools("l")!],
    mcp.encodeCall(id, "echo", "{}"),
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  ];
  for (const text of sent) assertEquals(mcp.classify(text), malformed(ECHO), text);
  // A ping can be the server's own, so it is up to the caller, who knows the ids of its calls.
  assertEquals(mcp.classify(mcp.encodeCall(id, "ping", "{}")).id, id);
});

Deno.test("mcp cancels a call by its id", () => {
  const { id: none, method, params } = JSON.parse(mcp.encodeCancel!(id));
  assertEquals([none, method, params.requestId], [undefined, "notifications/cancelled", 1234567]);
});

Deno.test("mcp requests each page of the list of tools", () => {
  const page = (result: object) => mcp.readTools(JSON.stringify(rpc({ id: 2, result })))?.cursor;
  assertEquals(page({ tools: [], nextCursor: "b" }), "b");
  assertEquals(page({ tools: [], nextCursor: 5 }), null);
  const { id: second, params } = JSON.parse(mcp.encodeListTools("l", { nth: 1, cursor: "b" })!);
  assertEquals([second, params], [3, { cursor: "b" }]);
});

Deno.test("several values in one frame are reported as such", () => {
  const one = JSON.stringify(rpc({ id: 1234567, result: {} }));
  assertEquals(mcp.classify(`${one}\n${one}`), malformed("several JSON values, one on each line"));
  assertEquals(mcp.classify(`hello\n${one}`), malformed("text that is not JSON"));
  assertEquals(mcp.unbatch!(`[${one},5]`), [one, "5"]);
  assertEquals([mcp.unbatch!(one), mcp.unbatch!("[]")], [null, null]);
});

Deno.test("mcp reads the tool names of a list, and skips invalid entries", () => {
  const read = (value: unknown) =>
    mcp.readTools(JSON.stringify(value))?.tools.map(({ name }) => name) ?? null;
  const tools = [{ name: "echo" }, { name: 5 }, null, "x", {}, { name: "get-sum" }];
  assertEquals(read(rpc({ id: 2, result: { tools } })), ["echo", "get-sum"]);
  assertEquals(read(rpc({ id: 2, result: { tools: {} } })), null);
  assertEquals(read(rpc({ id: 2, result: {} })), null);
  assertEquals(mcp.readTools("not JSON"), null);
});

Deno.test("mcp has no rejections and no advice on names", () => {
  assertEquals(mcp.rejections({ sessionId: "s", token: "t" }), []);
  assertEquals(mcp.toolNameAdvice("echo_EXAI-WS-VSCode1"), null);
});
