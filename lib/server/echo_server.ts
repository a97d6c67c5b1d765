/**
 * Echoes in a worker of this process, one for each way that a message takes below a server: to another thread,
 * over bare TCP and over WebSocket. They show what the way to a server and back costs where nobody is at home.
 *
 * @module
 */

import { writeAll } from "./accept_clients.ts";
import { type FromListener, ListeningWorker } from "./listening_worker.ts";

/** What the echoes are asked and answer. */
export interface EchoOrder {
  /** How long a question is over TCP, where it is bytes that nobody reads. */
  questionBytes: number;
  /** Answer every message over WebSocket; as many bytes answer one over TCP. */
  frames: readonly string[];
  /** How long each answer waits, in milliseconds: 0 but where a slow way is to be seen. */
  delaysMs: { wakeup: number; tcp: number; webSocket: number };
}

/** What the worker posts when it listens. */
export interface EchoPorts {
  tcp: number;
  ws: number;
}
export type FromEchoWorker = FromListener<EchoPorts>;

/** Echoes that listen. */
export interface EchoServer extends AsyncDisposable {
  /** Gives back each message that is posted to it. */
  readonly thread: MessagePort;
  /**
   * Connects to the echo over TCP.
   *
   * @param on `answer` hears of each whole answer; `end` of the end of the connection
   * @throws {Error} If it has stopped.
   */
  connectTcp(on: { answer: () => void; end: () => void }): Promise<TcpEcho>;
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts all of them, the two with sockets on free loopback ports; resolves when they listen.
 *
 * @throws {Error} If they do not listen within 20 seconds, or cannot; the message says why.
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

/** How many bytes the texts have, one after the other. */
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
    try {
      connection.close();
    } catch {
      // It is closed already.
    }
  };
  readWhole(connection, countBytes(...frames), on.answer).catch(() => {}).finally(end);
  return {
    // Where it cannot be written, nothing can be read either.
    ask: () => void writeAll(connection, question).catch(() => {}),
    close: end,
  };
}

/** Reads until the other side has sent its last, and calls back each time that so many bytes have come. */
export async function readWhole(
  connection: Pick<Deno.TcpConn, "read">,
  bytes: number,
  onWhole: () => void,
): Promise<void> {
  const room = new Uint8Array(65_536);
  let seen = 0;
  for (;;) {
    const count = await connection.read(room);
    if (count === null) return;
    seen += count;
    for (; seen >= bytes; seen -= bytes) onWhole();
  }
}
