/**
 * A server that does nothing, in a worker of this process: it accepts every hello, and answers every
 * call with one and the same success. A loop against it shows what the client, the loopback and the
 * wake-ups of two threads cost by themselves.
 *
 * @module
 */

import { type FromListener, ListeningWorker } from "./listening_worker.ts";

/** What the worker posts: the port. It takes any message for the order to stop. */
export type FromNullWorker = FromListener<number>;

/** A null server that listens. Speaks the EXAI protocol as lib/protocols/exai.ts writes it. */
export interface NullServer extends AsyncDisposable {
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  /** Closes the port, then ends the worker, and with it connections still open: close them first. */
  stop(): Promise<void>;
}

/**
 * Starts a null server on a free loopback port; resolves when it listens.
 *
 * @param options `outputs`: how many there are in each reply, 32 bytes each, for clients that are to have more
 *   work than the server; none unless said otherwise
 * @throws {Error} If it does not listen within 20 seconds, or cannot; the message says why.
 */
export async function startNullServer({ outputs = 0 } = {}): Promise<NullServer> {
  const module = new URL(`./null_worker.ts?outputs=${outputs}`, import.meta.url);
  const worker = new ListeningWorker<number>(module, "null server");
  const url = `ws://127.0.0.1:${await worker.start()}`;
  const stop = () => worker.stop();
  return { url, stop, [Symbol.asyncDispose]: stop };
}
