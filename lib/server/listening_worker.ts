import { startWorker } from "../start_worker.ts";

/** Messages from the worker. Once it listens, any message tells it to stop. */
export type FromListener<T> =
  | { kind: "started"; address: T }
  | { kind: "failed"; message: string }
  | { kind: "stopped" };

/** Time for the worker to listen. */
const START_LIMIT_MS = 20_000;
/** Time for the worker to close its ports before it is terminated anyway. */
const STOP_LIMIT_MS = 1_000;

/** A worker that listens on a port when it starts, or when it gets its first message. */
export class ListeningWorker<T> {
  readonly #worker: Worker;
  readonly #name: string;
  readonly #started = Promise.withResolvers<T>();
  readonly #stopped = Promise.withResolvers<void>();
  #stopping: Promise<void> | null = null;

  /** @param name for error messages, such as `null server` */
  constructor(module: URL, name: string) {
    this.#name = name;
    this.#worker = startWorker(module);
    this.#worker.onmessage = ({ data }: MessageEvent<FromListener<T>>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`its worker failed: ${event.message}`);
    };
  }

  /** Sends the message that a worker waits for before it listens. */
  post(message: unknown, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }

  /**
   * Resolves to the address when the worker listens.
   *
   * @throws {Error} If it cannot listen, or does not within 20 seconds.
   */
  async start(): Promise<T> {
    const timer = setTimeout(
      () => this.#fail(`it did not listen within ${START_LIMIT_MS / 1000} s`),
      START_LIMIT_MS,
    );
    return await this.#started.promise.finally(() => clearTimeout(timer));
  }

  /** Closes the ports and ends the worker. Close connections first: the worker's end drops them. */
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

  #receive(message: FromListener<T>): void {
    switch (message.kind) {
      case "started":
        return this.#started.resolve(message.address);
      case "failed":
        return this.#fail(message.message);
      case "stopped":
        return this.#stopped.resolve();
      default:
        return message satisfies never;
    }
  }

  #fail(why: string): void {
    this.#started.reject(new Error(`Cannot start the ${this.#name} as ${why}`));
    this.#stopped.resolve();
    this.#worker.terminate();
  }
}
