/**
 * Starts a TCP proxy that stops reading from a client after `budgetBytes` and cuts the connection
 * `stallMs` later, like a server that refuses a frame by its length without waiting for the rest.
 */
export function startStallingProxy(
  serverUrl: string,
  { budgetBytes, stallMs }: { budgetBytes: number; stallMs: number },
): AsyncDisposable & { readonly url: string } {
  const { hostname, port } = new URL(serverUrl);
  const listener = Deno.listen({ hostname, port: 0 });
  const open = new Set<Deno.TcpConn>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const accepting = (async () => {
    for await (const front of listener) {
      const back = await Deno.connect({ hostname, port: Number(port) });
      const both = [front, back];
      for (const conn of both) {
        conn.setNoDelay();
        open.add(conn);
      }
      const end = () => {
        for (const conn of both) if (open.delete(conn)) conn.close();
      };
      const stall = () => timers.add(setTimeout(end, stallMs));
      void pass(front, back, { budgetBytes, stall }).catch(end);
      void pass(back, front, { budgetBytes: Infinity, stall }).then(end, end);
    }
  })();
  return {
    url: `ws://${hostname}:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const timer of timers) clearTimeout(timer);
      for (const conn of open) conn.close();
      open.clear();
    },
  };
}

async function pass(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  { budgetBytes, stall }: { budgetBytes: number; stall: () => void },
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let total = 0;
  for (let length; (length = await from.read(buffer)) !== null;) {
    total += length;
    if (total > budgetBytes) return stall();
    for (let sent = 0; sent < length;) sent += await to.write(buffer.subarray(sent, length));
  }
  await to.closeWrite();
}
