import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { badArgumentCall, exaiConduct, raisingCall } from "../../lib/protocols/exai_conduct.ts";
import { mcpConduct } from "../../lib/protocols/mcp_conduct.ts";
import {
  answerMatches,
  describeExpected,
  describeSeen,
  isRight,
  type SeenAnswer,
} from "../../scenarios/malformed_input/mod.ts";

const OPTIONS = { sessionId: "s-1", token: "t", tool: "status", argsJson: "{}", toolList: null };
const OPEN = { frames: ["a", "b, …"], close: null };
const CLOSED = { frames: [], close: { code: 4000, reason: "no" } };

function seen(frames: string[], close: SeenAnswer["close"], served: boolean): SeenAnswer {
  return { frames, close, served };
}

Deno.test("an answer is judged by its frames, its close and the call after it", () => {
  assert(isRight([OPEN], seen(["a", "b, anything"], null, true)));
  assert(!isRight([OPEN], seen(["a", "b, anything"], null, false)));
  assert(!isRight([OPEN], seen(["a, too", "b, anything"], null, true)));
  assert(!isRight([OPEN], seen(["a"], null, true)));
  assert(!isRight([OPEN], seen(["a", "b, ", "c"], null, true)));
  assert(!isRight([OPEN], seen(["a", "b, "], { code: 1000, reason: "" }, false)));
  assert(isRight([OPEN, CLOSED], seen([], { code: 4000, reason: "no" }, false)));
  assert(!isRight([CLOSED], seen([], { code: 4000, reason: "" }, false)));
  assert(!isRight([CLOSED], seen([], { code: 4001, reason: "no" }, false)));
  assert(!isRight([CLOSED], seen([], null, true)));
});

Deno.test("answers are described in words, grouped by how they end", () => {
  assertEquals(
    describeExpected([OPEN, { frames: [], close: null }, CLOSED]),
    "[a] [b, …] or no frame; a call is served after it — or no frame; close 4000 no",
  );
  assertEquals(describeSeen(seen(["x"], null, false)), "[x]; a call after it is not served");
  assertEquals(describeSeen(seen([], { code: 1000, reason: "" }, false)), "no frame; close 1000");
});

Deno.test("every build has the same cases, and its answers are among those of all builds", () => {
  for (const conduct of [exaiConduct, mcpConduct]) {
    const all = conduct.cases({ ...OPTIONS, dialect: null });
    assertEquals(new Set(all.map(({ name }) => name)).size, all.length);
    for (const dialect of conduct.dialects) {
      const own = conduct.cases({ ...OPTIONS, dialect });
      assertEquals(own.map(({ name }) => name), all.map(({ name }) => name));
      for (const [index, { expected }] of own.entries()) {
        assert(expected.length > 0);
        for (const answer of expected) {
          assert(all[index]!.expected.some((other) => answerMatches(other, answer)));
        }
      }
    }
  }
});

Deno.test("a build is recognised only if all of its signs agree", () => {
  const ack = (session_id: string) => JSON.stringify({ op: "hello_ack", ok: true, session_id });
  const list = (id?: string) => JSON.stringify({ op: "list_tools_res", request_id: id, tools: [] });
  const result = (fields: object) =>
    JSON.stringify({ op: "call_tool_res", request_id: "r", outputs: [], ...fields });
  const dialectOf = (...frames: string[]) => exaiConduct.dialectOf(frames, "s-1");
  const ok = result({ ok: true });
  assertEquals(dialectOf(ack("s-1"), list(), ok), "oct");
  assertEquals(dialectOf(ack("other"), list(), ok), "oct25");
  assertEquals(dialectOf(ack("s-1"), list("r"), result({})), "nov");
  assertEquals(dialectOf(ok, list()), null, "either October build");
  assertEquals(dialectOf(ack("s-1"), list("r"), ok), null, "no build");
  assertEquals(dialectOf(ack("other"), list("r"), result({})), null, "no build");
  assertEquals(dialectOf(result({ outputs: null, error: {} }), "{"), null);
});

Deno.test("shortened frames abbreviate the ids of their own session only", () => {
  const id = exaiConduct.id("s-1", 2);
  const short = (frame: object) => exaiConduct.shorten(JSON.stringify(frame), "s-1");
  assertEquals(short({ op: "pong", request_id: id }), "pong, r2");
  assertEquals(short({ op: "pong", request_id: "s-2-r2" }), "pong, s-2-r2");
  assertEquals(short({ error: { code: "X", message: "y" } }), "no op, no id, X, y");
  assertEquals(short({ op: "hello_res", ok: true, session_id: "s-1" }), "hello_ack, ok");
  assertEquals(short({ op: "hello_ack", ok: true }), "hello_ack, ok, another session_id");
  assertEquals(
    short({ op: "error", error: { code: "X", message: "a\n  b" } }),
    "error, no id, X, a b",
  );
  const mcpId = Number(mcpConduct.id("s-1", 1));
  const shortMcp = (id: unknown) => mcpConduct.shorten(JSON.stringify({ id, result: {} }), "");
  assertEquals(shortMcp(mcpId), "r1, result");
  assertEquals(shortMcp(String(mcpId)), `"${mcpId}", result`, "an id must keep its type");
});

Deno.test("property: any frame can be shortened to 200 characters", () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), fc.string(), (frame, session) => {
    for (const conduct of [exaiConduct, mcpConduct]) {
      assert(conduct.shorten(frame, session).length <= 200);
      conduct.dialectOf([frame], session);
    }
    exaiConduct.cases({ ...OPTIONS, dialect: null, toolList: frame });
  }));
});

Deno.test("a call with a bad argument is built from the server's list of tools", () => {
  const list = (...tools: object[]) => JSON.stringify({ op: "list_tools_res", tools });
  const property = { type: "number", minimum: 0, maximum: 5 };
  const good = {
    name: "chat",
    inputSchema: { properties: { prompt: { type: "string" }, n: property }, required: ["prompt"] },
  };
  assertEquals(badArgumentCall(list(good)), { tool: "chat", args: { prompt: "x", n: 6 } });
  const needsMore = {
    name: "pick",
    inputSchema: {
      properties: { kind: { type: "string", enum: ["a"] }, n: property },
      required: ["kind"],
    },
  };
  assertEquals(badArgumentCall(list(needsMore, { name: 5 }, {})), null);
  assertEquals(badArgumentCall(list(needsMore, good))?.tool, "chat");
  assertEquals([badArgumentCall(null), raisingCall("[]")], [null, null]);
  const debug = { name: "debug", inputSchema: { properties: { raise: { type: "string" } } } };
  assertEquals(raisingCall(list(debug))?.tool, "debug");
  assertEquals(raisingCall(list({ ...debug, name: "other" })), null);
});
