/**
 * A server that does nothing, in a worker of this process: it accepts every hello, and answers every
 * call with one and the same success. A loop against it shows what the client, the loopback and the
 * wake-ups of two threads cost by themselves.
 *
 * @module
 */

/** What the worker posts. It takes any message for the order to stop. */
export type FromNullWorker =
  | { kind: "started"; port: number }
  | { kind: "failed"; message: string }
  | { kind: "stopped" };

/** A null server that listens. Speaks the EXAI protocol as lib/protocols/exai.ts writes it. */
export interface NullServer extends AsyncDisposable {
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  /** Closes the port, then ends the worker, and with it connections still open: close them first. */
  stop(): Promise<void>;
}

/** How long the worker may take to listen, in milliseconds. */
const START_LIMIT_MS = 5_000;
/** How long it may take to close its port before it is ended all the same, in milliseconds. */
const STOP_LIMIT_MS = 1_000;

/**
 * Starts a null server on a free loopback port; resolves when it listens.
 *
 * @throws {Error} If it does not listen within five seconds, or cannot; the message says why.
 */
export async function startNullServer(): Promise<NullServer> {
  const worker = new NullWorker();
  const url = `ws://127.0.0.1:${await worker.start()}`;
  const stop = () => worker.stop();
  return { url, stop, [Symbol.asyncDispose]: stop };
}

/** The worker and what is awaited of it. */
class NullWorker {
  readonly #worker = new Worker(new URL("./null_worker.ts", import.meta.url).href, {
    type: "module",
  });
  readonly #started = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  #stopping: Promise<void> | null = null;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromNullWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`its worker failed: ${event.message}`);
    };
  }

  async start(): Promise<number> {
    const timer = setTimeout(
      () => this.#fail(`it did not listen within ${START_LIMIT_MS / 1000} s`),
      START_LIMIT_MS,
    );
    return await this.#started.promise.finally(() => clearTimeout(timer));
  }

  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#worker.postMessage("stop");
    const timer = setTimeout(this.#stopped.resolve, STOP_LIMIT_MS);
    await this.#stopped.promise;
    clearTimeout(timer);
    this.#worker.terminate();
  }

  #receive(message: FromNullWorker): void {
    switch (message.kind) {
      case "started":
        return this.#started.resolve(message.port);
      case "failed":
        return this.#fail(message.message);
      case "stopped":
        return this.#stopped.resolve();
      default:
        return message satisfies never;
    }
  }

  #fail(why: string): void {
    this.#started.reject(new Error(`Cannot start the null server as ${why}`));
    this.#stopped.resolve();
    this.#worker.terminate();
  }
}
