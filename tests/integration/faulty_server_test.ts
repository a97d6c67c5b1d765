import { assertEquals, assertRejects } from "@std/assert";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import { connectGreeted, connectRaw, type RawClient } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";

function sendCall(client: RawClient, id: string): void {
  client.send({ op: "call_tool", request_id: id, name: "status", arguments: {} });
}

/** A frame in short: its type and the id that it names. */
async function shorten(frame: string | Blob): Promise<string> {
  const text = typeof frame === "string" ? frame : `binary ${await frame.text()}`;
  if (!text.includes("{")) return "not JSON";
  const { op = "no op", request_id = "no id", error, from_cache } = JSON.parse(
    text.slice(text.indexOf("{")),
  );
  const binary = text.startsWith("binary") ? ["binary"] : [];
  const cached = from_cache ? ["cached"] : [];
  return [...binary, op, request_id, ...(error ? [error.code] : []), ...cached].join(" ");
}

const OK = ["stream_complete r1", "call_tool_res r1"];

/** Behaviour of the first call, and all frames up to the answer of a second, correct call. */
const ROWS: [Behaviour, string[]][] = [
  [{ kind: "ok" }, OK],
  [{ kind: "wrongId" }, ["call_tool_res wrong-r1"]],
  [{ kind: "duplicate" }, [...OK, "call_tool_res r1"]],
  [{ kind: "orphan" }, ["call_tool_res orphan-r1", ...OK]],
  [{ kind: "delay", ms: 10 }, OK],
  [{ kind: "freeze", ms: 10 }, OK],
  [{ kind: "silent" }, []],
  [{ kind: "garbage" }, ["not JSON"]],
  [{ kind: "binary" }, ["binary stream_complete r1", "binary call_tool_res r1"]],
  [{ kind: "unknownShape" }, ["no op no id"]],
  [{ kind: "rateLimitNoId" }, ["error no id OVER_CAPACITY"]],
  [{ kind: "errorNoId" }, ["no op no id TOOL_NOT_FOUND"]],
  [{ kind: "toolError" }, ["call_tool_res r1 INTERNAL_ERROR"]],
  [{ kind: "identicalFrameDrop" }, ["error no id OVER_CAPACITY"]],
  [{ kind: "okWithoutStreamComplete" }, ["call_tool_res r1"]],
  [{ kind: "fromCache" }, ["call_tool_res r1 cached"]],
  [{ kind: "progressThenOk" }, ["progress r1", "progress r1", ...OK]],
];

for (const [behaviour, expected] of ROWS) {
  Deno.test({ name: `faulty server: ${behaviour.kind}`, ignore }, async () => {
    await using server = await startFaultyServer({ script: [behaviour] });
    await using client = await connectGreeted(server.url);
    sendCall(client, "r1");
    sendCall(client, "r2");
    const frames: string[] = [];
    while (frames.at(-1) !== "call_tool_res r2") frames.push(await shorten(await client.next()));
    assertEquals(frames, [...expected, "stream_complete r2", "call_tool_res r2"]);
    assertEquals([server.callsSeen, server.framesSent], [2, frames.length]);
  });
}

Deno.test({ name: "faulty server: late lets later calls pass", ignore }, async () => {
  await using server = await startFaultyServer({ script: [{ kind: "late", ms: 60 }] });
  await using client = await connectGreeted(server.url);
  sendCall(client, "r1");
  assertEquals((await client.call("r2", "status")).length, 2);
  assertEquals((await client.nextJson()).request_id, "r1");
});

Deno.test({ name: "faulty server: freeze holds up every connection", ignore }, async () => {
  await using server = await startFaultyServer({ script: [{ kind: "freeze", ms: 60 }] });
  await using frozen = await connectGreeted(server.url);
  await using other = await connectGreeted(server.url);
  sendCall(frozen, "r1");
  while (server.callsSeen === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await other.call("r2", "status");
  assertEquals(frozen.frames.length > 1, true, "answered no earlier than the frozen call");
});

Deno.test({ name: "faulty server: identicalFrameDrop drops a second frame", ignore }, async () => {
  const drop: Behaviour = { kind: "identicalFrameDrop" };
  await using server = await startFaultyServer({ script: [drop, drop] });
  await using client = await connectGreeted(server.url);
  for (const id of ["r1", "r2", "r3"]) sendCall(client, id);
  assertEquals((await client.nextJson()).op, "error");
  assertEquals((await client.nextJson()).request_id, "r3");
});

Deno.test({ name: "faulty server: closeHalfway and abruptClose disconnect", ignore }, async () => {
  await using server = await startFaultyServer({
    script: [{ kind: "closeHalfway", code: 1011, reason: "oops" }, { kind: "abruptClose" }],
  });
  for (const expected of [{ code: 1011, reason: "oops" }, { code: 0, reason: "" }]) {
    await using client = await connectGreeted(server.url);
    sendCall(client, "r1");
    assertEquals(await client.whenClosed(), expected);
    assertEquals(client.frames.length, 1);
  }
  await using client = await connectGreeted(server.url);
  assertEquals((await client.call("r2", "status")).length, 2);
});

Deno.test({ name: "faulty server: handshakes fail as scripted", ignore }, async () => {
  await using server = await startFaultyServer({
    handshakes: [{ kind: "httpStatus", status: 503 }, { kind: "helloRefused" }, {
      kind: "noHelloAck",
    }],
  });
  await assertRejects(() => connectRaw(server.url), Error, "Cannot open");
  await using refused = await connectRaw(server.url);
  assertEquals((await refused.hello()).ok, false);
  assertEquals(await refused.whenClosed(), { code: 4003, reason: "unauthorized" });
  await using silent = await connectRaw(server.url);
  silent.send({ op: "hello" });
  await using fine = await connectGreeted(server.url);
  fine.send({ op: "list_tools" });
  assertEquals((await fine.nextJson()).op, "list_tools_res");
  assertEquals([silent.frames.length, server.connectionsSeen], [0, 4]);
});

Deno.test({ name: "faulty server: stopping cancels delayed answers", ignore }, async () => {
  const server = await startFaultyServer({ script: () => ({ kind: "delay", ms: 600_000 }) });
  await using client = await connectGreeted(server.url);
  sendCall(client, "r1");
  while (server.callsSeen === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await server.stop();
  await client.whenClosed();
});
