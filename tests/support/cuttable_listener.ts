export interface CuttableListener {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts an HTTP server whose handler can cut the TCP connection of a request, even after an
 * upgrade. `Deno.serve` cannot do that, so clients connect to a TCP listener in front of it that
 * forwards the bytes.
 */
export function listenCuttable(
  handler: (request: Request, cut: () => void) => Response,
): CuttableListener {
  const hostname = "127.0.0.1";
  /** By the client port that the HTTP server sees. */
  const connections = new Map<number, { front: Deno.TcpConn; back: Deno.TcpConn }>();
  const server = Deno.serve({ hostname, port: 0, onListen() {} }, (request, { remoteAddr }) => {
    const { port } = remoteAddr as Deno.NetAddr;
    return handler(request, () => cut(port));
  });
  const listener = Deno.listen({ hostname, port: 0 });
  const accepting = (async () => {
    for await (const front of listener) {
      const back = await Deno.connect({ hostname, port: server.addr.port });
      // Otherwise Nagle's algorithm holds small frames back for up to 40 ms.
      for (const conn of [front, back]) conn.setNoDelay();
      const { port } = back.localAddr;
      connections.set(port, { front, back });
      void Promise.allSettled([pass(front, back), pass(back, front)]).then(() => cut(port));
    }
  })();

  function cut(port: number): void {
    const pair = connections.get(port);
    connections.delete(port);
    for (const conn of [pair?.front, pair?.back]) close(conn);
  }

  return {
    port: listener.addr.port,
    async stop() {
      listener.close();
      await accepting;
      for (const port of [...connections.keys()]) cut(port);
      await server.shutdown();
    },
  };
}

async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let length; (length = await from.read(buffer)) !== null;) {
    for (let sent = 0; sent < length;) sent += await to.write(buffer.subarray(sent, length));
  }
  await to.closeWrite();
}

function close(conn: Deno.TcpConn | undefined): void {
  try {
    conn?.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
