import type { Clock } from "./clock.ts";
import { ConnectError, dialError } from "./connect_error.ts";
import type { ForeignText } from "./foreign_text.ts";
import { redactUrl } from "./redact_url.ts";
import type { Relay } from "./relay.ts";

/** How to dial. */
export interface DialOptions {
  url: string;
  /** The proxy used by the runtime, without its password. Default: none. */
  proxy?: string | null;
  clock: Clock;
  /** Masks and cuts texts from the server and the network. */
  foreign: ForeignText;
  timeoutMs: number;
  headers?: Record<string, string>;
  subprotocols?: readonly string[];
  /** Number of initial frames to drop. Default: 0. */
  ignoreFirst?: number;
  /** Carries certificates or a source address. */
  client?: Deno.HttpClient | undefined;
  /** A started relay, used instead of `client`. */
  relay?: { through: Relay; localAddress: string | null } | undefined;
  signal?: AbortSignal;
}

/** How a socket ended. */
export interface CloseInfo {
  /** 1006 if there was no close frame. */
  code: number;
  reason: string;
  /** True if this side closed first. */
  ours: boolean;
  /** When the close was seen, in clock nanoseconds. */
  atNs: number;
  /** Sessions only: idle time before the close, in nanoseconds. */
  quietNs?: number;
}

/** The code of a connection that ended without a close frame. */
export const NO_CLOSE_FRAME = 1006;
/** How long to wait for the server's close frame, in milliseconds. */
const CLOSE_PATIENCE_MS = 2_000;

/** An open WebSocket: text in, text out, and a promise for its end. */
export class Socket {
  /** False once either side has ended it. */
  isOpen = true;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #closed = Promise.withResolvers<CloseInfo>();
  /** Resolves when either side has closed the socket. Never rejects. */
  readonly closed = this.#closed.promise;
  readonly #early: (string | null)[] = [];
  #receive: ((text: string | null) => void) | null = null;
  #ours = false;

  constructor(socket: WebSocket, { clock, foreign, ignoreFirst = 0 }: DialOptions) {
    this.#socket = socket;
    this.#clock = clock;
    let toIgnore = ignoreFirst;
    socket.binaryType = "arraybuffer";
    // Not `onmessage`, which costs an extra function call per frame.
    socket.addEventListener("message", ({ data }) => {
      if (toIgnore > 0) return void toIgnore--;
      const text = typeof data === "string" ? data : decode(data);
      if (this.#receive === null) this.#early.push(text);
      else this.#receive(text);
    });
    socket.onerror = () => {}; // A close event follows.
    socket.onclose = ({ code, reason }) => this.#end(code, foreign(reason));
  }

  /** Bytes not yet handed to the system; `null` once the socket is not open. */
  get unsentBytes(): number | null {
    const { readyState, bufferedAmount } = this.#socket;
    return readyState === WebSocket.OPEN ? bufferedAmount : null;
  }

  /** Sets who gets each frame's text (`null`: not UTF-8), including those that came before. */
  onText(receive: ((text: string | null) => void) | null): void {
    this.#receive = receive;
    while (this.#receive !== null && this.#early.length > 0) this.#receive(this.#early.shift()!);
  }

  /** Sends a text frame; does nothing once the socket is closed. */
  send(text: string): void {
    if (this.isOpen) this.#socket.send(text);
  }

  /** Closes with 1000, waiting up to two seconds for the close frame; without one reports 1006. */
  async close(): Promise<CloseInfo> {
    if (!this.isOpen) return await this.closed;
    this.#ours = this.#socket.readyState === WebSocket.OPEN;
    this.#socket.close(1000);
    const cancel = this.#clock.after(CLOSE_PATIENCE_MS, () => this.#end(NO_CLOSE_FRAME, ""));
    const close = await this.closed;
    cancel();
    return close;
  }

  #end(code: number, reason: string): void {
    const atNs = this.#clock.nowNs();
    this.isOpen = false;
    // The runtime reports 0 if the connection was cut.
    this.#closed.resolve({ code: code || NO_CLOSE_FRAME, reason, ours: this.#ours, atNs });
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** The text of a binary frame, which some libraries use for text; `null` if it is not UTF-8. */
function decode(bytes: ArrayBuffer): string | null {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Opens a WebSocket.
 *
 * @throws {ConnectError} if it does not open in time or at all; `failure` has the cause
 */
export async function dial(options: DialOptions): Promise<Socket> {
  const { clock, timeoutMs, signal, relay, foreign } = options;
  const { url, proxy = null, headers = {}, subprotocols = [], client } = options;
  const where = redactUrl(url) + (proxy === null ? "" : ` through the proxy ${proxy}`);
  if (signal?.aborted) throw new ConnectError("aborted", `Stopped before dialling ${where}`);
  const opened = Promise.withResolvers<Socket>();
  const fail = (why: string) => opened.reject(dialError(where, foreign(why, 500)));
  using relayed = relay?.through.dial({ url, headers, localAddress: relay.localAddress }, fail);
  const way = relayed ?? { url, headers, client };
  const webSocket = new WebSocket(way.url, {
    headers: way.headers,
    protocols: [...subprotocols],
    ...(way.client === undefined ? {} : { client: way.client }),
  });
  webSocket.onopen = () => opened.resolve(new Socket(webSocket, options));
  webSocket.onerror = (event) =>
    fail(event instanceof ErrorEvent ? event.message : "unknown error");
  const onAbort = () =>
    opened.reject(new ConnectError("aborted", `Stopped while dialling ${where}`));
  signal?.addEventListener("abort", onAbort, { once: true });
  const cancel = clock.after(timeoutMs, () => {
    const message = `No WebSocket at ${where} within ${timeoutMs / 1000} s`;
    opened.reject(new ConnectError("timeout", message));
  });
  try {
    return await opened.promise;
  } catch (error) {
    webSocket.close();
    throw error;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
