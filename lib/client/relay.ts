/**
 * A way round Nagle's algorithm, which Deno's WebSocket leaves on: a relay in a worker of ours, reached over a
 * Unix socket, that sends on at once whatever the client writes.
 *
 * @module
 */

import { startWorker } from "../start_worker.ts";
import { addressOf } from "./address.ts";

/** Which connections go through the relay; `auto`: those on which Deno would write twice without waiting. */
export const NO_DELAY = ["auto", "on", "off"] as const;
export type NoDelay = typeof NO_DELAY[number];

/** The header that carries an order to the relay, which takes it out again. */
export const ORDER_HEADER = "x-exai-ws-bench-relay";

/** Where the relay is to take a connection. */
export interface RelayOrder {
  /** The number of the dial, which it names when that fails. */
  nth: number;
  /** A name, or an address without brackets. */
  hostname: string;
  port: number;
  /** What the request says in its `host`. */
  host: string;
  tls: boolean;
  /** `null`: whichever address the system takes. */
  localAddress: string | null;
}

/** What the worker is told before it listens. */
export interface ToRelay {
  path: string;
  /** PEM texts, trusted beside the system's. */
  caCerts: string[];
}

/** What the worker posts. A dial without a number may be any of them. */
export type FromRelay =
  | { kind: "listening" }
  | { kind: "failed"; nth: number | null; message: string };

/** What a WebSocket is opened with to go through the relay. Dispose of it once it is open or has failed. */
export interface RelayedDial extends Disposable {
  url: string;
  headers: Record<string, string>;
  client: Deno.HttpClient;
}

interface Started {
  worker: Worker;
  client: Deno.HttpClient;
  /** Of the socket's file. */
  folder: string;
  /** Removes it. */
  remove: () => void;
}

/** How long the worker may take to listen, in milliseconds. */
const START_LIMIT_MS = 5_000;

/** A relay that is started for the first connection that needs it. Dispose of it when all of them are closed. */
export class Relay implements AsyncDisposable {
  readonly #options: { caCert: string | null; onWarning: (message: string) => void };
  #started: Promise<Started | null> | null = null;
  /** The same, once it has. */
  #running: Started | null = null;
  #isUnavailable = false;
  #broken: string | null = null;
  #dials = 0;
  /** Dials that are under way, and who hears of their failure. */
  readonly #pending = new Map<number, (why: string) => void>();

  /** @param options `onWarning` hears why it cannot be had */
  constructor(options: { caCert: string | null; onWarning: (message: string) => void }) {
    this.#options = options;
  }

  /** How many connections it was asked for. */
  get dials(): number {
    return this.#dials;
  }

  /** The folder that its socket is in; `null`: it does not run. */
  get folder(): string | null {
    return this.#running?.folder ?? null;
  }

  /** Has it turned out that it cannot be had? */
  get isUnavailable(): boolean {
    return this.#isUnavailable;
  }

  /** Starts it, unless it runs. `false`: it cannot be had here, which has been warned of. */
  async start(): Promise<boolean> {
    this.#running = await (this.#started ??= this.#start());
    return this.#running !== null;
  }

  /**
   * Makes a dial one through the relay, which has been started.
   *
   * @param to `url`: of the server, with `ws:` or `wss:`
   * @param onFailure hears why the server could not be reached, in the words of Deno's WebSocket where it has any
   */
  dial(
    to: { url: string; headers: Record<string, string>; localAddress: string | null },
    onFailure: (why: string) => void,
  ): RelayedDial {
    const { host, protocol } = new URL(to.url);
    const order: RelayOrder = {
      nth: ++this.#dials,
      ...addressOf(to.url),
      host,
      tls: protocol === "wss:",
      localAddress: to.localAddress,
    };
    this.#pending.set(order.nth, onFailure);
    if (this.#broken !== null) queueMicrotask(() => this.#fail(order.nth, this.#broken!));
    return {
      url: to.url.replace(/^wss:/i, "ws:"),
      headers: { ...to.headers, [ORDER_HEADER]: JSON.stringify(order) },
      client: this.#running!.client,
      [Symbol.dispose]: () => void this.#pending.delete(order.nth),
    };
  }

  /** Ends it, and with it what is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const started = await this.#started;
    this.#started = this.#running = null;
    if (started == null) return;
    started.client.close();
    started.worker.terminate();
    globalThis.removeEventListener("unload", started.remove);
    started.remove();
  }

  async #start(): Promise<Started | null> {
    await using stack = new AsyncDisposableStack();
    try {
      if (Deno.build.os === "windows") throw new Error("Windows has no Unix sockets for Deno");
      // Only this user may enter it.
      const folder = await Deno.makeTempDir({ prefix: "exai-ws-bench-" });
      const remove = stack.adopt(() => removeFolder(folder), (remove) => remove());
      // Where the process ends in the middle of a run.
      globalThis.addEventListener("unload", remove);
      const module = new URL("./relay_worker.ts", import.meta.url);
      const worker = stack.adopt(
        startWorker(module),
        (worker) => worker.terminate(),
      );
      const path = socketIn(folder);
      await this.#listen(worker, path);
      const client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
      stack.move();
      return { worker, client, folder, remove };
    } catch (error) {
      this.#isUnavailable = true;
      this.#options.onWarning(
        "cannot start the relay that avoids Nagle's algorithm, so that calls of 1 to 64 KiB may take 40 ms longer " +
          `than the server does (--no-delay): ${error instanceof Error ? error.message : error}`,
      );
      return null;
    }
  }

  #listen(worker: Worker, path: string): Promise<void> {
    const listening = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => listening.reject(new Error(`it did not listen within ${START_LIMIT_MS / 1000} s`)),
      START_LIMIT_MS,
    );
    worker.onmessage = ({ data }: MessageEvent<FromRelay>) => {
      if (data.kind === "listening") return listening.resolve();
      listening.reject(new Error(data.message)); // Of no effect if it listens.
      this.#fail(data.nth, data.message);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#broken = `the relay failed: ${event.message}`;
      listening.reject(new Error(event.message));
      this.#fail(null, this.#broken);
    };
    const { caCert } = this.#options;
    const order: ToRelay = { path, caCerts: caCert === null ? [] : [caCert] };
    worker.postMessage(order);
    return listening.promise.finally(() => clearTimeout(timer));
  }

  #fail(nth: number | null, message: string): void {
    const dials = nth === null ? [...this.#pending.keys()] : [nth];
    for (const dial of dials) this.#pending.get(dial)?.(message);
  }
}

/** One after the other, which takes no descriptor, as to look into the folder would. */
function removeFolder(folder: string): void {
  for (const path of [socketIn(folder), folder]) {
    try {
      Deno.removeSync(path);
    } catch {
      // It is gone, or was never there.
    }
  }
}

function socketIn(folder: string): string {
  return `${folder}/socket`;
}
