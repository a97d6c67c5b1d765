/**
 * A relay in a worker, reached over a Unix socket, for two things that Deno's WebSocket cannot do:
 * switch off Nagle's algorithm, and accept any certificate.
 *
 * @module
 */

import { startWorker } from "../start_worker.ts";
import { ConnectError } from "./connect_error.ts";

/** Which connections use the relay; `auto`: those on which Deno writes twice without waiting. */
export const NO_DELAY = ["auto", "on", "off"] as const;
export type NoDelay = typeof NO_DELAY[number];

/** The header that carries an order to the relay, which removes it. */
export const ORDER_HEADER = "x-exai-ws-bench-relay";

/** Where the relay should connect to. */
export interface RelayOrder {
  /** Number of the dial, reported back if it fails. */
  nth: number;
  url: string;
  /** `null`: chosen by the system. */
  localAddress: string | null;
}

/** Setup of the worker. */
export interface ToRelay {
  at: UnixAddress | TcpAddress;
  /** PEM texts, trusted in addition to the system's. */
  caCerts: string[];
  /** `null`: server certificates are checked. */
  insecure: NonNullable<RelayOptions["insecure"]> | null;
}

type UnixAddress = Deno.UnixListenOptions & { transport: "unix" };
type TcpAddress = { transport: "tcp"; hostname: string; port: number };

/** What the worker posts. `port` is 0 for a Unix socket; a `null` `nth` can be any dial. */
export type FromRelay =
  | { kind: "listening"; port: number }
  | { kind: "failed"; nth: number | null; message: string };

/** Options of a relay. */
export interface RelayOptions {
  /** PEM text of an authority that is trusted in addition to the system's. */
  caCert: string | null;
  /** Accepts any server certificate and shows the client's. Default: certificates are checked. */
  insecure?: { clientCert: { cert: string; key: string } | null };
  /** Called if the relay cannot start; an insecure relay throws instead. */
  onWarning?: (message: string) => void;
}

/** How to open a WebSocket through the relay. Dispose of it once it is open or has failed. */
export interface RelayedDial extends Disposable {
  url: string;
  headers: Record<string, string>;
  client: Deno.HttpClient;
}

interface Started {
  client: Deno.HttpClient;
  stack: DisposableStack;
}

/** How long the worker can take to listen, in milliseconds; seconds on a busy machine. */
const START_LIMIT_MS = 15_000;

/** A relay, started by the first connection that needs it. Dispose of it after all are closed. */
export class Relay implements AsyncDisposable {
  /** True if it accepts any certificate. */
  readonly isInsecure: boolean;
  /** True once it has failed to start. */
  isUnavailable = false;
  /** Number of connections dialled so far. */
  dials = 0;
  readonly #options: RelayOptions;
  #started: Promise<Started | null> | null = null;
  #running: Started | null = null;
  #broken: string | null = null;
  /** Failure callbacks of pending dials, by number. */
  readonly #pending = new Map<number, (why: string) => void>();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.isInsecure = options.insecure !== undefined;
  }

  /**
   * Starts it, unless it is running. Returns false, after a warning, if it cannot start.
   *
   * @throws {ConnectError} if an insecure relay cannot start
   */
  async start(): Promise<boolean> {
    this.#running = await (this.#started ??= this.#start());
    return this.#running !== null;
  }

  /**
   * Redirects a dial through the started relay.
   *
   * @param onFailure called with the reason if the server cannot be reached, worded as Deno does
   */
  dial(
    { url, headers, localAddress }: Omit<RelayOrder, "nth"> & { headers: Record<string, string> },
    onFailure: (why: string) => void,
  ): RelayedDial {
    const order: RelayOrder = { nth: ++this.dials, url: new URL(url).href, localAddress };
    this.#pending.set(order.nth, onFailure);
    if (this.#broken !== null) queueMicrotask(() => this.#fail(order.nth, this.#broken!));
    return {
      url: url.replace(/^wss:/i, "ws:"),
      headers: { ...headers, [ORDER_HEADER]: JSON.stringify(order) },
      client: this.#running!.client,
      [Symbol.dispose]: () => void this.#pending.delete(order.nth),
    };
  }

  /** Stops it and closes what is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const started = this.#running ?? await this.#started?.catch(() => null);
    this.#started = this.#running = null;
    started?.stack.dispose();
  }

  async #start(): Promise<Started | null> {
    using stack = new DisposableStack();
    try {
      const hasUnix = Deno.build.os !== "windows";
      // Over TCP, Nagle's algorithm would delay what the client writes to the relay.
      if (!hasUnix && !this.isInsecure) throw new Error("Deno has no Unix sockets on Windows");
      // Only this user can access it.
      const folder = await Deno.makeTempDir({ prefix: "exai-ws-bench-" });
      const path = `${folder}/socket`;
      const remove = stack.adopt(() => removeAll(path, folder), (remove) => remove());
      // If the process ends in the middle of a run.
      globalThis.addEventListener("unload", remove);
      stack.defer(() => globalThis.removeEventListener("unload", remove));
      const module = new URL("./relay_worker.ts", import.meta.url);
      const worker = stack.adopt(startWorker(module), (worker) => worker.terminate());
      const at: ToRelay["at"] = hasUnix
        ? { transport: "unix", path }
        : { transport: "tcp", hostname: "127.0.0.1", port: 0 };
      const port = await this.#listen(worker, at);
      const proxy = at.transport === "unix" ? at : { ...at, port };
      const client = stack.use(Deno.createHttpClient({ proxy }));
      return { client, stack: stack.move() };
    } catch (error) {
      this.isUnavailable = true;
      const why = error instanceof Error ? error.message : error;
      if (this.isInsecure) {
        throw new ConnectError("tls", `Cannot start the relay that --insecure needs: ${why}`);
      }
      this.#options.onWarning?.(
        "cannot start the relay that avoids Nagle's algorithm (--no-delay), so calls of 1 to 64 " +
          `KiB may take 40 ms longer than the server needs: ${why}`,
      );
      return null;
    }
  }

  /** @returns the port that it listens on, 0 for a Unix socket */
  #listen(worker: Worker, at: ToRelay["at"]): Promise<number> {
    const listening = Promise.withResolvers<number>();
    const timer = setTimeout(
      () => listening.reject(new Error(`it did not listen within ${START_LIMIT_MS / 1000} s`)),
      START_LIMIT_MS,
    );
    worker.onmessage = ({ data }: MessageEvent<FromRelay>) => {
      if (data.kind === "listening") return listening.resolve(data.port);
      listening.reject(new Error(data.message)); // No effect once it listens.
      this.#fail(data.nth, data.message);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#broken = `the relay failed: ${event.message}`;
      listening.reject(new Error(event.message));
      this.#fail(null, this.#broken);
    };
    const { caCert, insecure = null } = this.#options;
    const order: ToRelay = { at, caCerts: caCert === null ? [] : [caCert], insecure };
    worker.postMessage(order);
    return listening.promise.finally(() => clearTimeout(timer));
  }

  #fail(nth: number | null, message: string): void {
    const dials = nth === null ? [...this.#pending.keys()] : [nth];
    for (const dial of dials) this.#pending.get(dial)?.(message);
  }
}

/** Not recursive, because listing the folder needs a file descriptor. */
function removeAll(...paths: string[]): void {
  for (const path of paths) {
    try {
      Deno.removeSync(path);
    } catch {
      // Already gone.
    }
  }
}
