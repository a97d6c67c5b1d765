import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { SocketExchange } from "../../lib/client/socket_exchange.ts";
import { dial } from "../../lib/client/socket.ts";
import { systemClock } from "../../lib/client/clock.ts";
import { connectTcpEcho, startEchoServer } from "../../lib/server/echo_server.ts";
import { prefixed, PrefixReader } from "../../lib/server/length_prefix.ts";

const ignore = ["net", "read"].some((name) =>
  Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state !== "granted"
);

const FRAMES = ["first", "", "ä€😀\n".repeat(10_000)];

async function dialEcho(url: string): Promise<SocketExchange> {
  return new SocketExchange(await dial({ url, clock: systemClock, timeoutMs: 5_000 }));
}

Deno.test(
  { name: "echo server: over TCP every message gets the ordered reply", ignore },
  async () => {
    await using server = await startEchoServer();
    const [echo, other] = await Promise.all([
      connectTcpEcho(server.tcpPort, { frames: FRAMES, delayMs: 0 }),
      connectTcpEcho(server.tcpPort, { frames: ["other"], delayMs: 1 }),
    ]);
    for (const text of ["a", "", "x".repeat(2e5), "ä\n"]) {
      assertEquals(await Promise.all([echo.ask(text), other.ask(text)]), [FRAMES, ["other"]]);
    }
    const waiting = echo.ask("");
    await waiting;
    echo.close();
    echo.close();
    assertEquals(await echo.ask("to nobody"), null);
    other.close();
  },
);

Deno.test(
  { name: "echo server: over WebSocket every message gets the ordered frames", ignore },
  async () => {
    await using server = await startEchoServer();
    const exchange = await dialEcho(server.url);
    const frames: string[] = [];
    // The order itself is not answered; what is asked next is.
    void exchange.ask(JSON.stringify({ frames: FRAMES, delayMs: 0 }), () => null);
    for (let question = 1; question <= 3; question++) {
      frames.length = 0;
      const seen = await exchange.ask(
        `question ${question}`,
        (text) => frames.push(text) === FRAMES.length ? [...frames] : null,
      );
      assertEquals(seen, FRAMES);
    }
    await exchange.close();
  },
);

Deno.test({ name: "an exchange that is closed gives up its question", ignore }, async () => {
  await using server = await startEchoServer();
  const exchange = await dialEcho(server.url);
  const waiting = exchange.ask(JSON.stringify({ frames: [], delayMs: 0 }), () => "any");
  await exchange.close();
  assertEquals(await waiting, null);
  assertEquals(await exchange.ask("to nobody", () => "any"), null);
});

Deno.test({ name: "echo server: once stopped, both ports are closed", ignore }, async () => {
  const server = await startEchoServer();
  const echo = await connectTcpEcho(server.tcpPort, { frames: ["x"], delayMs: 0 });
  echo.close();
  await server.stop();
  await server.stop();
  await assertRejects(() => connectTcpEcho(server.tcpPort, { frames: [], delayMs: 0 }), Error);
  await assertRejects(() => dialEcho(server.url), ConnectError);
});

Deno.test("length prefix: texts come out as they went in, however the stream is cut", () => {
  const text = fc.string({ unit: "binary", maxLength: 40 });
  fc.assert(
    fc.property(fc.array(text), fc.array(fc.integer({ min: 1, max: 99 })), (texts, cuts) => {
      const bytes = prefixed(...texts);
      const reader = new PrefixReader();
      const seen: string[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const part = bytes.subarray(at, at + (cuts[cut] ?? bytes.length));
        reader.room.set(part);
        for (const body of reader.take(part.length)) seen.push(new TextDecoder().decode(body));
        at += part.length;
      }
      const encoded = texts.map((one) => new TextDecoder().decode(new TextEncoder().encode(one)));
      assertEquals(seen, encoded.map((one) => one.replace(/^\uFEFF/, "")));
    }),
  );
});

Deno.test("length prefix: a body longer than the buffer makes it grow", () => {
  const bytes = prefixed("x".repeat(200_000));
  const reader = new PrefixReader();
  let at = 0;
  let bodies: Uint8Array[] = [];
  while (at < bytes.length) {
    const { room } = reader;
    const part = bytes.subarray(at, at + room.length);
    room.set(part);
    bodies = reader.take(part.length);
    at += part.length;
  }
  assertEquals(bodies.map(({ length }) => length), [200_000]);
});
