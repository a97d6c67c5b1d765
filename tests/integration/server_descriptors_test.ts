import { assertEquals, assertStringIncludes } from "@std/assert";
import { connectGreeted, connectTcp } from "../support/raw_client.ts";
import { makeUserFolder, NEEDS_PROCESSES, startServe } from "../support/run_cli.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited as start } from "../support/unlimited_server.ts";

const idle = ({ url }: { url: string }) =>
  Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });

/** Resolves when the server ends the connection. */
async function untilEnded(connection: Deno.TcpConn): Promise<void> {
  const bytes = new Uint8Array(4096);
  while (await connection.read(bytes).catch(() => null) !== null);
  connection.close();
}

Deno.test("a connection that never becomes a WebSocket is closed", { ignore }, async () => {
  await using server = await start({ helloTimeoutMs: 50 });
  const silent = await idle(server);
  const dribbling = await idle(server);
  await dribbling.write(new TextEncoder().encode("GET / HTTP/1.1\r\nX-"));
  await Promise.all([untilEnded(silent), untilEnded(dribbling)]);
});

Deno.test("too many connections without an upgrade close the oldest", { ignore }, async () => {
  await using server = await start({
    limits: { userRate: null, ipRate: null, globalRate: null, maxConnections: 2 },
  });
  const first = await idle(server);
  const others = await Promise.all(Array.from({ length: 256 }, () => idle(server)));
  await untilEnded(first);
  await using _client = await connectGreeted(server.url);
  for (const connection of others) connection.close();
});

Deno.test("a client that ignores a close is cut off", { ignore }, async () => {
  const server = await start();
  const client = await connectTcp(server.url);
  await client.sendText('{"op":"hello","session_id":"abc"}');
  await server.stop();
  await untilEnded(client.conn);
});

Deno.test("without a token, pages of other sites are refused", { ignore }, async () => {
  for (
    const [token, origin, status] of [
      [null, "https://example.com", 403],
      [null, "own", 101],
      ["sixteen-characters", "https://example.com", 101],
    ] as const
  ) {
    await using server = await start({ token });
    const host = `127.0.0.1:${server.port}`;
    using connection = await idle(server);
    await connection.write(new TextEncoder().encode(
      `GET / HTTP/1.1\r\nHost: ${host}\r\n` +
        `Origin: ${origin === "own" ? `http://${host}` : origin}\r\n` +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ));
    const bytes = new Uint8Array(100);
    const count = await connection.read(bytes);
    assertStringIncludes(new TextDecoder().decode(bytes.subarray(0, count!)), ` ${status} `);
  }
});

Deno.test("serve survives a lack of descriptors, and warns if others can reach it", {
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows",
}, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--host", "0.0.0.0"], {
    folder: folder.path,
    descriptors: 100,
  });
  const connections = await Promise.all(Array.from({ length: 150 }, () => idle(server)));
  await using client = await connectGreeted(server.url);
  assertEquals((await client.call("r1", "status")).length, 2);
  for (const connection of connections) connection.close();
  server.kill("SIGINT");
  const { stderr } = await server.result;
  assertStringIncludes(stderr, "warning: 0.0.0.0 is open to other machines");
});
