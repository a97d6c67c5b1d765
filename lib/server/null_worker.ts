/**
 * The worker of null_server.ts. It writes WebSocket frames itself, because with
 * `Deno.upgradeWebSocket` the server, not the client, would be the bottleneck of a pipelined loop.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { acceptClients, writeAll } from "./accept_clients.ts";
import type { FromNullWorker } from "./null_server.ts";
import { NullSession } from "./null_session.ts";
import { workerScope } from "./worker_scope.ts";

/** RFC 6455, section 4.2.2: the server appends it to the client's key. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Maximum length of an upgrade request. */
const LONGEST_REQUEST_BYTES = 16_384;

const OUTPUTS = Number(new URL(import.meta.url).searchParams.get("outputs"));

const scope = workerScope<unknown, FromNullWorker>();

try {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  scope.postMessage({ kind: "started", address: listener.addr.port });
  scope.onmessage = () => listener.close();
  void acceptClients(listener, serve).finally(() => scope.postMessage({ kind: "stopped" }));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  scope.postMessage({ kind: "failed", message });
}

/** Serves one client until it closes or disconnects. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  await upgrade(connection);
  const session = new NullSession(OUTPUTS);
  while (!session.isOver) {
    const count = await connection.read(session.room);
    if (count === null) return;
    const replies = session.answer(count);
    if (replies.length > 0) await writeAll(connection, replies);
  }
}

/** Accepts the client's upgrade request without checking it. */
async function upgrade(connection: Deno.TcpConn): Promise<void> {
  const bytes = new Uint8Array(LONGEST_REQUEST_BYTES);
  let filled = 0;
  let request = "";
  while (!request.endsWith("\r\n\r\n")) {
    const count = await connection.read(bytes.subarray(filled));
    // A read of 0 bytes means that the buffer is full.
    if (count === null || count === 0) throw new Error("the client sent no complete request");
    filled += count;
    request = new TextDecoder().decode(bytes.subarray(0, filled));
  }
  const key = /^sec-websocket-key:[ \t]*(\S+)/im.exec(request)?.[1] ?? "";
  const accept = createHash("sha1").update(key + KEY_SUFFIX).digest("base64");
  const response = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
  ];
  await writeAll(connection, new TextEncoder().encode(`${response.join("\r\n")}\r\n\r\n`));
}
