/**
 * TLS without a look at the certificate. The runtime's WebSocket can only be told so when it starts, so that it speaks
 * without TLS to a relay in this thread, which adds it.
 *
 * @module
 */

import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

/** Where the relay goes to. */
export interface InsecureRelayOptions {
  hostname: string;
  port: number;
  clientCert: { cert: string; key: string } | null;
}

/** Listens on a loopback port. Dispose of it. */
export class InsecureRelay implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #options: InsecureRelayOptions;
  readonly #open = new Set<Disposable>();
  #failure: string | null = null;

  constructor(options: InsecureRelayOptions) {
    this.#options = options;
    void this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Why the last connection to the server failed, once; `null`: it did not. */
  takeFailure(): string | null {
    const failure = this.#failure;
    this.#failure = null;
    return failure;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const one of this.#open) one[Symbol.dispose]();
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) void this.#relay(conn);
    } catch {
      // Out of descriptors: whoever dials hears of it.
    }
  }

  async #relay(conn: Deno.TcpConn): Promise<void> {
    const { hostname, port, clientCert } = this.#options;
    conn.setNoDelay();
    const upstream = connect({
      host: hostname,
      port,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: false,
      ...(/^[\d.]+$|:/.test(hostname) ? {} : { servername: hostname }),
      ...clientCert,
    });
    const end = {
      [Symbol.dispose]: () => {
        upstream.destroy();
        closeQuietly(conn);
      },
    };
    this.#open.add(end);
    try {
      upstream.on("error", ({ message }) => this.#failure = message);
      upstream.setNoDelay(true);
      await once(upstream, "secureConnect");
      await Promise.all([toServer(conn, upstream), toClient(upstream, conn)]);
    } catch {
      // Either side has ended it, which the other is shown by the same.
    } finally {
      end[Symbol.dispose]();
      this.#open.delete(end);
    }
  }
}

async function toServer(conn: Deno.TcpConn, upstream: TLSSocket): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let isFirst = true;
  for (let length; (length = await conn.read(buffer)) !== null;) {
    const chunk = buffer.slice(0, length);
    const bytes = isFirst ? inOriginForm(chunk) : chunk;
    isFirst = false;
    if (!upstream.write(bytes)) await once(upstream, "drain");
  }
  upstream.end();
}

async function toClient(upstream: TLSSocket, conn: Deno.TcpConn): Promise<void> {
  for await (const chunk of upstream as AsyncIterable<Uint8Array>) {
    for (let sent = 0; sent < chunk.length;) sent += await conn.write(chunk.subarray(sent));
  }
  await conn.closeWrite();
}

/** To a proxy, as which the runtime sees the relay, a request names the whole URL; to a server, its path. */
function inOriginForm(request: Uint8Array): Uint8Array {
  const end = request.indexOf(0x0d);
  const line = new TextDecoder().decode(request.subarray(0, end));
  const rest = request.subarray(end);
  const first = new TextEncoder().encode(line.replace(/^GET [a-z]+:\/\/[^/ ]+/i, "GET "));
  const whole = new Uint8Array(first.length + rest.length);
  whole.set(first);
  whole.set(rest, first.length);
  return whole;
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It has been closed already.
  }
}
