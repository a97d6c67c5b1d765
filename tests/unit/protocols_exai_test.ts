import { assertEquals, assertThrows } from "@std/assert";
import type { Frame } from "../../lib/protocols/protocol.ts";
import { exai } from "../../lib/protocols/exai.ts";

const outputs = [{ type: "text", text: "fine" }];
const id = "r1";
const result = (fromCache = false, of: string | null = id): Frame => (
  { kind: "result", id: of, fromCache }
);
const progress = (streamComplete: boolean): Frame => ({ kind: "progress", id, streamComplete });
const toolError = (of: string | null, code: string, message: string): Frame => (
  { kind: "toolError", id: of, code, message }
);
const rateLimited = (of: string | null, code: string, message: string): Frame => (
  { kind: "rateLimited", id: of, code, message }
);
const malformed = (reason: string): Frame => ({ kind: "malformed", id: null, reason });

const reply = (fields: object) => ({ op: "call_tool_res", request_id: id, ...fields });
const failed = (code: unknown, message: string, rest: object = {}) =>
  reply({ error: { code, message, ...rest } });
const NO_OBJECT = "Invalid message: arguments must be a JSON object";
const LIMITED = { code: "OVER_CAPACITY", message: "Rate limit exceeded" };

/** Name, frame and classification of the replies in the protocol's tables. */
const REPLIES: [string, unknown, Frame][] = [
  [
    "oct's stream_complete",
    { op: "stream_complete", request_id: id, timestamp: "…" },
    progress(true),
  ],
  ["progress of a long call", { op: "progress", request_id: id }, progress(false)],
  ["oct's result", reply({ ok: true, outputs }), result()],
  ["nov's result, without ok", reply({ outputs }), result()],
  ["nov's result from its cache", reply({ outputs, from_cache: true }), result(true)],
  ["a from_cache of false", reply({ outputs, from_cache: false }), result()],
  ["outputs with a null error", reply({ outputs, error: null }), result()],
  [
    "oct's unknown tool",
    failed("TOOL_NOT_FOUND", "Unknown tool: x", { details: { requested_tool: "x" } }),
    toolError(id, "TOOL_NOT_FOUND", "Unknown tool: x"),
  ],
  [
    "nov's unknown tool, with neither op nor id",
    { error: { code: "TOOL_NOT_FOUND", message: "Tool not found: x" } },
    toolError(null, "TOOL_NOT_FOUND", "Tool not found: x"),
  ],
  [
    "arguments that are not an object",
    failed("INVALID_REQUEST", NO_OBJECT),
    toolError(id, "INVALID_REQUEST", NO_OBJECT),
  ],
  [
    "invalid JSON later on",
    { op: "error", error: { code: "VALIDATION_ERROR", message: "Invalid JSON" } },
    toolError(null, "VALIDATION_ERROR", "Invalid JSON"),
  ],
  [
    "oct's rate limit, without an id",
    { op: "error", error: { ...LIMITED, details: { client_ip: "::1" } } },
    rateLimited(null, "OVER_CAPACITY", "Rate limit exceeded"),
  ],
  [
    "nov's rate limit, with an id",
    { op: "error", request_id: id, error: LIMITED },
    rateLimited(id, "OVER_CAPACITY", "Rate limit exceeded"),
  ],
  [
    "a call that is already in flight",
    failed("OVER_CAPACITY", "already"),
    rateLimited(id, "OVER_CAPACITY", "already"),
  ],
  ["a code of 429", failed(429, "slow down"), rateLimited(id, "429", "slow down")],
  [
    "ok: false without an error",
    reply({ ok: false, outputs }),
    toolError(id, "UNKNOWN", "ok is false"),
  ],
  ["an error without code or message", reply({ error: {} }), toolError(id, "UNKNOWN", "")],
  [
    "an error with a code of __proto__",
    JSON.parse(`{"op":"error","error":{"code":"__proto__","message":5}}`),
    toolError(null, "__proto__", ""),
  ],
  [
    "a code that String() throws on",
    { op: "error", error: { code: { toString: 1 } } },
    toolError(null, "(object)", ""),
  ],
  [
    "a numeric id, which belongs to no call, not even the only one outstanding",
    reply({ request_id: 1, outputs }),
    result(false, "1"),
  ],
  [
    "an id that is an object",
    reply({ request_id: { toString: 1 }, outputs }),
    result(false, "(object)"),
  ],
  ["an id of null", reply({ request_id: null, outputs }), result(false, null)],
  [
    "a result without outputs",
    reply({ ok: true }),
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
  ["an array", [reply({ outputs })], malformed("several JSON values, in an array")],
  ["null", null, malformed("JSON that is not an object")],
  ["a number", 7, malformed("JSON that is not an object")],
];

for (const [name, frame, expected] of REPLIES) {
  Deno.test(`exai recognises ${name}`, () => {
    assertEquals(exai.classify(JSON.stringify(frame)), expected);
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
  const kindOf = (message: string) =>
    exai.classify(JSON.stringify(failed("OVER_CAPACITY", message))).kind;
  assertEquals(kindOf("Request too large: 2 bytes exceeds limit of 1 bytes"), "toolError");
  assertEquals(kindOf("Rate limit exceeded: user_rate_limit_exceeded"), "rateLimited");
});
