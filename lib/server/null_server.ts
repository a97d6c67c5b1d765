/**
 * A server in a worker that does no work: it accepts every hello and answers every call with the
 * same success. A loop against it shows the cost of client, loopback and two threads' wake-ups.
 *
 * @module
 */

import { type FromListener, ListeningWorker } from "./listening_worker.ts";

/** Messages from the worker; the address is the port. */
export type FromNullWorker = FromListener<number>;

/** A running null server. It reads the EXAI protocol only as lib/protocols/exai.ts writes it. */
export interface NullServer extends AsyncDisposable {
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  /** Closes the port and ends the worker. Close connections first: the worker's end drops them. */
  stop(): Promise<void>;
}

/**
 * Starts a null server on a free loopback port. Resolves when it listens.
 *
 * @param options `outputs`: number of 32-byte outputs in each reply. With many, the client has more
 *   work than the server. Default: 0
 * @throws {Error} If it cannot listen, or does not within 20 seconds.
 */
export async function startNullServer({ outputs = 0 } = {}): Promise<NullServer> {
  const module = new URL(`./null_worker.ts?outputs=${outputs}`, import.meta.url);
  const worker = new ListeningWorker<number>(module, "null server");
  const url = `ws://127.0.0.1:${await worker.start()}`;
  const stop = () => worker.stop();
  return { url, stop, [Symbol.asyncDispose]: stop };
}
