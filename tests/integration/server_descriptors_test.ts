import { assertEquals, assertStringIncludes } from "@std/assert";
import { defaultServerOptions, type ServerOptionOverrides } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/serve.ts";
import { connectGreeted, connectTcp } from "../support/raw_client.ts";
import { makeUserFolder, NEEDS_PROCESSES, startServe } from "../support/run_cli.ts";

const ignore = Deno.permissions.querySync({ name: "net" }).state !== "granted";

function start(overrides: ServerOptionOverrides = {}) {
  return startServer(defaultServerOptions({ limits: "off", ...overrides }));
}

const idle = ({ url }: { url: string }) =>
  Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });

/** Resolves when the server has ended the connection. */
async function untilEnded(connection: Deno.TcpConn): Promise<void> {
  const bytes = new Uint8Array(4096);
  while (await connection.read(bytes).catch(() => null) !== null);
  connection.close();
}

Deno.test("a connection that never asks for a WebSocket is ended", { ignore }, async () => {
  await using server = await start({ helloTimeoutMs: 50 });
  const silent = await idle(server);
  const dribbling = await idle(server);
  await dribbling.write(new TextEncoder().encode("GET / HTTP/1.1\r\nX-"));
  await Promise.all([untilEnded(silent), untilEnded(dribbling)]);
});

Deno.test(
  "beyond as many as may be connected the oldest such one is ended",
  { ignore },
  async () => {
    await using server = await start({
      limits: { userRate: null, ipRate: null, globalRate: null, maxConnections: 2 },
    });
    const first = await idle(server);
    const others = await Promise.all(Array.from({ length: 256 }, () => idle(server)));
    await untilEnded(first);
    await using _client = await connectGreeted(server.url);
    for (const connection of others) connection.close();
  },
);

Deno.test("a client that ignores a close is torn down", { ignore }, async () => {
  const server = await start();
  const client = await connectTcp(server.url);
  await client.sendText('{"op":"hello","session_id":"abc"}');
  await server.stop();
  await untilEnded(client.conn);
});

Deno.test("without a token a page of another site is refused", { ignore }, async () => {
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
      `GET / HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${
        origin === "own" ? `http://${host}` : origin
      }\r\n` +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ));
    const bytes = new Uint8Array(100);
    const count = await connection.read(bytes);
    assertStringIncludes(new TextDecoder().decode(bytes.subarray(0, count!)), ` ${status} `);
  }
});

Deno.test("serve survives a lack of descriptors, and warns where others reach it", {
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
