import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { exai } from "../../lib/protocols/exai.ts";
import { repeats } from "../support/repeats.ts";

const KINDS = ["result", "toolError", "rateLimited", "progress", "notification", "malformed"];

/** Objects with the keys that the protocol reads, and arbitrary values. */
const likeAReply = fc.record({
  op: fc.oneof(
    fc.constantFrom("call_tool_res", "error", "progress", "stream_complete", "hello_ack"),
    fc.jsonValue(),
  ),
  request_id: fc.jsonValue(),
  ok: fc.jsonValue(),
  outputs: fc.jsonValue(),
  tools: fc.jsonValue(),
  error: fc.oneof(
    fc.record({
      code: fc.oneof(fc.constant({ toString: 1, valueOf: null }), fc.jsonValue()),
      message: fc.jsonValue(),
    }),
    fc.constant({ toString: 1 }),
    fc.jsonValue(),
  ),
}, { requiredKeys: [] });

const text = fc.oneof(
  fc.string(),
  fc.json(),
  likeAReply.map((reply) => JSON.stringify(reply)),
);

Deno.test("exai: no text makes reading throw", () => {
  const { read } = exai.open({ sessionId: "s-1", token: null });
  fc.assert(
    fc.property(text, (text) => {
      const frame = exai.classify(text);
      assertEquals(KINDS.includes(frame.kind), true);
      assertEquals(frame.id === null || typeof frame.id === "string", true);
      if ("code" in frame) {
        assertEquals([typeof frame.code, typeof frame.message], ["string", "string"]);
      }
      const names = exai.readTools(text)?.tools.map(({ name }) => name) ?? null;
      assertEquals(names === null || names.every((name) => typeof name === "string"), true);
      assertEquals(["accepted", "refused", "ignored"].includes(read!(text).status), true);
    }),
    { numRuns: repeats(200, 1000) },
  );
});

Deno.test("exai: a call is JSON with exactly the given id, tool and arguments", () => {
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (tool, args) => {
      const argsJson = JSON.stringify(args);
      const call = JSON.parse(exai.encodeCall("0a1b2c3d-4-5", tool, argsJson));
      assertEquals(call, {
        op: "call_tool",
        request_id: "0a1b2c3d-4-5",
        name: tool,
        arguments: JSON.parse(argsJson),
      });
    }),
  );
});

Deno.test("exai: tool name advice never throws, and needs the family's suffix", () => {
  fc.assert(
    fc.property(fc.string(), (tool) => {
      assertEquals(exai.toolNameAdvice(tool.replaceAll("EXAI", "")), null);
      exai.toolNameAdvice(`${tool}_EXAI-WS-${tool}`);
    }),
  );
});
