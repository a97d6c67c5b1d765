import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import type { RunningServer } from "../../lib/server/serve.ts";
import { connectGreeted, connectRaw, connectTcp } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited as start } from "../support/unlimited_server.ts";

const MIB = 1024 * 1024;
/** Room for many clients of one address, and no rate limits. */
const MANY_CLIENTS = { userRate: null, ipRate: null, globalRate: null, maxConnectionsPerIp: 100 };

async function assertServes(server: RunningServer): Promise<void> {
  await using client = await connectGreeted(server.url);
  const frames = await client.call(crypto.randomUUID(), "version", { at: performance.now() });
  assertEquals(frames.length, 2);
}

/** Resolves when the condition holds; fails after five seconds. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    assertLess(performance.now(), deadline, `still waiting for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const dialect of ["oct", "nov"] as const) {
  Deno.test(`${dialect} survives arguments nested 200,000 deep`, { ignore }, async () => {
    await using server = await start({ dialect });
    await using client = await connectGreeted(server.url);
    const nested = "[".repeat(200_000) + "]".repeat(200_000);
    client.send(`{"op":"call_tool","request_id":"r1","name":"status","arguments":{"a":${nested}}}`);
    client.send(`{"op":"call_tool","request_id":${nested},"name":"status","arguments":{}}`);
    client.send(`{"op":${nested}}`);
    assertEquals((await client.call("r2", "status")).length > 0, true);
    await assertServes(server);
  });
}

Deno.test("survives oversized frames, even those the runtime refuses", { ignore }, async () => {
  await using server = await start();
  for (const bytes of [33 * MIB, 65 * MIB]) {
    await using client = await connectGreeted(server.url);
    client.send("x".repeat(bytes));
    const { code } = await client.whenClosed();
    assert(code === 1009 || bytes > 64 * MIB, `${bytes} bytes: closed with ${code}`);
  }
  await assertServes(server);
});

Deno.test("survives clients that vanish at any point", { ignore }, async () => {
  const chatTime = { medianMs: 20, sigma: 0 };
  await using server = await start({ limits: MANY_CLIENTS, think: { chat: chatTime } });
  const hello = JSON.stringify({ op: "hello", session_id: "abc" });
  const chat = JSON.stringify({
    op: "call_tool",
    request_id: "r",
    name: "chat",
    arguments: { prompt: "a" },
  });
  for (const messages of [[], [hello], [hello, chat], [hello, chat, "{"], ["{"]]) {
    using client = await connectTcp(server.url);
    for (const message of messages) await client.sendText(message);
  }
  {
    using halfFrame = await connectTcp(server.url);
    await halfFrame.sendBytes(new Uint8Array([0x81, 0xff, 0, 0, 0, 0, 0, 1]));
  }
  {
    using reserved = await connectTcp(server.url);
    await reserved.sendBytes(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  }
  await until(() => server.stats().connections === 0);
  await assertServes(server);
});

Deno.test("survives connections cut during the upgrade", { ignore }, async () => {
  await using server = await start();
  const { hostname, port } = new URL(server.url);
  for (let i = 0; i < 20; i++) {
    const conn = await Deno.connect({ hostname, port: Number(port) });
    await conn.write(new TextEncoder().encode(
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ));
    conn.close();
  }
  await assertServes(server);
  await until(() => server.stats().connections === 0);
});

Deno.test("a flood is answered in full, and the server survives it", { ignore }, async () => {
  await using server = await start();
  await using client = await connectGreeted(server.url);
  const calls = 20_000;
  for (let i = 0; i < calls; i++) {
    client.send(`{"op":"call_tool","request_id":"r${i}","name":"status","arguments":{}}`);
  }
  for (let i = 0; i < 2 * calls; i++) await client.next();
  const { callsReceived, callsServed } = server.stats();
  assertEquals([callsReceived, callsServed], [calls, calls]);
  await assertServes(server);
});

Deno.test("a client that does not read is cut off", { ignore }, async () => {
  await using server = await start({ maxQueuedMessages: 1000 });
  using client = await connectTcp(server.url);
  await client.sendText('{"op":"hello","session_id":"abc"}');
  const list = '{"op":"list_tools"}'.padEnd(100);
  const flood = (async () => {
    for (let i = 0; i < 60_000; i++) await client.sendText(list);
  })();
  await until(() => server.stats().connections === 0);
  client[Symbol.dispose]();
  await Promise.allSettled([flood]);
  // At about 2 kB a reply: 8 MiB buffered by the server, plus what the sockets hold.
  assertLess(server.stats().framesSent, 20_000);
  await assertServes(server);
});

Deno.test("a client that reads again is answered again", { ignore }, async () => {
  await using server = await start();
  using slow = await connectTcp(server.url);
  await slow.sendText('{"op":"hello","session_id":"abc"}');
  const calls = 9000;
  for (let i = 0; i < calls; i++) await slow.sendText('{"op":"list_tools"}');
  const reader = slow.conn.readable.getReader();
  while (server.stats().framesSent < calls + 1) await reader.read();
  assertEquals(server.stats().connections, 1);
  reader.releaseLock();
  await assertServes(server);
});

Deno.test("each of many simultaneous clients gets its own answers", { ignore }, async () => {
  await using server = await start({ limits: MANY_CLIENTS });
  await Promise.all(Array.from({ length: 50 }, async (_, index) => {
    await using client = await connectGreeted(server.url, { session_id: `client-${index}` });
    for (let i = 0; i < 20; i++) {
      const frames = await client.call(`${index}-${i}`, "status");
      assertEquals(frames.map(({ request_id }) => request_id), Array(2).fill(`${index}-${i}`));
    }
  }));
  assertEquals(server.stats().callsServed, 1000);
});

Deno.test("messages after a refused hello are ignored", { ignore }, async () => {
  await using server = await start({ token: "sixteen-or-more-characters" });
  await using client = await connectRaw(server.url);
  client.send({ op: "hello", session_id: "abc", token: "wrong" });
  for (let i = 0; i < 5; i++) client.send({ op: "call_tool", request_id: `r${i}`, name: "status" });
  assertEquals((await client.whenClosed()).code, 4003);
  assertEquals([client.frames.length, server.stats().callsReceived], [1, 0]);
});

Deno.test("a server that is stopping accepts no clients", { ignore }, async () => {
  await using server = await start();
  await using held = await connectGreeted(server.url);
  const stopping = server.stop();
  await assertRejects(() => connectRaw(server.url), Error, "Cannot open");
  await stopping;
  assertEquals((await held.whenClosed()).code, 1001);
});
