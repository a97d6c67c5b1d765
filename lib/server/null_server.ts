/**
 * A server that does nothing, in a worker of this process: it accepts every hello, and answers every
 * call with one and the same success. A loop against it shows what the client, the loopback and the
 * wake-ups of two threads cost by themselves.
 *
 * @module
 */

/** What the worker posts. */
export type FromNullWorker =
  | { kind: "started"; port: number }
  | { kind: "failed"; message: string };

/** A null server that listens. Speaks the EXAI protocol as lib/protocols/exai.ts writes it. */
export interface NullServer extends AsyncDisposable {
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  /** Ends the worker, and with it connections that are still open: close them first. */
  stop(): Promise<void>;
}

/** How long the worker may take to listen, in milliseconds. */
const START_LIMIT_MS = 5_000;

/**
 * Starts a null server on a free loopback port; resolves when it listens.
 *
 * @throws {Error} If it does not listen within five seconds, or cannot; the message says why.
 */
export async function startNullServer(): Promise<NullServer> {
  const worker = new Worker(new URL("./null_worker.ts", import.meta.url).href, { type: "module" });
  const started = Promise.withResolvers<number>();
  const fail = (why: string) => started.reject(new Error(`Cannot start the null server as ${why}`));
  worker.onmessage = ({ data }: MessageEvent<FromNullWorker>) =>
    data.kind === "started" ? started.resolve(data.port) : fail(data.message);
  worker.onerror = (event) => {
    event.preventDefault();
    fail(`its worker failed: ${event.message}`);
  };
  const timer = setTimeout(
    () => fail(`it did not listen within ${START_LIMIT_MS / 1000} s`),
    START_LIMIT_MS,
  );
  const stop = () => Promise.resolve(worker.terminate());
  try {
    const port = await started.promise;
    return { url: `ws://127.0.0.1:${port}`, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
