/**
 * The worker of echo_server.ts. Its WebSocket is Deno's, as in the reference server, so the
 * difference between the two is the server's own work and not another way to write frames.
 *
 * @module
 */

import { acceptClients, writeAll } from "./accept_clients.ts";
import { countBytes, type EchoOrder, type FromEchoWorker, readWhole } from "./echo_server.ts";
import { workerScope } from "./worker_scope.ts";

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

const scope = workerScope<EchoOrder, FromEchoWorker>();

scope.onmessage = ({ data, ports: [thread] }) => {
  try {
    listen(data, thread!);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ kind: "failed", message });
  }
};

function listen(order: EchoOrder, thread: MessagePort): void {
  const { delaysMs } = order;
  thread.onmessage = ({ data }) => after(delaysMs.wakeup, () => thread.postMessage(data));
  const tcp = Deno.listen(LOOPBACK);
  const ws = Deno.serve({ ...LOOPBACK, onListen() {} }, (request) => upgrade(request, order));
  scope.postMessage({ kind: "started", address: { tcp: tcp.addr.port, ws: ws.addr.port } });
  scope.onmessage = () => {
    tcp.close();
    void ws.shutdown().finally(() => scope.postMessage({ kind: "stopped" }));
  };
  void acceptClients(tcp, (connection) => serveTcp(connection, order));
}

/** Serves one client until it disconnects. */
function serveTcp(
  connection: Deno.TcpConn,
  { questionBytes, frames, delaysMs }: EchoOrder,
): Promise<void> {
  connection.setNoDelay(true);
  const answer = new Uint8Array(countBytes(...frames));
  const write = () => void writeAll(connection, answer).catch(() => {});
  return readWhole(connection, questionBytes, () => after(delaysMs.tcp, write));
}

function upgrade(request: Request, { frames, delaysMs }: EchoOrder): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  const answer = () => {
    if (socket.readyState !== WebSocket.OPEN) return;
    for (const frame of frames) socket.send(frame);
  };
  socket.onerror = (event) => event.preventDefault();
  socket.onmessage = () => after(delaysMs.webSocket, answer);
  return response;
}

function after(milliseconds: number, work: () => void): void {
  if (milliseconds > 0) setTimeout(work, milliseconds);
  else work();
}
