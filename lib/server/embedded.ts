import { startWorker } from "../start_worker.ts";
import type { ServerStats } from "./counters.ts";
import { type ServerOptions, validateServerOptions } from "./options.ts";

/** Messages to the worker. */
export type ToWorker =
  | { kind: "start"; options: ServerOptions }
  | { kind: "stats" }
  | { kind: "stop" };

/** Messages from the worker. */
export type FromWorker =
  | { kind: "started"; port: number; url: string }
  | { kind: "failed"; message: string }
  | { kind: "stats"; stats: ServerStats }
  | { kind: "stopped" };

/** A server in a worker of this process, so that it shares no thread with its clients. */
export interface EmbeddedServer extends AsyncDisposable {
  readonly port: number;
  /** Such as `ws://127.0.0.1:40213`. */
  readonly url: string;
  /** The token that clients need; `null`: authentication is off. */
  readonly token: string | null;
  /** @throws {Error} If the server has stopped or its worker has failed. */
  stats(): Promise<ServerStats>;
  /**
   * Restarts the server on the same port, with empty caches and counters.
   *
   * @throws {Error} If it cannot listen on the port again, or `stop` was called.
   */
  restart(): Promise<void>;
  /** Closes every connection with 1001, then ends the worker. */
  stop(): Promise<void>;
}

/**
 * Starts a server in a worker. Resolves when it listens.
 *
 * @throws {RangeError} If an option is out of range.
 * @throws {Error} If it cannot listen; the message says why.
 */
export async function startEmbeddedServer(options: ServerOptions): Promise<EmbeddedServer> {
  validateServerOptions(options);
  let worker = new ServerWorker();
  let isStopped = false;
  const { port, url } = await worker.start(options);
  const restart = async () => {
    await worker.stop();
    if (isStopped) throw new Error("Cannot restart the server as it has been stopped");
    worker = new ServerWorker();
    await worker.start({ ...options, port });
  };
  const stop = () => {
    isStopped = true;
    return worker.stop();
  };
  return {
    port,
    url,
    token: options.token,
    stats: () => worker.stats(),
    restart,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The worker, and the promises for its replies. */
class ServerWorker {
  readonly #worker = startWorker(new URL("./server_worker.ts", import.meta.url));
  readonly #started = Promise.withResolvers<{ port: number; url: string }>();
  readonly #stopped = Promise.withResolvers<void>();
  /** Pending requests; the worker answers them in order. */
  readonly #readings: PromiseWithResolvers<ServerStats>[] = [];
  #ended: Error | null = null;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(new Error(`Cannot go on as the server's worker failed: ${event.message}`));
    };
  }

  start(options: ServerOptions): Promise<{ port: number; url: string }> {
    this.#post({ kind: "start", options });
    return this.#started.promise;
  }

  stats(): Promise<ServerStats> {
    if (this.#ended) return Promise.reject(this.#ended);
    const reading = Promise.withResolvers<ServerStats>();
    this.#readings.push(reading);
    this.#post({ kind: "stats" });
    return reading.promise;
  }

  stop(): Promise<void> {
    if (!this.#ended) this.#post({ kind: "stop" });
    return this.#stopped.promise;
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case "started":
        return this.#started.resolve(message);
      case "failed":
        return this.#end(new Error(message.message));
      case "stats":
        return this.#readings.shift()?.resolve(message.stats);
      case "stopped":
        return this.#end(new Error("Cannot ask the server as it has stopped"));
      default:
        return message satisfies never;
    }
  }

  /** Ends the worker and rejects what is still pending with `reason`. */
  #end(reason: Error): void {
    this.#ended = reason;
    this.#worker.terminate();
    this.#started.reject(reason);
    for (const reading of this.#readings.splice(0)) reading.reject(reason);
    this.#stopped.resolve();
  }
}
