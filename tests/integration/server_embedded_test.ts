import { assert, assertEquals, assertRejects } from "@std/assert";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { defaultServerOptions, type ServerOptions } from "../../lib/server/options.ts";
import { lacks } from "../support/permissions.ts";
import { connectGreeted, connectRaw } from "../support/raw_client.ts";

const ignore = lacks("net", "read");
const TOKEN = "a-token-of-28-characters-000";

Deno.test("embedded: serves from a worker, counts, and ends with 1001", { ignore }, async () => {
  const server = await startEmbeddedServer(defaultServerOptions({ token: TOKEN, limits: "off" }));
  assertEquals([server.url, server.token], [`ws://127.0.0.1:${server.port}`, TOKEN]);
  await using client = await connectGreeted(server.url, { token: TOKEN });
  for (const id of ["r1", "r2", "r3"]) assertEquals((await client.call(id, "status")).length, 2);
  await client.call("r4", "x");
  const [stats, again] = await Promise.all([server.stats(), server.stats()]);
  assertEquals([stats.connections, stats.callsServed, stats.callsFailed], [1, 3, 1]);
  assertEquals(again.callsReceived, 4);
  await Promise.all([server.stop(), server.stop()]);
  assertEquals((await client.whenClosed()).code, 1001);
  await server.stop();
  await assertRejects(() => connectRaw(server.url), Error, "Cannot open");
  await assertRejects(() => server.stats(), Error, "Cannot ask the server as it has stopped");
});

Deno.test("embedded: disposing stops it", { ignore }, async () => {
  let url;
  {
    await using server = await startEmbeddedServer(defaultServerOptions());
    url = server.url;
    await using _client = await connectGreeted(url);
  }
  await assertRejects(() => connectRaw(url), Error, "Cannot open");
});

Deno.test("embedded: a port in use is reported", { ignore }, async () => {
  await using first = await startEmbeddedServer(defaultServerOptions());
  const { port } = first;
  await assertRejects(
    () => startEmbeddedServer(defaultServerOptions({ port })),
    Error,
    `Cannot listen on 127.0.0.1:${port} as the port is in use`,
  );
  await using client = await connectGreeted(first.url);
  assert(client);
});

Deno.test("embedded: an unknown host is reported", { ignore }, async () => {
  const options = defaultServerOptions({ hostname: "no-such-host.invalid" });
  await assertRejects(() => startEmbeddedServer(options), Error, "Cannot listen on no-such-host");
});

Deno.test("embedded: bad options are refused before a worker starts", async () => {
  const options: ServerOptions = { ...defaultServerOptions(), port: -1 };
  await assertRejects(() => startEmbeddedServer(options), RangeError, "port is -1");
});

Deno.test("embedded: restarts on the same port without old state", { ignore }, async () => {
  await using server = await startEmbeddedServer(defaultServerOptions({ limits: "off" }));
  await using before = await connectGreeted(server.url);
  await before.call("r1", "status");
  for (let time = 0; time < 2; time++) {
    await server.restart();
    assertEquals((await before.whenClosed()).code, 1001);
    assertEquals((await server.stats()).callsReceived, 0);
    await using after = await connectGreeted(server.url);
    assertEquals((await after.call("r1", "status")).length, 2);
  }
  await server.stop();
  await assertRejects(() => server.restart(), Error, "as it has been stopped");
  await assertRejects(() => connectRaw(server.url), Error, "Cannot open");
});
