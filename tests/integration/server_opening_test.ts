import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { DialectName, ServerOptionOverrides } from "../../lib/server/options.ts";
import { type Closed, connectGreeted, connectRaw, connectTcp } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited } from "../support/unlimited_server.ts";

const TOKEN = "a-token-of-28-characters-000";
const DIALECTS: DialectName[] = ["oct", "nov"];

function start(overrides: ServerOptionOverrides = {}) {
  return startUnlimited({ token: TOKEN, ...overrides });
}

interface Row {
  name: string;
  /** Sent first; `null` sends nothing. */
  first: unknown;
  frame: unknown;
  closed: Closed;
  options?: ServerOptionOverrides;
  only?: DialectName;
}

const hello = (fields = {}) => ({ op: "hello", session_id: "abc", token: TOKEN, ...fields });
const refused = (error: string) => ({ op: "hello_ack", ok: false, error });
const unauthorized = {
  frame: refused("unauthorized"),
  closed: { code: 4003, reason: "unauthorized" },
};
const missed = { frame: null, closed: { code: 4002, reason: "hello timeout or disconnect" } };
// A close frame without a reason.
const broken = { frame: null, closed: { code: 1000, reason: "" } };

const REFUSALS: Row[] = [
  { name: "wrong token", first: hello({ token: "b".repeat(28) }), ...unauthorized },
  { name: "missing token", first: hello({ token: undefined }), ...unauthorized },
  { name: "null token", first: hello({ token: null }), ...unauthorized },
  { name: "empty token", first: hello({ token: "" }), ...unauthorized },
  { name: "beginning of the token", first: hello({ token: TOKEN.slice(0, -1) }), ...unauthorized },
  { name: "number for a token", first: hello({ token: 5 }), ...broken },
  { name: "array for a hello", first: [hello()], ...broken },
  { name: "number for a hello", first: 5, ...broken },
  { name: "empty first message", first: "", ...missed },
  { name: "no hello", first: null, options: { helloTimeoutMs: 20 }, ...missed },
  {
    name: "a call first",
    first: { op: "call_tool", request_id: "r", name: "status", arguments: {} },
    frame: refused("missing_hello"),
    closed: { code: 4001, reason: "missing hello" },
    only: "oct",
  },
  {
    name: "a call first",
    first: { op: "call_tool", request_id: "r", name: "status", arguments: {} },
    frame: refused("missing_hello"),
    closed: { code: 4001, reason: "unrecognized protocol" },
    only: "nov",
  },
  {
    name: "not JSON",
    first: "hello?",
    frame: refused("invalid_hello"),
    closed: { code: 4000, reason: "invalid hello" },
    only: "oct",
  },
  {
    name: "not JSON",
    first: "hello?",
    frame: null,
    closed: { code: 4000, reason: "invalid message" },
    only: "nov",
  },
  { name: "session id of 2", first: hello({ session_id: "ab" }), ...broken, only: "nov" },
  { name: "no session id", first: hello({ session_id: undefined }), ...broken, only: "nov" },
  {
    name: "no jwt",
    first: hello(),
    frame: refused("jwt_required"),
    closed: { code: 4003, reason: "jwt_required" },
    options: { requireJwt: true },
    only: "nov",
  },
];

for (const dialect of DIALECTS) {
  for (const row of REFUSALS.filter(({ only = dialect }) => only === dialect)) {
    Deno.test(`${dialect} refuses: ${row.name}`, { ignore }, async () => {
      await using server = await start({ dialect, ...row.options });
      await using client = await connectRaw(server.url);
      if (row.first !== null) client.send(row.first);
      assertEquals(await client.whenClosed(), row.closed);
      assertEquals(client.frames.map((f) => JSON.parse(f)), row.frame === null ? [] : [row.frame]);
      assertEquals(server.stats().callsReceived, 0);
    });
  }

  Deno.test(`${dialect} accepts the right token`, { ignore }, async () => {
    await using server = await start({ dialect });
    await using client = await connectRaw(server.url);
    const answer = await client.hello({ session_id: "abc", token: TOKEN });
    assertEquals(answer, { op: "hello_ack", ok: true, session_id: "abc" });
  });

  for (const token of [null, "", "15-characters.."]) {
    Deno.test(`${dialect} needs no token if its own is ${token}`, { ignore }, async () => {
      await using server = await start({ dialect, token });
      await using client = await connectGreeted(server.url, { token: "anything" });
      assertEquals((await client.call("r1", "status")).length, 2);
    });
  }

  for (const session_id of ["abc", "A-b_9", "x".repeat(64)]) {
    Deno.test(`${dialect} keeps the session id ${session_id}`, { ignore }, async () => {
      await using server = await start({ dialect });
      await using client = await connectRaw(server.url);
      assertEquals((await client.hello({ session_id, token: TOKEN })).session_id, session_id);
    });
  }
}

for (const session_id of ["ab", "x".repeat(65), "a b c", 12345, undefined, null]) {
  Deno.test(`oct replaces the session id ${session_id}`, { ignore }, async () => {
    await using server = await start();
    await using client = await connectRaw(server.url);
    const answer = await client.hello({ session_id, token: TOKEN });
    assertMatch(String(answer.session_id), /^[0-9a-f-]{36}$/);
  });
}

Deno.test("nov accepts a jwt if it requires one", { ignore }, async () => {
  await using server = await start({ dialect: "nov", requireJwt: true });
  await using client = await connectRaw(server.url);
  assertEquals((await client.hello({ token: TOKEN, jwt: "e.y.J" })).ok, true);
});

Deno.test("a hello sent as bytes is read as text", { ignore }, async () => {
  await using server = await start();
  await using client = await connectRaw(server.url);
  client.send(new TextEncoder().encode(JSON.stringify(hello())));
  assertEquals((await client.nextJson()).ok, true);
});

for (
  const [limit, reason] of [
    ["maxConnectionsPerIp", "Too many connections from your IP (2/2)"],
    ["maxConnections", "Server overloaded - global connection limit reached"],
  ]
) {
  Deno.test(`connection limit ${limit}: 101, then 1008`, { ignore }, async () => {
    await using server = await start({ limits: { [limit]: 2 }, token: null });
    await using first = await connectGreeted(server.url);
    await using second = await connectGreeted(server.url);
    await using third = await connectRaw(server.url);
    assertEquals(await third.whenClosed(), { code: 1008, reason });
    assertEquals((await first.call("r1", "status")).length, 2);
    second.socket.close();
    await second.whenClosed();
    await using fourth = await connectGreeted(server.url);
    assertEquals((await fourth.call("r2", "status")).length, 2);
    assertEquals([server.stats().connections, server.stats().connectionsRefused], [2, 1]);
  });
}

Deno.test("a refused hello frees its slot", { ignore }, async () => {
  await using server = await start({ limits: { maxConnectionsPerIp: 1 } });
  for (let i = 0; i < 3; i++) {
    await using client = await connectRaw(server.url);
    client.send(hello({ token: "wrong" }));
    assertEquals((await client.whenClosed()).code, 4003);
  }
  await using client = await connectRaw(server.url);
  assertEquals((await client.hello({ token: TOKEN })).ok, true);
});

Deno.test("a client that never answers pings is closed", { ignore }, async () => {
  await using server = await start({ idleTimeoutSeconds: 1 });
  using client = await connectTcp(server.url);
  const buffer = new Uint8Array(1024);
  const received: number[] = [];
  for (let length; (length = await client.conn.read(buffer)) !== null;) {
    received.push(...buffer.subarray(0, length));
    if (received.includes(0x88)) break;
  }
  assert(received[0] === 0x89, "no ping came first");
  assertEquals(server.stats().connections, 0);
});

Deno.test("plain HTTP gets 426", { ignore }, async () => {
  await using server = await start();
  const response = await fetch(server.url.replace("ws", "http"));
  assertEquals([response.status, response.headers.get("upgrade")], [426, "websocket"]);
  await response.body?.cancel();
});

Deno.test("a broken upgrade gets 400", { ignore }, async () => {
  await using server = await start();
  const { hostname, port } = new URL(server.url);
  using conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  ));
  const answer = new Uint8Array(1024);
  const length = await conn.read(answer) ?? 0;
  assertMatch(new TextDecoder().decode(answer.subarray(0, length)), /^HTTP\/1.1 400 /);
});

Deno.test("stopping closes every connection with 1001", { ignore }, async () => {
  await using server = await start({ token: null });
  await using greeted = await connectGreeted(server.url);
  await using silent = await connectRaw(server.url);
  await Promise.all([server.stop(), server.stop()]);
  assertEquals((await greeted.whenClosed()).code, 1001);
  assertEquals((await silent.whenClosed()).code, 1001);
  await assertRejects(() => connectRaw(server.url), Error, "Cannot open");
});

Deno.test("a port in use is reported", { ignore }, async () => {
  await using server = await start();
  await assertRejects(
    () => start({ port: server.port }),
    Error,
    `Cannot listen on 127.0.0.1:${server.port} as the port is in use`,
  );
});
