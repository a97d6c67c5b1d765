/** Answers a request; `cut` ends its TCP connection without a word, whatever it has become. */
export type CuttableHandler = (request: Request, cut: () => void) => Response;

export interface CuttableListener {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * An HTTP server whose connections can be cut. `Deno.serve` has no way to do that, so that clients
 * connect to a TCP listener in front of it, which passes the bytes on.
 */
export function listenCuttable(handler: CuttableHandler): CuttableListener {
  const hostname = "127.0.0.1";
  /** By the port under which the server behind sees the connection. */
  const connections = new Map<number, { front: Deno.TcpConn; back: Deno.TcpConn }>();
  const server = Deno.serve({ hostname, port: 0, onListen() {} }, (request, { remoteAddr }) => {
    const { port } = remoteAddr as Deno.NetAddr;
    return handler(request, () => cut(port));
  });
  const listener = Deno.listen({ hostname, port: 0 });
  const accepting = (async () => {
    for await (const front of listener) {
      const back = await Deno.connect({ hostname, port: server.addr.port });
      // Or the kernel holds small frames back until earlier ones are acknowledged, up to 40 ms.
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
