/**
 * Runs a server that does nothing in a worker; null_server.ts starts it. It writes its frames itself,
 * since with `Deno.upgradeWebSocket` it, and not the client, would be what bounds a pipelined loop.
 *
 * @module
 */

import { acceptClients, writeAll } from "./accept_clients.ts";
import { createHash } from "node:crypto";
import { NullSession } from "./null_session.ts";
import type { FromNullWorker } from "./null_server.ts";

/** The part of the worker's global scope in use; the types of the project are those of a window. */
interface WorkerScope {
  onmessage: (() => void) | null;
  postMessage(message: FromNullWorker): void;
}

/** What RFC 6455, section 4.2.2, has a server append to the key of the client. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** No request for an upgrade is longer. */
const LONGEST_REQUEST_BYTES = 16_384;

/** Of each reply: see null_server.ts. */
const OUTPUTS = Number(new URL(import.meta.url).searchParams.get("outputs"));

const scope = globalThis as unknown as WorkerScope;

listen();

function listen(): void {
  try {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    scope.postMessage({ kind: "started", address: listener.addr.port });
    scope.onmessage = () => listener.close();
    void acceptClients(listener, serve).finally(() => scope.postMessage({ kind: "stopped" }));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ kind: "failed", message });
  }
}

/** Serves one client until it closes or goes away. */
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

/** Answers the request for an upgrade, whatever else it asks for. */
async function upgrade(connection: Deno.TcpConn): Promise<void> {
  const bytes = new Uint8Array(LONGEST_REQUEST_BYTES);
  let filled = 0;
  let request = "";
  while (!request.endsWith("\r\n\r\n")) {
    const count = await connection.read(bytes.subarray(filled));
    if (count === null || count === 0) throw new Error("the client sent no whole request");
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
