import type { Clock } from "./clock.ts";
import { ConnectError, dialError, whereTo } from "./connect_error.ts";
import type { ForeignText } from "./foreign_text.ts";
import type { Relay } from "./relay.ts";

/** Where and how to dial. */
export interface DialOptions {
  url: string;
  /** The proxy that the runtime goes through, without its password; left out: none. */
  proxy?: string | null;
  clock: Clock;
  /** What the words of the server and the network go through; left out: they are kept as they are. */
  foreign?: ForeignText;
  /** How long the dial may take, in milliseconds. */
  timeoutMs: number;
  headers?: Record<string, string>;
  subprotocols?: readonly string[];
  /** So many frames are left out; left out: none. */
  ignoreFirst?: number;
  /** Carries certificates or a source address. */
  client?: Deno.HttpClient | undefined;
  /** Has been started; takes the place of the client. */
  relay?: { through: Relay; localAddress: string | null } | undefined;
  signal?: AbortSignal;
}

/** How a socket ended. */
export interface CloseInfo {
  /** 1006 where there was no close frame. */
  code: number;
  reason: string;
  /** Whether this side asked for the close. */
  ours: boolean;
  /** When the close was seen, in nanoseconds of the clock. */
  atNs: number;
  /** Of a session: for how long nothing had been sent or received before, in nanoseconds. */
  quietNs?: number;
}

/** The code of a connection that ended without a close frame. */
export const NO_CLOSE_FRAME = 1006;
/** How long a server may take to answer a close frame before it is given up, in milliseconds. */
const CLOSE_PATIENCE_MS = 2_000;

const asItIs: ForeignText = (text) => text;

/** An open native WebSocket: text in, text out, and one promise for its end. */
export class Socket {
  /** False from its end on, by whichever side. */
  isOpen = true;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #closed = Promise.withResolvers<CloseInfo>();
  /** Resolves once, when the socket is closed by whichever side. Never rejects. */
  readonly closed = this.#closed.promise;
  readonly #early: (string | null)[] = [];
  #receive: ((text: string | null) => void) | null = null;
  #ours = false;

  constructor(socket: WebSocket, { clock, foreign = asItIs, ignoreFirst = 0 }: DialOptions) {
    this.#socket = socket;
    this.#clock = clock;
    let toIgnore = ignoreFirst;
    socket.binaryType = "arraybuffer";
    // Not `onmessage`, which costs every frame another call.
    socket.addEventListener("message", ({ data }) => {
      if (toIgnore > 0) return void toIgnore--;
      const text = typeof data === "string" ? data : decode(data);
      if (this.#receive === null) this.#early.push(text);
      else this.#receive(text);
    });
    socket.onerror = () => {}; // The close event that follows tells as much.
    socket.onclose = ({ code, reason }) => this.#end(code, foreign(reason));
  }

  /** Bytes that wait to be handed to the system; `null` once the socket is not open, and nobody knows. */
  get unsentBytes(): number | null {
    const { readyState, bufferedAmount } = this.#socket;
    return readyState === WebSocket.OPEN ? bufferedAmount : null;
  }

  /** Sets who gets each frame's text (`null`: binary, and no UTF-8), and those kept while there was nobody (`null`). */
  onText(receive: ((text: string | null) => void) | null): void {
    this.#receive = receive;
    while (this.#receive !== null && this.#early.length > 0) this.#receive(this.#early.shift()!);
  }

  /** Sends a text frame, while the socket is open. */
  send(text: string): void {
    if (this.isOpen) this.#socket.send(text);
  }

  /**
   * Closes with 1000 and waits for the server's answer, for at most two seconds: a server that does not
   * answer gives code 1006, as the WebSocket standard has it for a connection that just ended.
   */
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
    // The runtime gives 0 where the connection was cut.
    this.#closed.resolve({ code: code || NO_CLOSE_FRAME, reason, ours: this.#ours, atNs });
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** The text of a binary frame: some libraries send all of theirs so. `null`: it is none. */
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
 * @throws {ConnectError} if it does not open in time, or at all; the cause is in its `failure`.
 */
export async function dial(options: DialOptions): Promise<Socket> {
  const { clock, timeoutMs, signal, relay, foreign = asItIs } = options;
  const { url, headers = {}, subprotocols = [], client } = options;
  const where = whereTo(options);
  if (signal?.aborted) throw new ConnectError("aborted", `Stopped before dialling ${where}`);
  const opened = Promise.withResolvers<Socket>();
  const fail = (why: string) => opened.reject(dialError(options, foreign(why, 500)));
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
