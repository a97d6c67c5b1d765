/**
 * A way round two things that Deno's WebSocket cannot do: a relay in a worker of ours, reached over a Unix socket, sends
 * on at once whatever the client writes (Nagle's algorithm is off), and can take any certificate.
 *
 * @module
 */

import { startWorker } from "../start_worker.ts";
import { ConnectError } from "./connect_error.ts";

/** Which connections go through the relay; `auto`: those on which Deno would write twice without waiting. */
export const NO_DELAY = ["auto", "on", "off"] as const;
export type NoDelay = typeof NO_DELAY[number];

/** The header that carries an order to the relay, which takes it out again. */
export const ORDER_HEADER = "x-exai-ws-bench-relay";

/** Where the relay is to take a connection. */
export interface RelayOrder {
  /** The number of the dial, which it names when that fails. */
  nth: number;
  url: string;
  /** `null`: whichever address the system takes. */
  localAddress: string | null;
}

/** What the worker is told before it listens. */
export interface ToRelay {
  at: UnixAddress | TcpAddress;
  /** PEM texts, trusted beside the system's. */
  caCerts: string[];
  /** `null`: the certificates of servers are checked. */
  insecure: NonNullable<RelayOptions["insecure"]> | null;
}

type UnixAddress = Deno.UnixListenOptions & { transport: "unix" };
type TcpAddress = { transport: "tcp"; hostname: string; port: number };

/** What the worker posts. A dial without a number may be any of them; the port of a Unix socket is 0. */
export type FromRelay =
  | { kind: "listening"; port: number }
  | { kind: "failed"; nth: number | null; message: string };

/** What a relay is made with. */
export interface RelayOptions {
  /** PEM text of an authority that is trusted beside the system's. */
  caCert: string | null;
  /** Takes any certificate of a server, and shows it that of the client; left out: certificates are checked. */
  insecure?: { clientCert: { cert: string; key: string } | null };
  /** Hears why there is none; of an insecure one that is thrown instead. */
  onWarning?: (message: string) => void;
}

/** What a WebSocket is opened with to go through the relay. Dispose of it once it is open or has failed. */
export interface RelayedDial extends Disposable {
  url: string;
  headers: Record<string, string>;
  client: Deno.HttpClient;
}

interface Started {
  client: Deno.HttpClient;
  /** Of the socket's file. */
  folder: string;
  /** Ends it. */
  stack: DisposableStack;
}

/** How long the worker may take to listen, in milliseconds: on a busy machine, seconds. */
const START_LIMIT_MS = 15_000;

/** A relay that is started for the first connection that needs it. Dispose of it when all of them are closed. */
export class Relay implements AsyncDisposable {
  /** Does it take any certificate? */
  readonly isInsecure: boolean;
  /** Has it turned out that it cannot be had? */
  isUnavailable = false;
  /** How many connections it was asked for. */
  dials = 0;
  readonly #options: RelayOptions;
  #started: Promise<Started | null> | null = null;
  /** The same, once it has. */
  #running: Started | null = null;
  #broken: string | null = null;
  /** Dials that are under way, and who hears of their failure. */
  readonly #pending = new Map<number, (why: string) => void>();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.isInsecure = options.insecure !== undefined;
  }

  /** The folder that its socket is in; `null`: it does not run. */
  get folder(): string | null {
    return this.#running?.folder ?? null;
  }

  /**
   * Starts it, unless it runs. `false`: it cannot be had here, which has been warned of.
   *
   * @throws {ConnectError} if an insecure one cannot be had
   */
  async start(): Promise<boolean> {
    this.#running = await (this.#started ??= this.#start());
    return this.#running !== null;
  }

  /**
   * Makes a dial one through the relay, which has been started.
   *
   * @param onFailure hears why the server could not be reached, in the words of Deno's WebSocket where it has any
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

  /** Ends it, and with it what is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const started = this.#running ?? await this.#started?.catch(() => null);
    this.#started = this.#running = null;
    started?.stack.dispose();
  }

  async #start(): Promise<Started | null> {
    using stack = new DisposableStack();
    try {
      const hasUnix = Deno.build.os !== "windows";
      // Over TCP, the way to it would have Nagle's algorithm.
      if (!hasUnix && !this.isInsecure) throw new Error("Windows has no Unix sockets for Deno");
      // Only this user may enter it.
      const folder = await Deno.makeTempDir({ prefix: "exai-ws-bench-" });
      const path = `${folder}/socket`;
      const remove = stack.adopt(() => removeAll(path, folder), (remove) => remove());
      // Where the process ends in the middle of a run.
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
      return { client, folder, stack: stack.move() };
    } catch (error) {
      this.isUnavailable = true;
      const why = error instanceof Error ? error.message : error;
      if (this.isInsecure) {
        throw new ConnectError(
          "tls",
          `Cannot start the relay that --insecure goes through: ${why}`,
        );
      }
      this.#options.onWarning?.(
        "cannot start the relay that avoids Nagle's algorithm, so that calls of 1 to 64 KiB may take 40 ms longer " +
          `than the server does (--no-delay): ${why}`,
      );
      return null;
    }
  }

  /** @returns the port that it listens on, if it has one */
  #listen(worker: Worker, at: ToRelay["at"]): Promise<number> {
    const listening = Promise.withResolvers<number>();
    const timer = setTimeout(
      () => listening.reject(new Error(`it did not listen within ${START_LIMIT_MS / 1000} s`)),
      START_LIMIT_MS,
    );
    worker.onmessage = ({ data }: MessageEvent<FromRelay>) => {
      if (data.kind === "listening") return listening.resolve(data.port);
      listening.reject(new Error(data.message)); // Of no effect if it listens.
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

/** One after the other, which takes no descriptor, as to look into the folder would. */
function removeAll(...paths: string[]): void {
  for (const path of paths) {
    try {
      Deno.removeSync(path);
    } catch {
      // It is gone, or was never there.
    }
  }
}
