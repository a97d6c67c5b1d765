/**
 * Runs the relay in a worker; relay.ts starts it. Each connection to its socket becomes one to the server, without
 * Nagle's algorithm. But for the order, which it takes out of the request, and for TLS, which it adds where the
 * server has it, what comes in goes out as it is.
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
  /** What comes in; each part may be used until the next is asked for. */
  parts(): AsyncIterable<Uint8Array>;
  /** Resolves when the system has taken all of it. */
  write(part: Uint8Array): Promise<void>;
  /** Says that nothing more will be written. */
  end(): Promise<void>;
}

/** A buffer grows as long as it is filled at once, so that many connections with small frames cost little. */
const FIRST_BYTES = 4_096;
const MOST_BYTES = 65_536;
/** After a connection could not be accepted, in milliseconds. */
const PAUSE_MS = 50;
const HEAD_END = "\r\n\r\n";

/** Typed as its other end is: the types of the project are those of a window. */
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
      // As a rule too few descriptors; whose connection it was nobody knows.
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
    // What the server has sent before it reset the connection comes through all the same.
    const up = server.write(head).then(() => pump(side, server))
      .catch(() => server.end()).catch(() => {});
    await pump(server, side, () => hasAnswered = true);
    await up;
  } catch (error) {
    // In TLS 1.3, a client certificate is refused after the handshake.
    if (hasAnswered) return;
    fail(order.nth, error);
    // The client hangs up when it has read that, and would else see only an end.
    await client.read(new Uint8Array(1));
  }
}

/** Reads the request for an upgrade, and makes it what the server is to see. */
async function readRequest(client: Deno.Conn): Promise<{ order: RelayOrder; head: Uint8Array }> {
  const room = new Uint8Array(16_384);
  let text = "";
  while (!text.includes(HEAD_END)) {
    const count = await client.read(room);
    if (count === null) throw new Error("the client hung up");
    // Header values are bytes.
    text += String.fromCharCode(...room.subarray(0, count));
  }
  const line = new RegExp(`^${ORDER_HEADER}: (.*)\r\n`, "im");
  const order: RelayOrder = JSON.parse(line.exec(text)![1]!);
  // To a proxy, a client names the whole URL.
  const head = text.replace(line, "").replace(/^GET \w+:\/\/[^/ ]*/, "GET ")
    .replace(/^host: .*$/im, `host: ${new URL(order.url).host}`);
  return { order, head: Uint8Array.from(head, (character) => character.charCodeAt(0)) };
}

/** Connects to the server; what it throws says at what it failed, as Deno's WebSocket says it. */
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

/** A socket of Node's, for what Deno's cannot: choose the address it comes from, or take any certificate. */
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
      if (failure !== null) throw failure; // One before the first look ends them without a word.
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

/** Reads no further than it has written, so that a side that stops reading is felt on the other. */
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
