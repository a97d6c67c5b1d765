/**
 * Echoes in a worker, one for each transport below a server: to another thread, over bare TCP and
 * over WebSocket. They show what a round trip costs when the server does no work.
 *
 * @module
 */

import { writeAll } from "./accept_clients.ts";
import { type FromListener, ListeningWorker } from "./listening_worker.ts";

/** Sizes, texts and delays of the echoes. */
export interface EchoOrder {
  /** Length of a question over TCP; its content is not read. */
  questionBytes: number;
  /** Answer to each message over WebSocket. An answer over TCP has as many bytes. */
  frames: readonly string[];
  /** Delay before each answer; tests use it to plant a slow transport. */
  delaysMs: { wakeup: number; tcp: number; webSocket: number };
}

/** Ports that the worker listens on. */
export interface EchoPorts {
  tcp: number;
  ws: number;
}
export type FromEchoWorker = FromListener<EchoPorts>;

/** Running echoes. */
export interface EchoServer extends AsyncDisposable {
  /** Echoes each message posted to it. */
  readonly thread: MessagePort;
  /**
   * Connects to the echo over TCP.
   *
   * @param on `answer` is called for each complete answer, `end` when the connection ends
   * @throws {Error} If the server has stopped.
   */
  connectTcp(on: { answer: () => void; end: () => void }): Promise<TcpEcho>;
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts the echoes on free loopback ports. Resolves when they listen.
 *
 * @throws {Error} If they cannot listen, or do not within 20 seconds.
 */
export async function startEchoServer(order: EchoOrder): Promise<EchoServer> {
  const module = new URL("./echo_worker.ts", import.meta.url);
  const worker = new ListeningWorker<EchoPorts>(module, "echo server");
  const { port1: thread, port2 } = new MessageChannel();
  worker.post(order, [port2]);
  const { tcp, ws } = await worker.start();
  const stop = () => {
    thread.close();
    return worker.stop();
  };
  return {
    thread,
    connectTcp: (on) => connectTcp(tcp, { ...on, ...order }),
    url: `ws://127.0.0.1:${ws}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Total length of the texts as UTF-8. */
export function countBytes(...texts: readonly string[]): number {
  return new TextEncoder().encode(texts.join("")).length;
}

/** The client's end of the echo over TCP. */
export interface TcpEcho {
  /** Sends a question. */
  ask(): void;
  close(): void;
}

async function connectTcp(
  port: number,
  { questionBytes, frames, ...on }: EchoOrder & { answer: () => void; end: () => void },
): Promise<TcpEcho> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  const question = new Uint8Array(questionBytes);
  const end = () => {
    on.end();
    connection[Symbol.dispose]();
  };
  readWhole(connection, countBytes(...frames), on.answer).catch(() => {}).finally(end);
  return {
    // If a write fails, so does the read, which ends the connection.
    ask: () => void writeAll(connection, question).catch(() => {}),
    close: end,
  };
}

/** Reads to the end of the stream, calling `onWhole` once for every `bytes` bytes read. */
export async function readWhole(
  connection: Pick<Deno.TcpConn, "read">,
  bytes: number,
  onWhole: () => void,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let seen = 0;
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    seen += count;
    for (; seen >= bytes; seen -= bytes) onWhole();
  }
}
