import { assertEquals, assertThrows } from "@std/assert";
import type { Frame } from "../../lib/protocols/protocol.ts";
import { exai } from "../../lib/protocols/exai.ts";

const outputs = [{ type: "text", text: "fine" }];
const id = "r1";
const result = (fromCache = false): Frame => ({ kind: "result", id, fromCache });
const malformed = (reason: string): Frame => ({ kind: "malformed", id: null, reason });

/** Name, frame and classification of the replies in the protocol's tables. */
const REPLIES: [string, unknown, Frame][] = [
  [
    "oct's stream_complete",
    { op: "stream_complete", request_id: id, timestamp: "…" },
    { kind: "progress", id, streamComplete: true },
  ],
  [
    "progress of a long call",
    { op: "progress", request_id: id },
    { kind: "progress", id, streamComplete: false },
  ],
  ["oct's result", { op: "call_tool_res", request_id: id, ok: true, outputs }, result()],
  ["nov's result, without ok", { op: "call_tool_res", request_id: id, outputs }, result()],
  [
    "nov's result from its cache",
    { op: "call_tool_res", request_id: id, outputs, from_cache: true },
    result(true),
  ],
  [
    "a from_cache of false",
    { op: "call_tool_res", request_id: id, outputs, from_cache: false },
    result(),
  ],
  [
    "outputs with a null error",
    { op: "call_tool_res", request_id: id, outputs, error: null },
    result(),
  ],
  [
    "oct's unknown tool",
    {
      op: "call_tool_res",
      request_id: id,
      error: {
        code: "TOOL_NOT_FOUND",
        message: "Unknown tool: x",
        details: { requested_tool: "x" },
      },
    },
    { kind: "toolError", id, code: "TOOL_NOT_FOUND", message: "Unknown tool: x" },
  ],
  [
    "nov's unknown tool, with neither op nor id",
    { error: { code: "TOOL_NOT_FOUND", message: "Tool not found: x" } },
    { kind: "toolError", id: null, code: "TOOL_NOT_FOUND", message: "Tool not found: x" },
  ],
  [
    "arguments that are not an object",
    {
      op: "call_tool_res",
      request_id: id,
      error: {
        code: "INVALID_REQUEST",
        message: "Invalid message: arguments must be a JSON object",
      },
    },
    {
      kind: "toolError",
      id,
      code: "INVALID_REQUEST",
      message: "Invalid message: arguments must be a JSON object",
    },
  ],
  [
    "invalid JSON later on",
    { op: "error", error: { code: "VALIDATION_ERROR", message: "Invalid JSON" } },
    { kind: "toolError", id: null, code: "VALIDATION_ERROR", message: "Invalid JSON" },
  ],
  [
    "oct's rate limit, without an id",
    {
      op: "error",
      error: {
        code: "OVER_CAPACITY",
        message: "Rate limit exceeded",
        details: { client_ip: "::1" },
      },
    },
    { kind: "rateLimited", id: null, code: "OVER_CAPACITY", message: "Rate limit exceeded" },
  ],
  [
    "nov's rate limit, with an id",
    {
      op: "error",
      request_id: id,
      error: { code: "OVER_CAPACITY", message: "Rate limit exceeded" },
    },
    { kind: "rateLimited", id, code: "OVER_CAPACITY", message: "Rate limit exceeded" },
  ],
  [
    "a call that is already in flight",
    { op: "call_tool_res", request_id: id, error: { code: "OVER_CAPACITY", message: "already" } },
    { kind: "rateLimited", id, code: "OVER_CAPACITY", message: "already" },
  ],
  [
    "a code of 429",
    { op: "call_tool_res", request_id: id, error: { code: 429, message: "slow down" } },
    { kind: "rateLimited", id, code: "429", message: "slow down" },
  ],
  [
    "ok: false without an error",
    { op: "call_tool_res", request_id: id, ok: false, outputs },
    { kind: "toolError", id, code: "UNKNOWN", message: "ok is false" },
  ],
  [
    "an error without code or message",
    { op: "call_tool_res", request_id: id, error: {} },
    { kind: "toolError", id, code: "UNKNOWN", message: "" },
  ],
  [
    "an error with a code of __proto__",
    JSON.parse(`{"op":"error","error":{"code":"__proto__","message":5}}`),
    { kind: "toolError", id: null, code: "__proto__", message: "" },
  ],
  [
    "a code that String() throws on",
    { op: "error", error: { code: { toString: 1 } } },
    { kind: "toolError", id: null, code: "(object)", message: "" },
  ],
  [
    "a numeric id, which belongs to no call, not even the only one outstanding",
    { op: "call_tool_res", request_id: 1, outputs },
    { kind: "result", id: "1", fromCache: false },
  ],
  [
    "an id that is an object",
    { op: "call_tool_res", request_id: { toString: 1 }, outputs },
    { kind: "result", id: "(object)", fromCache: false },
  ],
  [
    "an id of null",
    { op: "call_tool_res", request_id: null, outputs },
    { kind: "result", id: null, fromCache: false },
  ],
  [
    "a result without outputs",
    { op: "call_tool_res", request_id: id, ok: true },
    malformed("a call_tool_res without outputs or error"),
  ],
  [
    "an error that is a string",
    { op: "error", error: "no" },
    malformed("an error that is not an object"),
  ],
  ["an error op without an error", { op: "error" }, malformed("an error that is not an object")],
  ["an unknown shape", { weather: "fine" }, malformed("a frame with neither op nor error")],
  ["an unsolicited pong", { op: "pong" }, malformed("an op that no reply has")],
  ["an op that is an array", { op: ["call_tool_res"] }, malformed("an op that no reply has")],
  [
    "an array",
    [{ op: "call_tool_res", request_id: id, outputs }],
    malformed("several JSON values, in an array"),
  ],
  ["null", null, malformed("JSON that is not an object")],
  ["a number", 7, malformed("JSON that is not an object")],
];

for (const [name, reply, expected] of REPLIES) {
  Deno.test(`exai recognises ${name}`, () => {
    assertEquals(exai.classify(JSON.stringify(reply)), expected);
  });
}

Deno.test("exai classifies text that is not JSON as malformed, and accepts huge results", () => {
  for (const text of ["", "nope", "{", "[".repeat(100_000), '"x', "\u0000", "{}".repeat(2)]) {
    assertEquals(exai.classify(text).kind, "malformed", text.slice(0, 20));
  }
  const huge = JSON.stringify({ op: "call_tool_res", request_id: id, outputs: ["x".repeat(5e6)] });
  assertEquals(exai.classify(huge), result());
});

Deno.test("exai copes with a very deeply nested code", () => {
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  const frame = exai.classify(`{"op":"error","error":{"code":${deep}}}`);
  assertEquals(["toolError", "malformed"].includes(frame.kind), true);
});

Deno.test("exai sends hello with the session, and with the token if there is one", () => {
  const { send } = exai.open({ sessionId: "s-1", token: 'a"b' });
  assertEquals(send.map((text) => JSON.parse(text)), [
    { op: "hello", session_id: "s-1", token: 'a"b' },
  ]);
  const bare = exai.open({ sessionId: "s-1", token: null }).send;
  assertEquals(bare.map((text) => JSON.parse(text)), [{ op: "hello", session_id: "s-1" }]);
});

Deno.test("exai reads the answer to hello, including that of older servers", () => {
  const read = exai.open({ sessionId: "s-1", token: null }).read!;
  const readJson = (value: unknown) => read(JSON.stringify(value));
  for (const op of ["hello_ack", "hello_res"]) {
    const accepted = { status: "accepted", send: [] } as const;
    assertEquals(readJson({ op, ok: true }), accepted);
    assertEquals(readJson({ op, ok: true, session_id: "abc" }), { ...accepted, sessionId: "abc" });
    const refused = (error: string) => ({ status: "refused", error } as const);
    assertEquals(readJson({ op, ok: false, error: "unauthorized" }), refused("unauthorized"));
    assertEquals(readJson({ op }), refused("no reason given"));
    assertEquals(readJson({ op, ok: "true" }).status, "refused");
    assertEquals(readJson({ op, error: { toString: 1 } }), refused("(object)"));
  }
  for (const other of [{ op: "welcome", ok: true }, [], null, { ok: true }]) {
    assertEquals(readJson(other), { status: "ignored" });
  }
  assertEquals(read("not JSON"), { status: "ignored" });
});

Deno.test("exai reads the tool names of a list, and skips invalid entries", () => {
  const read = (value: unknown) =>
    exai.readTools(JSON.stringify(value))?.tools.map(({ name }) => name) ?? null;
  const tools = [{ name: "status" }, { name: 5 }, null, "x", ["y"], {}, { name: "chat" }];
  assertEquals(read({ op: "list_tools_res", tools }), ["status", "chat"]);
  assertEquals(read({ op: "list_tools_res", tools: [] }), []);
  assertEquals(read({ op: "list_tools_res", tools: {} }), null);
  assertEquals(read({ op: "call_tool_res", tools }), null);
  assertEquals(exai.readTools("not JSON"), null);
});

Deno.test("exai explains the suffix rule only for tool names that break it", () => {
  assertEquals(
    exai.toolNameAdvice("status_EXAI-WS-VSCode1"),
    "the server strips a trailing -EXAI-WS, not -EXAI-WS-VSCode1: try status",
  );
  assertEquals(
    exai.toolNameAdvice("chat-EXAI_WS_VSCode2"),
    "the server strips a trailing -EXAI-WS, not -EXAI_WS_VSCode2: try chat",
  );
  for (const fine of ["status", "status-EXAI-WS", "status_EXAI_WS", "EXAI", "a_EXAI-WSX", ""]) {
    assertEquals(exai.toolNameAdvice(fine), null, fine);
  }
});

Deno.test("exai has seven rejection cases, each with its expected close codes", () => {
  const cases = exai.rejections({ sessionId: "s-1", token: "the-real-token-0123" });
  assertEquals(
    cases.map(({ name, expected }) => [name, expected.map(({ code }) => code).join()]),
    [
      ["wrong token", "4003"],
      ["missing token", "4003"],
      ["empty token", "4003"],
      ["non-string token", "1000"],
      ["first message not hello", "4001"],
      ["first message not JSON", "4000"],
      ["no hello", "4002"],
    ],
  );
  assertEquals(cases.filter(({ first }) => first === null).map(({ name }) => name), ["no hello"]);
  assertEquals(cases.some(({ first }) => first?.includes("the-real-token")), false);
  const notJson = cases.find(({ name }) => name === "first message not JSON")!;
  assertThrows(() => JSON.parse(notJson.first!), SyntaxError);
});

Deno.test("exai: a refusal of a call that is too large is a tool error, not a rate limit", () => {
  const frame = (message: string) =>
    exai.classify(JSON.stringify({
      op: "call_tool_res",
      request_id: "r",
      error: { code: "OVER_CAPACITY", message },
    }));
  assertEquals(frame("Request too large: 2 bytes exceeds limit of 1 bytes").kind, "toolError");
  assertEquals(frame("Rate limit exceeded: user_rate_limit_exceeded").kind, "rateLimited");
});
