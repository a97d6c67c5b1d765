import type { Clock } from "./clock.ts";
import { ConnectError, dialError } from "./connect_error.ts";
import { redactUrl } from "./redact_url.ts";
import type { Relay } from "./relay.ts";

/** Where and how to dial. */
export interface DialOptions {
  url: string;
  clock: Clock;
  /** How long the dial may take, in milliseconds. */
  timeoutMs: number;
  headers?: Record<string, string>;
  subprotocols?: readonly string[];
  /** Carries a CA certificate or a source address. */
  client?: Deno.HttpClient;
  /** Has been started; takes the place of the client. */
  relay?: { through: Relay; localAddress: string | null };
  signal?: AbortSignal;
}

/** How a socket ended. */
export interface CloseInfo {
  code: number;
  reason: string;
  /** Whether this side asked for the close. */
  ours: boolean;
  /** When the close was seen, in nanoseconds of the clock. */
  atNs: number;
}

/** How long a server may take to answer a close frame before it is given up, in milliseconds. */
const CLOSE_PATIENCE_MS = 2_000;

/** An open native WebSocket: text in, text out, and one promise for its end. */
export class Socket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #closed = Promise.withResolvers<CloseInfo>();
  readonly #early: (string | null)[] = [];
  #receive: ((text: string | null) => void) | null = null;
  #ours = false;
  #ended = false;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    // Not `onmessage`, which costs every frame another call.
    socket.addEventListener("message", ({ data }) => {
      const text = typeof data === "string" ? data : null;
      if (this.#receive === null) this.#early.push(text);
      else this.#receive(text);
    });
    socket.onerror = () => {}; // The close event that follows tells as much.
    socket.onclose = ({ code, reason }) => this.#end(code, reason);
  }

  /** Resolves once, when the socket is closed by whichever side. Never rejects. */
  get closed(): Promise<CloseInfo> {
    return this.#closed.promise;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** Bytes that wait to be handed to the system; `null` once the socket is not open, and nobody knows. */
  get unsentBytes(): number | null {
    const { readyState, bufferedAmount } = this.#socket;
    return readyState === WebSocket.OPEN ? bufferedAmount : null;
  }

  /**
   * Sets who gets each frame's text, `null` for a binary frame; frames kept so far come at once.
   * Without a receiver (`null`), frames are kept.
   */
  onText(receive: ((text: string | null) => void) | null): void {
    this.#receive = receive;
    while (this.#receive !== null && this.#early.length > 0) this.#receive(this.#early.shift()!);
  }

  /** Sends a text frame; returns false where the socket is no longer open. */
  send(text: string): boolean {
    if (this.#ended) return false;
    this.#socket.send(text);
    return true;
  }

  /**
   * Closes with 1000 and waits for the server's answer, for at most two seconds: a server that does not
   * answer gives code 1006, as the WebSocket standard has it for a connection that just ended.
   */
  async close(): Promise<CloseInfo> {
    if (!this.#ended) {
      this.#ours = this.#socket.readyState === WebSocket.OPEN;
      this.#socket.close(1000);
      const cancel = this.#clock.after(CLOSE_PATIENCE_MS, () => this.#end(1006, ""));
      await this.closed;
      cancel();
    }
    return await this.closed;
  }

  #end(code: number, reason: string): void {
    this.#ended = true;
    this.#closed.resolve({ code, reason, ours: this.#ours, atNs: this.#clock.nowNs() });
  }
}

/**
 * Opens a WebSocket.
 *
 * @throws {ConnectError} if it does not open in time, or at all; the cause is in its `failure`.
 */
export async function dial(options: DialOptions): Promise<Socket> {
  const { url, clock, timeoutMs, signal, headers, relay } = options;
  if (signal?.aborted) {
    throw new ConnectError("aborted", `Stopped before dialling ${redactUrl(url)}`);
  }
  using relayed = relay?.through.dial(
    { url, headers: headers ?? {}, localAddress: relay.localAddress },
    (why) => abandon(dialError(url, why)),
  );
  const way = relayed ?? options;
  const webSocket = new WebSocket(way.url, {
    ...(way.headers === undefined ? {} : { headers: way.headers }),
    ...(options.subprotocols === undefined ? {} : { protocols: [...options.subprotocols] }),
    ...(way.client === undefined ? {} : { client: way.client }),
  });
  const opened = Promise.withResolvers<Socket>();
  webSocket.onopen = () => opened.resolve(new Socket(webSocket, clock));
  webSocket.onerror = (event) =>
    opened.reject(dialError(url, event instanceof ErrorEvent ? event.message : "unknown error"));
  const abandon = (error: ConnectError) => {
    opened.reject(error);
    webSocket.close();
  };
  const onAbort = () =>
    abandon(new ConnectError("aborted", `Stopped while dialling ${redactUrl(url)}`));
  signal?.addEventListener("abort", onAbort, { once: true });
  const cancel = clock.after(
    timeoutMs,
    () =>
      abandon(
        new ConnectError(
          "timeout",
          `No WebSocket at ${redactUrl(url)} within ${timeoutMs / 1000} s`,
        ),
      ),
  );
  try {
    return await opened.promise;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
