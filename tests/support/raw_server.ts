/**
 * Servers that break the rules below WebSocket, HTTP or TLS.
 *
 * @module
 */

/** Starts a TCP or TLS server on a free loopback port that passes each connection to `serve`. */
export function startTcp(
  serve: (conn: Deno.Conn, nth: number) => Promise<void>,
  tls?: { cert: string; key: string },
): AsyncDisposable & { readonly port: number; readonly connections: number } {
  const address = { hostname: "127.0.0.1", port: 0 };
  const listener = tls === undefined
    ? Deno.listen(address)
    : Deno.listenTls({ ...address, ...tls });
  const conns: Deno.Conn[] = [];
  const accepting = (async () => {
    const serving: Promise<void>[] = [];
    while (true) {
      const conn = await listener.accept().catch(() => null);
      if (conn === null) break;
      conns.push(conn);
      serving.push(serve(conn, conns.length).catch(() => {})); // Clients may end it in any way.
    }
    await Promise.all(serving);
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    get connections() {
      return conns.length;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) closeQuietly(conn);
      await accepting;
    },
  };
}

/** Reads until the client ends the connection. */
export async function readAll(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  while (await conn.read(buffer) !== null);
}

/** Answers the first request with bytes and ends the connection. */
export function answering(answer: string | Uint8Array): (conn: Deno.Conn) => Promise<void> {
  const bytes = typeof answer === "string" ? new TextEncoder().encode(answer) : answer;
  return async (conn) => {
    await conn.read(new Uint8Array(4096));
    await conn.write(bytes);
    closeQuietly(conn);
  };
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Already closed.
  }
}
