import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { PROTOCOLS } from "../../lib/protocols/mod.ts";

const [PING, UNKNOWN_OP] = PROTOCOLS.exai.routingProbes;
const [MCP_PING] = PROTOCOLS.mcp.routingProbes;

Deno.test("every probe is JSON, and its frame depends on the id", () => {
  for (const { routingProbes } of Object.values(PROTOCOLS)) {
    for (const { encode } of routingProbes) {
      assert(typeof JSON.parse(encode("a-1")) === "object");
      assertNotEquals(encode("a-1"), encode("a-2"));
    }
  }
  assertEquals(PROTOCOLS.echo.routingProbes, []);
});

Deno.test("a pong answers the ping with its id, and without an id the only ping outstanding", () => {
  assertEquals(JSON.parse(PING!.encode("a-1")), { op: "ping", request_id: "a-1" });
  const isAnswer = (frame: unknown) => PING!.isAnswer(JSON.stringify(frame), "a-1");
  assert(isAnswer({ op: "pong", request_id: "a-1", timestamp: "now" }));
  assert(isAnswer({ op: "pong" }));
  assert(!isAnswer({ op: "pong", request_id: "a-2" }));
  assert(!isAnswer({ op: "error", error: { code: "INVALID_REQUEST" } }));
  assert(!isAnswer({ op: "call_tool_res", request_id: "a-1", outputs: [] }));
  assert(!PING!.isAnswer("not JSON", "a-1"));
});

Deno.test("an unknown op is answered by an error that names it, in either dialect", () => {
  const { op } = JSON.parse(UNKNOWN_OP!.encode("a-1"));
  const isAnswer = (frame: unknown) => UNKNOWN_OP!.isAnswer(JSON.stringify(frame), "a-1");
  const error = { code: "INVALID_REQUEST", message: `Unknown operation: ${op}` };
  assert(isAnswer({ op: "error", error }));
  assert(isAnswer({ error }));
  assert(!isAnswer({ op: "error", error: { ...error, message: `${error.message}2` } }));
  assert(!isAnswer({ op: "error", error: { ...error, code: "OVER_CAPACITY" } }));
  assert(!isAnswer({ op: "error" }));
  assert(!isAnswer({ error: { ...error, message: { toString: 1 } } }), "and does not throw");
  assert(!UNKNOWN_OP!.isAnswer("[]", "a-1"));
});

Deno.test("an MCP ping is answered by a result with its numeric id", () => {
  assertEquals(JSON.parse(MCP_PING!.encode("1001")).id, 1001);
  assertEquals(JSON.parse(MCP_PING!.encode("1001")).method, "ping");
  const isAnswer = (frame: unknown) => MCP_PING!.isAnswer(JSON.stringify(frame), "1001");
  assert(isAnswer({ jsonrpc: "2.0", id: 1001, result: {} }));
  assert(!isAnswer({ jsonrpc: "2.0", id: "1001", result: {} }));
  assert(!isAnswer({ jsonrpc: "2.0", id: 1002, result: {} }));
  assert(!isAnswer({ jsonrpc: "2.0", id: 1001, error: { code: -32601 } }));
  assert(!isAnswer({ jsonrpc: "2.0", id: 1001, method: "roots/list", result: {} }));
});

Deno.test("the server's own time is latency_ms, or null if a reply has none", () => {
  const read = (outputs: unknown, rest = {}) =>
    PROTOCOLS.exai.readServerNs(JSON.stringify({ op: "call_tool_res", outputs, ...rest }));
  const timed = (latency_metrics: unknown) => [{ type: "text", metadata: { latency_metrics } }];
  assertEquals(read(timed({ latency_ms: 9.37, processing_ms: 9.1 })), 9_370_000);
  assertEquals(read(timed({ latency_ms: 0 })), 0);
  // A cached reply has the times of an earlier call.
  assertEquals(read(timed({ latency_ms: 9.37 }), { from_cache: true }), null);
  for (
    const wrong of [timed({}), timed(null), timed({ latency_ms: "9" }), timed({ latency_ms: -1 })]
  ) {
    assertEquals(read(wrong), null);
  }
  for (const wrong of [[], [null], [{ metadata: 3 }], "text", null]) {
    assertEquals(read(wrong), null);
  }
  assertEquals(PROTOCOLS.exai.readServerNs("not JSON"), null);
  for (const { readServerNs } of [PROTOCOLS.mcp, PROTOCOLS.echo]) {
    assertEquals(readServerNs("{}"), null);
  }
});
