/**
 * Two echoes in a worker of this process, one over bare TCP and one over WebSocket: what the way to a
 * server and back costs where nobody is at home. The first message of a connection says what every later
 * one is answered with, so that replies are as long as those of a real server.
 *
 * @module
 */

import { prefixed, PrefixReader, writeAll } from "./length_prefix.ts";
import { type FromListener, ListeningWorker } from "./listening_worker.ts";

/** What the first message of a connection says, as JSON. It is not answered. */
export interface EchoOrder {
  /** The frames that answer every later message. */
  frames: readonly string[];
  /** How long each answer waits, in milliseconds: 0 but where a slow way is to be seen. */
  delayMs: number;
}

/** What the worker posts when it listens. */
export interface EchoPorts {
  tcp: number;
  ws: number;
}
export type FromEchoWorker = FromListener<EchoPorts>;

/** Echoes that listen. */
export interface EchoServer extends AsyncDisposable {
  /** For {@linkcode connectTcpEcho}. */
  readonly tcpPort: number;
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts both on free loopback ports; resolves when they listen.
 *
 * @throws {Error} If they do not listen within five seconds, or cannot; the message says why.
 */
export async function startEchoServer(): Promise<EchoServer> {
  const module = new URL("./echo_worker.ts", import.meta.url);
  const worker = new ListeningWorker<EchoPorts>(module, "echo server");
  const { tcp, ws } = await worker.start();
  const stop = () => worker.stop();
  return { tcpPort: tcp, url: `ws://127.0.0.1:${ws}`, stop, [Symbol.asyncDispose]: stop };
}

/** The client's end of the echo over TCP. */
export interface TcpEcho {
  /** Sends a text and waits for the whole answer; `null`: the connection ended before. */
  ask(text: string): Promise<string[] | null>;
  /** Ends the connection; a question that waits is given up. */
  close(): void;
}

/** @throws {Error} If nothing listens on that port. */
export async function connectTcpEcho(port: number, order: EchoOrder): Promise<TcpEcho> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  await writeAll(connection, prefixed(JSON.stringify(order)));
  const reader = new PrefixReader();
  const decoder = new TextDecoder();
  let closed = false;
  return {
    async ask(text) {
      const frames: string[] = [];
      try {
        await writeAll(connection, prefixed(text));
        while (frames.length < order.frames.length) {
          const count = await connection.read(reader.room);
          if (count === null) return null;
          for (const body of reader.take(count)) frames.push(decoder.decode(body));
        }
      } catch {
        return null;
      }
      return frames;
    },
    close() {
      if (!closed) connection.close();
      closed = true;
    },
  };
}
