import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { DialectName, ServerOptionOverrides } from "../../lib/server/options.ts";
import { connectGreeted, type RawClient } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited } from "../support/unlimited_server.ts";

const DIALECTS: DialectName[] = ["oct", "nov"];
const QUICK = { medianMs: 5, sigma: 0 };

function start(overrides: ServerOptionOverrides = {}) {
  const think = { chat: QUICK, analyze: QUICK, debug: QUICK };
  return startUnlimited({ think, ...overrides });
}

const opsOf = (frames: Record<string, unknown>[]) => frames.map(({ op }) => op);

/** Makes a call, whose reply must be the next frame. */
async function assertNothingPending(client: RawClient): Promise<void> {
  const id = crypto.randomUUID();
  const [first] = await client.call(id, "version", { marker: id });
  assertEquals(first.request_id, id);
}

for (const dialect of DIALECTS) {
  for (const form of dialect === "nov" ? ["call_tool", "tool_call"] : ["call_tool"]) {
    Deno.test(`${dialect} computes a ${form}: two frames`, { ignore }, async () => {
      await using server = await start({ dialect });
      await using client = await connectGreeted(server.url);
      const tool = form === "call_tool" ? { name: "status" } : { tool: { name: "status" } };
      client.send({ op: form, request_id: "r1", ...tool, arguments: {} });
      const [first, second] = [await client.nextJson(), await client.nextJson()];
      assertEquals([first.op, first.request_id], ["stream_complete", "r1"]);
      assertMatch(String(first.timestamp), /^\d{4}-\d\d-\d\dT/);
      assertEquals([second.op, second.request_id], ["call_tool_res", "r1"]);
      assertEquals(second.ok, dialect === "oct" ? true : undefined);
      const [output] = second.outputs as Record<string, unknown>[];
      assertEquals(output.type, "text");
      assertEquals(JSON.parse(String(output.text)).status, "running");
      const { latency_metrics } = output.metadata as { latency_metrics: Record<string, unknown> };
      const { latency_ms, global_sem_wait_ms, processing_ms } = latency_metrics;
      for (const time of [latency_ms, global_sem_wait_ms, processing_ms]) {
        assert(typeof time === "number" && time >= 0 && time < 5000);
      }
      assertEquals(latency_metrics.provider_sem_wait_ms, 0);
      assertEquals(latency_metrics.provider_name, null);
    });
  }

  Deno.test(`${dialect} strips the suffix of a tool's name`, { ignore }, async () => {
    await using server = await start({ dialect });
    await using client = await connectGreeted(server.url);
    assertEquals((await client.call("r1", "status-EXAI-WS")).length, 2);
    await assertNothingPending(client);
  });

  Deno.test(`${dialect} lists its tools`, { ignore }, async () => {
    await using server = await start({ dialect });
    await using client = await connectGreeted(server.url);
    client.send({ op: "list_tools", request_id: "r2" });
    const { op, request_id, tools, timestamp } = await client.nextJson();
    assertEquals([op, request_id], ["list_tools_res", dialect === "oct" ? undefined : "r2"]);
    assertEquals(
      (tools as Record<string, unknown>[]).map(({ name }) => name),
      ["status", "version", "listmodels", "health", "chat", "analyze", "debug"],
    );
    for (const tool of tools as Record<string, { type?: string }>[]) {
      assert(tool.description && tool.inputSchema.type === "object");
    }
    assertMatch(String(timestamp), /^\d{4}-/);
  });

  Deno.test(`${dialect} reports the progress of a long call`, { ignore }, async () => {
    const chat = { medianMs: 60, sigma: 0 };
    await using server = await start({ dialect, think: { chat }, progressIntervalMs: 10 });
    await using client = await connectGreeted(server.url);
    const frames = await client.call("r1", "chat", { prompt: "hi" });
    assertEquals(opsOf(frames.slice(-2)), ["stream_complete", "call_tool_res"]);
    const progress = frames.slice(0, -2);
    assert(progress.length >= 1);
    for (const { op, request_id } of progress) assertEquals([op, request_id], ["progress", "r1"]);
  });

  Deno.test(`${dialect} reads a call sent as bytes`, { ignore }, async () => {
    await using server = await start({ dialect });
    await using client = await connectGreeted(server.url);
    client.send(new TextEncoder().encode('{"op":"call_tool","request_id":"r1","name":"status"}'));
    assertEquals((await client.nextJson()).op, "stream_complete");
  });
}

Deno.test("nov answers a ping", { ignore }, async () => {
  await using nov = await start({ dialect: "nov" });
  await using client = await connectGreeted(nov.url);
  client.send({ op: "ping", request_id: "p" });
  const { timestamp, ...pong } = await client.nextJson();
  assertEquals(pong, { op: "pong", request_id: "p" });
  assertMatch(String(timestamp), /^\d{4}-/);
});

Deno.test("nov serves a repeat from its cache: one frame, marked", { ignore }, async () => {
  await using server = await start({ dialect: "nov" });
  await using client = await connectGreeted(server.url);
  await using other = await connectGreeted(server.url);
  const [, computed] = await client.call("r1", "version", { a: 1, b: [{ c: 2, d: 3 }] });
  const repeats = [
    await client.call("r2", "version", { a: 1, b: [{ c: 2, d: 3 }] }),
    await other.call("r3", "version-EXAI-WS", { b: [{ d: 3, c: 2 }], a: 1 }),
    await client.call("r1", "version", { b: [{ c: 2, d: 3 }], a: 1 }),
  ];
  for (const [index, frames] of repeats.entries()) {
    const request_id = ["r2", "r3", "r1"][index];
    assertEquals(frames, [{
      op: "call_tool_res",
      request_id,
      outputs: computed.outputs,
      from_cache: true,
    }]);
  }
  assertEquals((await client.call("r5", "version", { a: 2 })).length, 2, "other arguments");
  assertEquals((await client.call("r6", "status", { a: 1 })).length, 2, "another tool");
  assertEquals([server.stats().callsServed, server.stats().callsFromCache], [6, 3]);
});

Deno.test("oct computes a repeat under a new id", { ignore }, async () => {
  await using server = await start();
  await using client = await connectGreeted(server.url);
  assertEquals((await client.call("r1", "version")).length, 2);
  assertEquals((await client.call("r2", "version")).length, 2);
  assertEquals(server.stats().callsFromCache, 0);
});

Deno.test("oct answers a re-used id from memory, whatever is asked", { ignore }, async () => {
  await using server = await start();
  await using client = await connectGreeted(server.url);
  await using other = await connectGreeted(server.url);
  const [, computed] = await client.call("r1", "version");
  assertEquals(await other.call("r1", "listmodels"), [computed]);
  // A connection never sends a frame twice, which leaves these calls unanswered.
  for (const again of [client, other]) {
    again.send({ op: "call_tool", request_id: "r1", name: "status", arguments: {} });
    await assertNothingPending(again);
  }
  const { callsReceived, callsServed, callsUnanswered, framesDropped } = server.stats();
  assertEquals([callsReceived, callsServed, callsUnanswered, framesDropped], [6, 4, 2, 2]);
});

Deno.test("oct answers calls without an id, each on its own", { ignore }, async () => {
  await using server = await start();
  await using client = await connectGreeted(server.url);
  for (let i = 0; i < 2; i++) {
    client.send({ op: "call_tool", name: "version" });
    assertEquals((await client.nextJson()).request_id, null);
    assertEquals((await client.nextJson()).request_id, null);
  }
});

Deno.test("oct lets a call join an identical one in flight", { ignore }, async () => {
  await using server = await start({ think: { chat: { medianMs: 100, sigma: 0 } } });
  await using client = await connectGreeted(server.url);
  await using other = await connectGreeted(server.url);
  const [computed, joined] = await Promise.all([
    client.call("r1", "chat", { prompt: "hi", temperature: 0 }),
    other.call("r2", "chat", { temperature: 0, prompt: "hi" }),
  ]);
  assertEquals(opsOf(computed), ["stream_complete", "call_tool_res"]);
  assertEquals(opsOf(joined), ["call_tool_res"]);
  assertEquals([joined[0].request_id, joined[0].ok, joined[0].from_cache], ["r2", true, undefined]);
  assertEquals(textOf(joined[0]), textOf(computed[1]));
  // A finished call is not joined.
  assertEquals((await other.call("r3", "chat", { prompt: "hi", temperature: 0 })).length, 2);
});

Deno.test("nov computes identical calls in flight separately", { ignore }, async () => {
  const chat = { medianMs: 50, sigma: 0.1 };
  await using server = await start({ dialect: "nov", think: { chat } });
  await using client = await connectGreeted(server.url);
  await using other = await connectGreeted(server.url);
  const both = await Promise.all([
    client.call("r1", "chat", { prompt: "hi" }),
    other.call("r2", "chat", { prompt: "hi" }),
  ]);
  assertEquals(both.map(opsOf), Array(2).fill(["stream_complete", "call_tool_res"]));
  assertNotEquals(textOf(both[0][1]), textOf(both[1][1]));
});

Deno.test("oct refuses an id that is already being processed", { ignore }, async () => {
  await using server = await start({ think: { chat: { medianMs: 100, sigma: 0 } } });
  await using client = await connectGreeted(server.url);
  await using other = await connectGreeted(server.url);
  const [, [refused]] = await Promise.all([
    client.call("r1", "chat", { prompt: "hi" }),
    other.call("r1", "chat", { prompt: "hi" }),
  ]);
  assertEquals(refused, {
    op: "call_tool_res",
    request_id: "r1",
    error: {
      code: "OVER_CAPACITY",
      message: "This request is already being processed (request ID: r1)",
    },
  });
  assertEquals(server.stats().callsRefused, 1);
});

function textOf(frame: Record<string, unknown>): unknown {
  return (frame.outputs as { text: string }[])[0].text;
}
