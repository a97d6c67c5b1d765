import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createEncoder, newIdPrefix } from "../../lib/client/call_encoder.ts";
import { exai } from "../../lib/protocols/exai.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { jsonrpc, mcp } from "../../lib/protocols/mcp.ts";
import { repeats } from "../support/repeats.ts";

const KINDS = ["result", "toolError", "rateLimited", "progress", "notification", "malformed"];

/** Objects with the keys that the protocols read, and arbitrary values. */
const likeAFrame = fc.record({
  jsonrpc: fc.constantFrom("2.0", "1.0"),
  id: fc.oneof(fc.constantFrom(1, "1", null), fc.jsonValue()),
  method: fc.oneof(fc.constantFrom("ping", "roots/list", "notifications/message"), fc.jsonValue()),
  result: fc.oneof(
    fc.record({
      isError: fc.jsonValue(),
      content: fc.jsonValue(),
      tools: fc.oneof(fc.array(fc.oneof(fc.record({ name: fc.jsonValue() }), fc.jsonValue()))),
      protocolVersion: fc.oneof(fc.constant("2025-11-25"), fc.jsonValue()),
    }, { requiredKeys: [] }),
    fc.jsonValue(),
  ),
  error: fc.oneof(
    fc.record({ code: fc.jsonValue(), message: fc.jsonValue() }),
    fc.constant({ code: { toString: 1 }, message: { toString: 1 } }),
    fc.jsonValue(),
  ),
  tool: fc.jsonValue(),
  arguments: fc.jsonValue(),
}, { requiredKeys: [] });

const text = fc.oneof(fc.string(), fc.json(), likeAFrame.map((frame) => JSON.stringify(frame)));

/** Ids as connections create them, and other text. */
const anyId = fc.oneof(
  fc.integer({ min: 1, max: 999_999_999 }).map((nth) => newIdPrefix("number") + nth),
  fc.integer({ min: 1 }).map((nth) => newIdPrefix("text") + nth),
  fc.constantFrom("0", "-5", "1.5", "1e3", "007"),
  fc.string(),
);

Deno.test("mcp, jsonrpc and echo: no text makes reading throw", () => {
  const read = mcp.open({ sessionId: "s-1", token: null }).read!;
  fc.assert(
    fc.property(text, (text) => {
      for (const protocol of [mcp, jsonrpc, echo]) {
        const frame = protocol.classify(text);
        assert(KINDS.includes(frame.kind));
        assert(frame.id === null || typeof frame.id === "string");
        if ("code" in frame) {
          assertEquals([typeof frame.code, typeof frame.message], ["string", "string"]);
        }
        const names = protocol.readTools(text)?.tools.map(({ name }) => name) ?? null;
        assert(names === null || names.every((name) => typeof name === "string"));
      }
      const reply = read(text);
      assert(["accepted", "refused", "ignored"].includes(reply.status));
      if (reply.status === "refused") assertEquals(typeof reply.error, "string");
    }),
    { numRuns: repeats(200, 1000) },
  );
});

Deno.test("mcp: every request of a server is answered once, under its own id", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      fc.string(),
      (id, method) => {
        fc.pre(mcp.classify(JSON.stringify({ method })).kind === "notification");
        const frame = mcp.classify(JSON.stringify({ jsonrpc: "2.0", id, method }));
        assert(frame.kind === "notification" && frame.answer !== null);
        const answer = JSON.parse(frame.answer);
        assertEquals([answer.jsonrpc, answer.id], ["2.0", JSON.parse(JSON.stringify(id))]);
        assertEquals(Object.keys(answer).length, 3);
        assertEquals("result" in answer, method === "ping");
      },
    ),
  );
});

Deno.test("mcp: a reply has the id of its call, whatever the id", () => {
  fc.assert(
    fc.property(anyId, (id) => {
      const onWire = JSON.parse(mcp.encodeCall(id, "ping", "{}")).id;
      const frame = mcp.classify(JSON.stringify({ jsonrpc: "2.0", id: onWire, result: {} }));
      assertEquals(frame, { kind: "result", id, fromCache: false, isBare: true });
      // An id that returns as another type is another id.
      const other = typeof onWire === "number" ? String(onWire) : Number(onWire);
      const changed = mcp.classify(JSON.stringify({ jsonrpc: "2.0", id: other, result: {} }));
      assert(changed.id !== id);
    }),
  );
});

Deno.test("mcp: ids are numbers that survive 32 bits and a gateway's parseInt", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (number) => {
      const id = newIdPrefix("number") + number;
      const onWire = JSON.parse(mcp.encodeCall(id, "ping", "{}")).id;
      assertEquals([typeof onWire, String(Number.parseInt(`${onWire}`, 10))], ["number", id]);
      assertEquals(onWire | 0, onWire);
    }),
  );
});

Deno.test("two connections never share text ids", () => {
  const nth = fc.integer({ min: 1, max: 999_999_999 });
  fc.assert(
    fc.property(nth, nth, (one, other) => {
      assert(newIdPrefix("text") + one !== newIdPrefix("text") + other);
    }),
  );
});

Deno.test("mcp and echo: a call is JSON with exactly the given id, tool and arguments", () => {
  fc.assert(
    fc.property(
      anyId,
      fc.string(),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (id, tool, args) => {
        const argsJson = JSON.stringify(args);
        const call = echo.encodeCall(id, tool, argsJson);
        assertEquals(JSON.parse(call), { id, tool, arguments: JSON.parse(argsJson) });
        assertEquals(echo.classify(call), { kind: "result", id, fromCache: false });
        if (tool === "ping") return;
        const { method, params } = JSON.parse(mcp.encodeCall(id, tool, argsJson));
        assertEquals([method, params], [
          "tools/call",
          { name: tool, arguments: JSON.parse(argsJson) },
        ]);
      },
    ),
  );
});

Deno.test("the call encoder writes every call as its protocol does, repeated messages too", () => {
  const message = fc.record({
    tool: fc.oneof(fc.string(), fc.constantFrom("ping", "987654321987654")),
    argsJson: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.constant(987654321987654)))
      .map((args) => JSON.stringify(args)),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(exai, mcp, jsonrpc, echo),
      fc.array(message, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat({ max: 2 }), { maxLength: 30 }),
      (protocol, messages, order) => {
        const encode = createEncoder(protocol);
        const prefix = newIdPrefix(protocol.ids);
        for (const [nth, place] of order.entries()) {
          const one = messages[place % messages.length]!;
          const id = prefix + (11 + nth);
          const wanted = protocol.encodeCall(id, one.tool, one.argsJson);
          assertEquals(encode(id, one), wanted);
        }
      },
    ),
  );
});
