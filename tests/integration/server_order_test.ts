import { assert, assertEquals } from "@std/assert";
import { connectGreeted } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited as start } from "../support/unlimited_server.ts";

const call = (request_id: string, name: string, args = {}) => ({
  op: "call_tool",
  request_id,
  name,
  arguments: args,
});

Deno.test("pipelined calls are answered in order, heavy ones included", { ignore }, async () => {
  const chat = { medianMs: 10, sigma: 1 };
  await using server = await start({ think: { chat } });
  await using client = await connectGreeted(server.url);
  const ids = Array.from({ length: 200 }, (_, i) => `r${i}`);
  for (const [i, id] of ids.entries()) {
    client.send(i % 40 === 0 ? call(id, "chat", { prompt: id }) : call(id, "status"));
  }
  for (const id of ids) {
    const [first, second] = [await client.nextJson(), await client.nextJson()];
    assertEquals([first.op, first.request_id], ["stream_complete", id]);
    assertEquals([second.op, second.request_id], ["call_tool_res", id]);
  }
});

Deno.test("latency metrics include the wait for an earlier call", { ignore }, async () => {
  await using server = await start({ think: { chat: { medianMs: 150, sigma: 0 } } });
  await using client = await connectGreeted(server.url);
  client.send(call("r1", "chat", { prompt: "a" }));
  client.send(call("r2", "status"));
  for (let i = 0; i < 3; i++) await client.next();
  const waited = JSON.parse(await client.next());
  assertEquals([waited.op, waited.request_id], ["call_tool_res", "r2"]);
  const { latency_ms, global_sem_wait_ms } = waited.outputs[0].metadata.latency_metrics;
  assert(global_sem_wait_ms > 10 && latency_ms >= global_sem_wait_ms, `${global_sem_wait_ms}`);
});

Deno.test("a heavy call does not delay other connections", { ignore }, async () => {
  await using server = await start({ think: { chat: { medianMs: 600_000, sigma: 0 } } });
  await using thinking = await connectGreeted(server.url);
  await using light = await connectGreeted(server.url);
  thinking.send(call("r1", "chat", { prompt: "a" }));
  thinking.send(call("r2", "status"));
  for (let i = 0; i < 20; i++) assertEquals((await light.call(`l${i}`, "status")).length, 2);
  assertEquals(thinking.frames.length, 1, "more than its hello was answered");
  await server.stop();
  assertEquals(server.stats().callsUnanswered, 1, "the heavy call did not end");
});

Deno.test("a client that leaves during its call affects no other", { ignore }, async () => {
  // Longer than the 40 ms for which a client's TCP can hold back small frames.
  await using server = await start({ think: { chat: { medianMs: 150, sigma: 0 } } });
  {
    await using gone = await connectGreeted(server.url);
    gone.send(call("r1", "chat", { prompt: "a" }));
    gone.send(call("r2", "status"));
    gone.send("not JSON: its answer would come last");
  }
  await using client = await connectGreeted(server.url);
  assertEquals((await client.call("r3", "chat", { prompt: "b" })).length, 2);
  const { callsReceived, callsServed, callsUnanswered } = server.stats();
  assertEquals([callsReceived, callsServed, callsUnanswered], [2, 1, 1]);
});

Deno.test("a queue that keeps growing closes the connection", { ignore }, async () => {
  const chat = { medianMs: 600_000, sigma: 0 };
  await using server = await start({ think: { chat }, maxQueuedMessages: 5 });
  await using client = await connectGreeted(server.url);
  client.send(call("r0", "chat", { prompt: "a" }));
  for (let i = 1; i <= 6; i++) client.send(call(`r${i}`, "status"));
  assertEquals(await client.whenClosed(), { code: 1008, reason: "Too many queued messages (6)" });
  assertEquals(server.stats().connections, 0);
});
