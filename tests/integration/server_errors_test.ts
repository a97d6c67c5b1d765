import { assertEquals } from "@std/assert";
import type { ServerOptionOverrides } from "../../lib/server/options.ts";
import { connectGreeted } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited } from "../support/unlimited_server.ts";

const QUICK = { medianMs: 1, sigma: 0 };

function start(overrides: ServerOptionOverrides = {}) {
  const think = { chat: QUICK, analyze: QUICK, debug: QUICK };
  return startUnlimited({ think, ...overrides });
}

interface Row {
  name: string;
  sent: unknown;
  oct: unknown;
  nov: unknown;
}

const call = (name: unknown, args: unknown = {}) => ({
  op: "call_tool",
  request_id: "r1",
  name,
  arguments: args,
});
const forCall = (error: unknown) => ({ op: "call_tool_res", request_id: "r1", error });
const forNone = (error: unknown) => ({ op: "error", error });

const invalidArguments = {
  code: "INVALID_REQUEST",
  message: "Invalid message: arguments must be a JSON object",
};
const invalidJson = {
  code: "VALIDATION_ERROR",
  message: "Invalid JSON: message could not be parsed",
};
const missingOp = {
  code: "INVALID_REQUEST",
  message: "Invalid message: missing or invalid 'op' field (must be string)",
};
const outOfRange = "temperature must be a number from 0 to 1";
const unknownOp = (op: string) => ({
  code: "INVALID_REQUEST",
  message: `Unknown operation: ${op}`,
});
const unknownTool = (tool: string) => ({
  oct: forCall({
    code: "TOOL_NOT_FOUND",
    message: `Unknown tool: ${tool}`,
    details: { requested_tool: tool },
  }),
  nov: { error: { code: "TOOL_NOT_FOUND", message: `Tool not found: ${tool}` } },
});
const both = (frame: unknown) => ({ oct: frame, nov: frame });

const ROWS: Row[] = [
  { name: "unknown tool", sent: call("x"), ...unknownTool("x") },
  {
    name: "a suffix that is not stripped",
    sent: call("status_EXAI-WS-VSCode1"),
    ...unknownTool("status_EXAI-WS-VSCode1"),
  },
  { name: "arguments in an array", sent: call("status", []), ...both(forCall(invalidArguments)) },
  { name: "arguments in a text", sent: call("status", "{}"), ...both(forCall(invalidArguments)) },
  {
    name: "tool name missing",
    sent: call(undefined),
    ...both(forCall({
      code: "INVALID_REQUEST",
      message: "Invalid message: tool name must be a string",
    })),
  },
  {
    name: "argument out of range",
    sent: call("chat", { prompt: "a", temperature: 2 }),
    oct: forCall({ code: "VALIDATION_ERROR", message: outOfRange }),
    nov: { error: { code: "INTERNAL_ERROR", message: outOfRange } },
  },
  {
    name: "the tool raised",
    sent: call("debug", { error: "e", raise: "broken" }),
    oct: forCall({ code: "INTERNAL_ERROR", message: "broken" }),
    nov: { error: { code: "INTERNAL_ERROR", message: "broken" } },
  },
  { name: "invalid JSON", sent: "{", ...both(forNone(invalidJson)) },
  { name: "an empty message", sent: "", ...both(forNone(invalidJson)) },
  { name: "bytes that are not text", sent: new Uint8Array([255]), ...both(forNone(invalidJson)) },
  { name: "op missing", sent: { request_id: "r1" }, ...both(forNone(missingOp)) },
  { name: "op not a string", sent: { op: 1 }, ...both(forNone(missingOp)) },
  { name: "not an object", sent: [1], ...both(forNone(missingOp)) },
  {
    name: "unknown op",
    sent: { op: "foo", request_id: "r1" },
    oct: forNone(unknownOp("foo")),
    nov: { error: unknownOp("foo") },
  },
  {
    name: "a second hello",
    sent: { op: "hello" },
    oct: forNone(unknownOp("hello")),
    nov: { error: unknownOp("hello") },
  },
];

for (const dialect of ["oct", "nov"] as const) {
  for (const row of ROWS) {
    Deno.test(`${dialect} error: ${row.name}`, { ignore }, async () => {
      await using server = await start({ dialect });
      await using client = await connectGreeted(server.url);
      client.send(row.sent);
      assertEquals<unknown>(await client.nextJson(), row[dialect]);
      assertEquals((await client.call("r2", "status")).length, 2, "the connection stays open");
    });
  }

  Deno.test(`${dialect} error: a call over maxCallBytes`, { ignore }, async () => {
    await using server = await start({ dialect, maxCallBytes: 1000 });
    await using client = await connectGreeted(server.url);
    // The limit counts bytes, not characters.
    const text = JSON.stringify(call("chat", { prompt: "ä".repeat(500) }));
    const bytes = new TextEncoder().encode(text).length;
    client.send(text);
    assertEquals<unknown>(
      await client.nextJson(),
      forCall({
        code: "OVER_CAPACITY",
        message: `Request too large: ${bytes} bytes exceeds limit of 1000 bytes`,
      }),
    );
    assertEquals((await client.call("r2", "status")).length, 2);
    assertEquals(server.stats().callsRefused, 1);
  });

  Deno.test(`${dialect} error: a frame over maxFrameBytes closes 1009`, { ignore }, async () => {
    await using server = await start({ dialect, maxFrameBytes: 1000 });
    for (const oversized of ["ä".repeat(501), new Uint8Array(1001)]) {
      await using client = await connectGreeted(server.url);
      client.send(oversized);
      assertEquals(await client.whenClosed(), { code: 1009, reason: "" });
    }
    await using client = await connectGreeted(server.url);
    client.send("x".repeat(1000));
    assertEquals<unknown>(await client.nextJson(), forNone(invalidJson));
  });
}

Deno.test("oct sends an identical error once, nov every time", { ignore }, async () => {
  for (const [dialect, frames] of [["oct", 1], ["nov", 3]] as const) {
    await using server = await start({ dialect });
    await using client = await connectGreeted(server.url);
    for (const wrong of ["{", "}", "?"]) client.send(wrong);
    client.send(call("status"));
    while ((await client.nextJson()).op !== "call_tool_res");
    assertEquals(client.frames.filter((frame) => frame.includes("Invalid JSON")).length, frames);
    assertEquals(server.stats().framesDropped, 3 - frames);
  }
});

Deno.test("oct drops repeats per connection only", { ignore }, async () => {
  await using server = await start();
  for (let i = 0; i < 2; i++) {
    await using client = await connectGreeted(server.url);
    client.send("{");
    assertEquals((await client.nextJson()).op, "error");
  }
});
