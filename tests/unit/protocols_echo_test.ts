import { assertEquals } from "@std/assert";
import { echo } from "../../lib/protocols/echo.ts";

const CALL = echo.encodeCall("r-1", "echo", '{"n":1}');

Deno.test("an echo call is JSON, and its reply is the same text", () => {
  assertEquals(JSON.parse(CALL), { id: "r-1", tool: "echo", arguments: { n: 1 } });
  assertEquals(echo.classify(CALL), { kind: "result", id: "r-1", fromCache: false });
});

Deno.test("echo accepts nothing else as a reply, in particular no error", () => {
  const unsolicited = [[CALL], CALL, null, { now: 5 }].map((value) => JSON.stringify(value));
  for (const text of [...unsolicited, "", "Welcome!", "{"]) {
    const { kind, id } = echo.classify(text);
    assertEquals([kind, id], ["notification", null]);
  }
  const others = [
    { id: "r-1", error: "out of memory" },
    { id: "r-1" },
    { id: "r-1", tool: "echo" },
    { id: "r-1", tool: "echo", arguments: {}, error: "no" },
    { id: 1, tool: "echo", arguments: {} },
    { id: null, tool: "echo", arguments: {} },
    { id: "r-1", tool: 5, arguments: {} },
    { error: "busy" },
  ];
  for (const other of others) {
    const reason = "a frame that is not an echo of its call";
    assertEquals(echo.classify(JSON.stringify(other)), { kind: "malformed", id: null, reason });
  }
});

Deno.test("echo has no handshake, no list of tools and no rejections", () => {
  const credentials = { sessionId: "s-1", token: "t" };
  assertEquals(echo.open(credentials), { send: [], read: null });
  assertEquals([echo.encodeListTools("1"), echo.readTools(CALL)], [null, null]);
  assertEquals([echo.toolNameAdvice("x_EXAI-WS-1"), echo.rejections(credentials)], [null, []]);
});
