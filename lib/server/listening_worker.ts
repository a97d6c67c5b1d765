import { startWorker } from "../start_worker.ts";

/** What a worker posts that listens. It then takes any message for the order to stop. */
export type FromListener<T> =
  | { kind: "started"; address: T }
  | { kind: "failed"; message: string }
  | { kind: "stopped" };

/** How long the worker may take to listen, in milliseconds. */
const START_LIMIT_MS = 20_000;
/** How long it may take to close its ports before it is ended all the same, in milliseconds. */
const STOP_LIMIT_MS = 1_000;

/** A worker that listens as soon as it runs, or as it is told what for, and what is awaited of it. */
export class ListeningWorker<T> {
  readonly #worker: Worker;
  readonly #name: string;
  readonly #started = Promise.withResolvers<T>();
  readonly #stopped = Promise.withResolvers<void>();
  #stopping: Promise<void> | null = null;

  /** @param name such as `null server`, for its errors */
  constructor(module: URL, name: string) {
    this.#name = name;
    this.#worker = startWorker(module);
    this.#worker.onmessage = ({ data }: MessageEvent<FromListener<T>>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`its worker failed: ${event.message}`);
    };
  }

  /** Gives it what it needs to know before it listens. */
  post(message: unknown, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }

  /**
   * Where it listens.
   *
   * @throws {Error} If it does not listen within five seconds, or cannot; the message says why.
   */
  async start(): Promise<T> {
    const timer = setTimeout(
      () => this.#fail(`it did not listen within ${START_LIMIT_MS / 1000} s`),
      START_LIMIT_MS,
    );
    return await this.#started.promise.finally(() => clearTimeout(timer));
  }

  /** Closes its ports, then ends the worker, and with it connections still open: close them first. */
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
