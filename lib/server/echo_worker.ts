/**
 * Runs the echoes in a worker; echo_server.ts starts it. The WebSocket is Deno's own, as it is in the
 * reference server, so that what that one adds is its routing and not another way to write frames.
 *
 * @module
 */

import { acceptClients } from "./accept_clients.ts";
import type { EchoOrder, FromEchoWorker } from "./echo_server.ts";
import { prefixed, PrefixReader, writeAll } from "./length_prefix.ts";

/** The part of the worker's global scope in use; the types of the project are those of a window. */
interface WorkerScope {
  onmessage: (() => void) | null;
  postMessage(message: FromEchoWorker): void;
}

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

const scope = globalThis as unknown as WorkerScope;

listen();

function listen(): void {
  try {
    const tcp = Deno.listen(LOOPBACK);
    const ws = Deno.serve({ ...LOOPBACK, onListen() {} }, upgrade);
    scope.postMessage({ kind: "started", address: { tcp: tcp.addr.port, ws: ws.addr.port } });
    scope.onmessage = () => {
      tcp.close();
      void ws.shutdown().finally(() => scope.postMessage({ kind: "stopped" }));
    };
    void acceptClients(tcp, serveTcp);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ kind: "failed", message });
  }
}

/** Serves one client until it goes away. */
async function serveTcp(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const reader = new PrefixReader();
  let order: EchoOrder | null = null;
  let answer = new Uint8Array(0);
  while (true) {
    const count = await connection.read(reader.room);
    if (count === null) return;
    for (const body of reader.take(count)) {
      if (order === null) {
        order = JSON.parse(new TextDecoder().decode(body)) as EchoOrder;
        answer = prefixed(...order.frames);
        continue;
      }
      if (order.delayMs > 0) await delay(order.delayMs);
      await writeAll(connection, answer);
    }
  }
}

function upgrade(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  let order: EchoOrder | null = null;
  const answer = () => {
    if (socket.readyState !== WebSocket.OPEN) return;
    for (const frame of order!.frames) socket.send(frame);
  };
  socket.onerror = (event) => event.preventDefault();
  socket.onmessage = ({ data }) => {
    if (order === null) order = JSON.parse(data) as EchoOrder;
    else if (order.delayMs > 0) void delay(order.delayMs).then(answer);
    else answer();
  };
  return response;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
