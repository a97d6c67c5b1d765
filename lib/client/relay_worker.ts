/**
 * The relay's worker, started by relay.ts. Forwards each connection to the server without Nagle's
 * algorithm. It removes the order from the request and adds TLS if the server uses it; all other
 * bytes pass unchanged.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { addressOf } from "./redact_url.ts";
import { type FromRelay, ORDER_HEADER, type RelayOrder, type ToRelay } from "./relay.ts";

/** One side of a connection. */
interface Side extends Disposable {
  /** Incoming bytes; each part is valid until the next is requested. */
  parts(): AsyncIterable<Uint8Array>;
  /** Resolves when the system has accepted all of it. */
  write(part: Uint8Array): Promise<void>;
  /** Closes the writing end. */
  end(): Promise<void>;
}

/** Buffers start small and grow while reads fill them, so that idle connections are cheap. */
const FIRST_BYTES = 4_096;
const MOST_BYTES = 65_536;
/** Pause after a failed accept, in milliseconds. */
const PAUSE_MS = 50;
const HEAD_END = "\r\n\r\n";

/** Typed as a Worker because the project is checked with window types. */
const scope = globalThis as unknown as Worker;
const post = (message: FromRelay) => scope.postMessage(message);
const fail = (nth: number | null, error: unknown) =>
  post({ kind: "failed", nth, message: describe(error) });

scope.onmessage = ({ data }: MessageEvent<ToRelay>) => {
  try {
    const { at } = data;
    const listener = at.transport === "unix" ? Deno.listen(at) : Deno.listen(at);
    const port = "port" in listener.addr ? listener.addr.port : 0;
    post({ kind: "listening", port });
    void accept(listener, data);
  } catch (error) {
    fail(null, error);
  }
};

async function accept(listener: Deno.Listener, setup: ToRelay): Promise<void> {
  for (;;) {
    try {
      const client = await listener.accept();
      serve(client, setup).catch(() => {}).finally(() => client[Symbol.dispose]());
    } catch (error) {
      // Usually out of file descriptors; the dial is unknown.
      fail(null, error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function serve(client: Deno.Conn, setup: ToRelay): Promise<void> {
  const { order, head } = await readRequest(client);
  let hasAnswered = false;
  try {
    using server = await reach(order, setup);
    const side = sideOf(client);
    // Errors are ignored so that what the server sent before a reset still gets through.
    const up = server.write(head).then(() => pump(side, server))
      .catch(() => server.end()).catch(() => {});
    await pump(server, side, () => hasAnswered = true);
    await up;
  } catch (error) {
    // In TLS 1.3, a client certificate is refused after the handshake.
    if (hasAnswered) return;
    fail(order.nth, error);
    // Wait until the client, which reads the failure, hangs up: else it would only see an end.
    await client.read(new Uint8Array(1));
  }
}

/** Reads the upgrade request and rewrites it for the server. */
async function readRequest(client: Deno.Conn): Promise<{ order: RelayOrder; head: Uint8Array }> {
  const room = new Uint8Array(16_384);
  let text = "";
  while (!text.includes(HEAD_END)) {
    const count = await client.read(room);
    if (count === null) throw new Error("the client hung up");
    // Header values are bytes, not UTF-8.
    text += String.fromCharCode(...room.subarray(0, count));
  }
  const line = new RegExp(`^${ORDER_HEADER}: (.*)\r\n`, "im");
  const order: RelayOrder = JSON.parse(line.exec(text)![1]!);
  // Clients send a proxy the whole URL.
  const head = text.replace(line, "").replace(/^GET \w+:\/\/[^/ ]*/, "GET ")
    .replace(/^host: .*$/im, `host: ${new URL(order.url).host}`);
  return { order, head: Uint8Array.from(head, (character) => character.charCodeAt(0)) };
}

/** Connects to the server. Errors name the failed step in the words of Deno's WebSocket. */
async function reach(order: RelayOrder, { caCerts, insecure }: ToRelay): Promise<Side> {
  const { url, localAddress } = order;
  const { hostname, port } = addressOf(url);
  const hasTls = url.startsWith("wss:");
  const failedAt = (step: string) => (error: unknown): never => {
    throw new Error(`${step}: ${describe(error)}`);
  };
  if (hasTls && insecure !== null) {
    const socket = connectTls({
      host: hostname,
      port,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: false,
      ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
      ...insecure.clientCert,
    });
    return await openedSide(socket, "secureConnect");
  }
  if (localAddress !== null) {
    const socket = connect({ host: hostname, port, localAddress, allowHalfOpen: true });
    return await openedSide(socket, "connect").catch(failedAt("tcp connect error"));
  }
  const addresses = await lookup(hostname, { all: true }).catch(failedAt("dns error"));
  const tcp = await addresses.reduce(
    (before, { address }) => before.catch(() => Deno.connect({ hostname: address, port })),
    Promise.reject<Deno.TcpConn>(new Error("no address")),
  ).catch(failedAt("tcp connect error"));
  tcp.setNoDelay(true);
  if (!hasTls) return sideOf(tcp);
  const secure = await Deno.startTls(tcp, { hostname, caCerts, alpnProtocols: ["http/1.1"] });
  await secure.handshake().catch((error) => {
    secure[Symbol.dispose]();
    return failedAt("tls handshake")(error);
  });
  return sideOf(secure);
}

/** Wraps a Node socket, which can choose its local address and accept any certificate. */
async function openedSide(socket: Socket, opened: "connect" | "secureConnect"): Promise<Side> {
  let failure: Error | null = null;
  socket.on("error", (error) => failure ??= error);
  await once(socket, opened);
  socket.setNoDelay(true);
  const written = (write: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => write((error) => error ? reject(error) : resolve()));
  return {
    async *parts() {
      yield* socket as AsyncIterable<Uint8Array>;
      if (failure !== null) throw failure; // An earlier error ends the iteration silently.
    },
    write: (part) => written((done) => socket.write(part.slice(), done)),
    end: () => written((done) => socket.end(done)),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function sideOf(connection: Deno.Conn): Side {
  return {
    parts: () => partsOf(connection),
    async write(part) {
      for (let count = 0; count < part.length;) {
        count += await connection.write(part.subarray(count));
      }
    },
    end: () => connection.closeWrite(),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

async function* partsOf(connection: Deno.Conn): AsyncGenerator<Uint8Array> {
  let room = new Uint8Array(FIRST_BYTES);
  for (;;) {
    const count = await connection.read(room);
    if (count === null) return;
    yield room.subarray(0, count);
    if (count === room.length && count < MOST_BYTES) room = new Uint8Array(4 * count);
  }
}

/** Reads only after writing, so that back-pressure passes from one side to the other. */
async function pump(from: Side, to: Side, onPart?: () => void): Promise<void> {
  for await (const part of from.parts()) {
    onPart?.();
    await to.write(part);
  }
  await to.end();
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
