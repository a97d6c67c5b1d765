/**
 * The relay that avoids Nagle's algorithm: servers and clients see no difference.
 *
 * @module
 */

import fc from "fast-check";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { Relay } from "../../lib/client/relay.ts";
import type { Socket } from "../../lib/client/socket.ts";
import type { Target, TargetOptions } from "../../lib/client/target.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { sharedNoDelay } from "../../lib/run/ab.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { payloadSize } from "../../scenarios/payload_size/mod.ts";
import { scaling } from "../../scenarios/scaling.ts";
import { freePort } from "../support/peer_process.ts";
import { lacks } from "../support/permissions.ts";
import {
  makeUserFolder,
  NEEDS_PROCESSES,
  runCli,
  SHORT_RUN,
  startCli,
} from "../support/run_cli.ts";
import {
  metricNamed,
  runScenario,
  runScenarios,
  startReference,
} from "../support/run_scenarios.ts";
import { startScriptedServer } from "../support/scripted_server.ts";
import { targetAt } from "../support/targets.ts";
import { CA_CERT, SERVER_CERT, SERVER_KEY } from "../support/test_certificate.ts";

const options = { ignore: Deno.build.os === "windows" || lacks("net", "read", "write") };

const BOTH = [{ relayed: false }, { relayed: true }];

function startRelay(caCert: string | null = null): Relay {
  return new Relay({ caCert, onWarning: (message) => assert(false, message) });
}

function relayedTarget(url: string, through: Relay, more: Partial<TargetOptions> = {}): Target {
  return targetAt(url, { relay: { through, always: false, callBytes: 0 }, ...more });
}

/** A TCP server that hands each connection to `serve` and closes it afterwards. */
function listenTcp(serve: (connection: Deno.TcpConn) => Promise<unknown>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      served.push(
        serve(connection).finally(() => {
          try {
            connection.close();
          } catch {
            // The test closed it.
          }
        }),
      );
    }
  })();
  return {
    url: `ws://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await Promise.all([accepting, ...served]);
    },
  };
}

/** Reads the upgrade request. */
async function readHead(connection: Deno.TcpConn): Promise<string> {
  const room = new Uint8Array(65_536);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    text += new TextDecoder().decode(room.subarray(0, (await connection.read(room))!));
  }
  return text;
}

/** Accepts the upgrade request, per RFC 6455, section 4.2.2. */
async function upgrade(connection: Deno.TcpConn): Promise<void> {
  const [, key] = /^sec-websocket-key: (.*)\r$/im.exec(await readHead(connection))!;
  const bytes = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const accept = btoa(String.fromCharCode(
    ...new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)),
  ));
  await connection.write(new TextEncoder().encode(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  ));
}

/** Counts bytes until there are `most`, or the client has sent its last. */
async function countBytes(connection: Deno.TcpConn, most = Infinity): Promise<number> {
  const room = new Uint8Array(Math.min(most, 65_536));
  let bytes = 0;
  while (bytes < most) {
    const count = await connection.read(room).catch(() => null);
    if (count === null) return bytes;
    bytes += count;
  }
  return bytes;
}

/** An echo server with TLS. */
function serveTls() {
  const where = { hostname: "127.0.0.1", port: 0, onListen() {} };
  return Deno.serve({ ...where, cert: SERVER_CERT, key: SERVER_KEY }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}

/** Sets the folder of temporary files until it is disposed of. */
function useTemporaryFolder(path: string): Disposable {
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", path);
  return {
    [Symbol.dispose]() {
      if (before === undefined) Deno.env.delete("TMPDIR");
      else Deno.env.set("TMPDIR", before);
    },
  };
}

function nextText(socket: Socket): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  socket.onText((text) => {
    socket.onText(null);
    resolve(text);
  });
  return promise;
}

Deno.test("relay: frames pass unchanged in both directions", options, async () => {
  await using server = startScriptedServer((peer, _, text) => peer.send(text));
  await using relay = startRelay();
  using target = relayedTarget(server.url, relay);
  const socket = await target.dial({ relayed: true });
  const frame = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.integer({ min: 900, max: 300_000 }).map((length) => "é".repeat(length)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
      const back: (string | null)[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.onText((text) => back.push(text) === frames.length && resolve());
      for (const text of frames) socket.send(text);
      await promise;
      socket.onText(null);
      assertEquals(back, frames);
    }),
    { numRuns: 20 },
  );
  assertEquals((await socket.close()).code, 1000);
});

Deno.test("relay: the server sees the same request", options, async () => {
  const heads: string[] = [];
  await using server = listenTcp(async (connection) => {
    heads.push(await readHead(connection));
  });
  await using relay = startRelay();
  const url = server.url.replace("127.0.0.1", "user:pass@localhost");
  using target = relayedTarget(`${url}/a%20path?q=http://x/y`, relay, {
    headers: { "X-Name": "höst: value", "X-Other": "2" },
    subprotocols: ["one", "two"],
  });
  for (const how of BOTH) await assertRejects(() => target.dial(how), ConnectError);
  const [direct, relayed] = heads.map((head) =>
    head.replace(/^(sec-websocket-key: ).*/im, "$1").split("\r\n")
  );
  assertEquals(direct![0], "GET /a%20path?q=http://x/y HTTP/1.1");
  assertEquals(relayed!.toSorted(), direct!.toSorted());
  assertEquals(relayed![0], direct![0]);
});

Deno.test("relay: close codes, reasons and cuts are passed on", options, async () => {
  const seen = Promise.withResolvers<void>();
  await using server = startScriptedServer((peer, _, text) => {
    if (text === "close") peer.close(4008, "Rate limited.");
    if (text === "cut") peer.cut();
    if (text === "hello") seen.resolve();
  });
  await using relay = startRelay();
  using target = relayedTarget(server.url, relay);
  for (const said of ["close", "cut"]) {
    const ends = [];
    for (const how of BOTH) {
      const socket = await target.dial(how);
      socket.send(said);
      const { code, reason, ours } = await socket.closed;
      ends.push({ code, reason, ours });
    }
    assertEquals(ends[1], ends[0], said);
    if (said === "close") {
      assertEquals(ends[1], { code: 4008, reason: "Rate limited.", ours: false });
    }
  }
});

Deno.test("relay: resets and half-closes are passed on", options, async () => {
  for (const isReset of [true, false]) {
    await using server = listenTcp(async (connection) => {
      await upgrade(connection);
      // Closing a connection with unread bytes resets it.
      await countBytes(connection, isReset ? 1 : 106);
      if (isReset) return;
      await connection.write(Uint8Array.of(0x81, 3, 0x62, 0x79, 0x65));
      await connection.closeWrite();
      // Until the client closes too.
      await countBytes(connection);
    });
    await using relay = startRelay();
    using target = relayedTarget(server.url, relay);
    const ends = [];
    for (const how of BOTH) {
      const socket = await target.dial(how);
      socket.send("x".repeat(100));
      if (!isReset) assertEquals(await nextText(socket), "bye");
      const { code, reason } = await socket.closed;
      ends.push({ code, reason });
    }
    assertEquals(ends[1], ends[0]);
  }
});

Deno.test("relay: unreachable servers fail as they do without it", options, async () => {
  const refused = `ws://127.0.0.1:${freePort()}`;
  await using unavailable = listenTcp(async (connection) => {
    await readHead(connection);
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"),
    );
  });
  await using silent = listenTcp((connection) => readHead(connection).then(() => {}));
  await using relay = startRelay();
  for (const url of [refused, unavailable.url, silent.url]) {
    using target = relayedTarget(url, relay);
    const failures = [];
    for (const how of BOTH) {
      const { failure, details } = await assertRejects(() => target.dial(how), ConnectError);
      failures.push({ failure, details });
    }
    assertEquals(failures[1], failures[0]);
  }
  using nowhere = relayedTarget(refused, relay);
  // Each gets its own failure.
  const many = await Promise.allSettled(
    Array.from({ length: 5 }, () => nowhere.dial({ relayed: true })),
  );
  for (const one of many) {
    assert(one.status === "rejected" && one.reason.failure === "refused");
    assert(/: connection refused$/.test(one.reason.message), one.reason.message);
  }
});

Deno.test("relay: a server that stops reading causes backpressure", options, async () => {
  const BYTES = 32 * 2 ** 20;
  const HEAD_BYTES = 14;
  const mayRead = Promise.withResolvers<void>();
  const all = Promise.withResolvers<number>();
  await using server = listenTcp(async (connection) => {
    await upgrade(connection);
    await mayRead.promise;
    all.resolve(await countBytes(connection, BYTES + HEAD_BYTES));
  });
  await using relay = startRelay();
  using target = relayedTarget(server.url, relay);
  const socket = await target.dial({ relayed: true });
  socket.send("x".repeat(BYTES));
  // Far longer than the transfer takes.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert(socket.unsentBytes! > 0, `${socket.unsentBytes}`);
  mayRead.resolve();
  while (socket.unsentBytes! > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(await all.promise, BYTES + HEAD_BYTES);
  await socket.closed;
});

Deno.test("relay: TLS works, and an untrusted certificate is refused", options, async () => {
  await using server = serveTls();
  const url = `wss://localhost:${server.addr.port}`;
  await using relay = startRelay(CA_CERT);
  using target = relayedTarget(url, relay, { caCert: CA_CERT });
  assertEquals([target.relays(), target.relaysOpenings], [false, true]);
  const socket = await target.dial();
  assertEquals(relay.dials, 1);
  const text = "x".repeat(100_000);
  socket.send(text);
  assertEquals(await nextText(socket), text);
  assertEquals((await socket.close()).code, 1000);
  await using distrustful = startRelay();
  using other = relayedTarget(url, distrustful);
  const { failure, message } = await assertRejects(() => other.dial(), ConnectError);
  assertEquals(failure, "tls");
  assert(/UnknownIssuer/.test(message), message);
});

Deno.test({
  name: "relay: connections come from the requested address",
  ignore: options.ignore || Deno.build.os !== "linux",
  async fn() {
    const BYTES = 200_000;
    const addresses: string[] = [];
    const bytes: number[] = [];
    await using server = listenTcp(async (connection) => {
      addresses.push(connection.remoteAddr.hostname);
      await upgrade(connection);
      bytes.push(await countBytes(connection, BYTES));
    });
    await using relay = startRelay();
    using target = relayedTarget(server.url, relay);
    const client = target.clientFrom("127.0.0.5");
    for (const from of [{ client }, {}]) {
      const socket = await target.dial({ ...from, relayed: true });
      socket.send("x".repeat(BYTES));
      await socket.closed;
    }
    assertEquals(addresses, ["127.0.0.5", "127.0.0.1"]);
    assert(bytes.every((count) => count >= BYTES));
    client.close();
  },
});

Deno.test("relay: its socket is in a private folder, which is removed", options, async () => {
  await using server = await startReference();
  await using stack = new AsyncDisposableStack();
  const temporary = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(temporary));
  stack.use(useTemporaryFolder(temporary));
  for (const isExit of [false, true]) {
    await using relay = startRelay();
    using target = relayedTarget(server.url, relay);
    assertEquals(await namesIn(temporary), []);
    const connection = await target.connect(openLedger(), { relayed: true });
    await connection.close();
    const [name, ...others] = await namesIn(temporary);
    assertEquals(others, []);
    const { mode } = await Deno.stat(`${temporary}/${name}`);
    assertEquals(mode! & 0o777, 0o700);
    assertEquals(await namesIn(`${temporary}/${name}`), ["socket"]);
    // Deno.exit dispatches this event too.
    if (isExit) globalThis.dispatchEvent(new Event("unload"));
    else await relay[Symbol.asyncDispose]();
    assertEquals(await namesIn(temporary), []);
  }
});

Deno.test("relay: if it cannot start, one warning is printed and runs go on", options, async () => {
  await using server = await startReference();
  const warnings: string[] = [];
  using _ = useTemporaryFolder("/nonexistent");
  await using relay = new Relay({ caCert: null, onWarning: (message) => warnings.push(message) });
  using target = relayedTarget(server.url, relay);
  for (const how of [{ relayed: true }, { relayed: true }]) {
    const connection = await target.connect(openLedger(), how);
    await connection.close();
  }
  assertEquals(warnings.length, 1);
  assert(/--no-delay.*No such file/.test(warnings[0]!), warnings[0]);
  assertEquals([relay.dials, target.hasRelay], [0, false]);
});

Deno.test("relay: long calls use it, the floor's too; short ones do not", options, async () => {
  await using server = await startReference();
  const CALLS = { messages: 10, durationMs: null };
  for (const [callBytes, dials] of [[100, 0], [1_100, 2]] as const) {
    await using through = startRelay();
    const relay = { through, always: false, callBytes };
    await runScenario(messageThroughput, CALLS, { ...server, epochs: 1, cold: true, relay });
    assertEquals(through.dials, dials);
  }
  await using through = startRelay();
  const relay = { through, always: false, callBytes: 100 };
  const options = { ...server, epochs: 1, cold: true, relay };
  const { notes, status } = await runScenario(
    payloadSize,
    { ...CALLS, highestBytes: 4096 },
    options,
  );
  assertEquals([status, through.dials], ["passed", 2]);
  assertEquals(notes?.map(({ message }) => message), [
    "calls of 1 KiB, 4 KiB go through a local relay without Nagle's algorithm (docs/method.md)",
  ]);
});

Deno.test("relay: handshakes ending in two messages use it", options, async () => {
  await using relay = startRelay();
  using target = relayedTarget("ws://127.0.0.1:1", relay, { protocol: mcp });
  assertEquals([target.relays(), target.relaysOpenings], [false, true]);
  using exai = relayedTarget("ws://127.0.0.1:1", relay);
  assertEquals([exai.relays(), exai.relaysOpenings], [false, false]);
});

Deno.test("relay: with TLS, timed openings use it and calls go directly", options, async () => {
  await using server = serveTls();
  await using through = startRelay(CA_CERT);
  const { metrics, notes, status } = await runScenario(
    concurrentConnections,
    { connections: 3, messages: 5, durationMs: null },
    {
      ...{ url: `wss://localhost:${server.addr.port}`, caCert: CA_CERT, protocol: echo },
      ...{ epochs: 1, cold: true, relay: { through, always: false, callBytes: 100 } },
    },
  );
  assertEquals([status, through.dials], ["passed", 3]);
  const establish = metrics.find(({ name }) => name === "establish");
  assert(establish?.kind === "distribution" && establish.count === 3);
  assert(
    notes?.some(({ message }) => message.startsWith("openings timed as establish go through")),
  );
});

Deno.test("relay: without it, frames held back by the client are reported", options, async () => {
  await using server = startScriptedServer((peer, message) => {
    const { id, method } = message as unknown as { id?: number; method?: string };
    const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: {} };
    if (method === "initialize") peer.send({ jsonrpc: "2.0", id, result });
  });
  await using through = startRelay();
  const relay = { through, always: false, callBytes: 100 };
  for (const [given, kind] of [[{ relay }, "relayed"], [{}, "heldBack"]] as const) {
    const how = { url: server.url, protocol: mcp, epochs: 1, cold: true, ...given };
    const { notes, validity, checks } = await runScenario(
      connectionEstablishment,
      { connects: 2 },
      how,
    );
    assertEquals(checks.filter(({ passed }) => !passed), []);
    const facts = [...notes ?? [], ...validity.warnings].map((fact) => fact.kind);
    assertEquals(facts.filter((one) => one === "relayed" || one === "heldBack"), [kind]);
  }
});

Deno.test("relay: two compared servers are reached the same way", () => {
  const plain = { url: "ws://a", noDelay: "auto" } as const;
  const tls = { ...plain, url: "wss://a" };
  assertEquals(sharedNoDelay({ a: plain, b: plain }), "auto");
  assertEquals(sharedNoDelay({ a: tls, b: tls }), "auto");
  assertEquals(sharedNoDelay({ a: plain, b: tls }), "on");
  assertEquals(sharedNoDelay({ a: { ...plain, noDelay: "off" }, b: tls }), "off");
});

const cli = { ignore: options.ignore || NEEDS_PROCESSES };

Deno.test("relay: a run with workers reports it and cleans up", cli, async () => {
  await using folder = await makeUserFolder();
  const env = { TMPDIR: await Deno.makeTempDir({ dir: folder.path }) };
  const short = ["--profile", "quick", "--epochs", "1", "--warmup", "0", "--duration", "0.05"];
  const how = ["--scenarios", "concurrent-connections", "--no-delay", "on", "--workers", "2"];
  const args = [...short, ...how];
  const { code, stdout, stderr } = await runCli(args, { folder: folder.path, env });
  assertEquals(code, 0, stderr);
  assert(/exai, through a relay without\s+Nagle's algorithm/.test(stdout), stdout);
  assertEquals((await folder.report()).target.noDelay, true);
  assertEquals(await namesIn(env.TMPDIR), []);
});

Deno.test("relay: Ctrl-C cleans up", cli, async () => {
  await using folder = await makeUserFolder();
  const env = { TMPDIR: await Deno.makeTempDir({ dir: folder.path }) };
  const args = [...SHORT_RUN, "--no-delay", "on", "--duration", "25"];
  await using running = startCli(args, { folder: folder.path, env });
  await running.waitFor("stderr", /\[epoch/);
  assertEquals((await namesIn(env.TMPDIR)).length, 1);
  running.kill("SIGINT");
  assertEquals((await running.result).code, 130);
  assertEquals(await namesIn(env.TMPDIR), []);
});

Deno.test("relay: scaling leaves room for the large calls' connection", options, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 4 } });
  const few = { messages: 2, durationMs: null };
  const run = async (...planned: Parameters<typeof runScenarios>[0]) => {
    await using through = startRelay();
    const relay = { through, always: false, callBytes: 0 };
    const { scenarios } = await runScenarios(planned, { ...server, epochs: 1, cold: true, relay });
    return scenarios;
  };
  const both = await run([scaling, few], [payloadSize, { ...few, highestBytes: 1024 }]);
  assertEquals(both.map(({ status, reason }) => [status, reason]), Array(2).fill(["passed", null]));
  metricNamed(both[0]!, "throughput", "scalar", { clients: 3 });
  const [alone] = await run([scaling, few]);
  metricNamed(alone!, "throughput", "scalar", { clients: 4 });
});
