import type { ShardPlace } from "../schema.ts";
import type { Clock } from "./clock.ts";
import type { Frame, Protocol, RoutingProbe, Session } from "../protocols/protocol.ts";
import { ECHO, malformed } from "../protocols/json.ts";
import type { Call, Observed } from "./call.ts";
import { CallBook } from "./call_book.ts";
import { createEncoder, type Message, newIdPrefix } from "./call_encoder.ts";
import { type HandshakeOptions, shakeHands } from "./handshake.ts";
import { countIn, type OpenLedger, openLedger } from "./ledger.ts";
import { type CloseInfo, dial, type DialOptions, type Socket } from "./socket.ts";

/** How to open a connection and where to count; the timeout also applies to each call. */
export interface ConnectionOptions extends DialOptions, HandshakeOptions {
  /** Keeps request ids distinct between shards. Default: not sharded. */
  shard?: ShardPlace | undefined;
  ledger: OpenLedger;
  observed: Observed;
}

export type { Message };

/** A request that is not a call. */
export type Probe = Pick<RoutingProbe, "encode" | "isAnswer">;

/** After an interrupt, how long to wait for outstanding replies before closing, in milliseconds. */
const ABORT_DRAIN_MS = 500;

const NOT_TEXT = malformed("a binary frame that is not UTF-8");

/**
 * An authenticated session that counts every call and frame in a ledger. `close` and `await using`
 * end it; both let outstanding calls finish first.
 */
export class Connection implements AsyncDisposable {
  /**
   * Duration of the opening, in nanoseconds: dial and upgrade, then handshake sent to handshake
   * accepted, and both.
   */
  readonly timing: { connectNs: number; authenticateNs: number; establishNs: number };
  /** Resolves when either side has ended the connection. */
  readonly closed: Promise<CloseInfo>;
  /** How the server or the network ended it; `null` while open, or if this side closed it. */
  lost: CloseInfo | null = null;
  readonly #socket: Socket;
  readonly #book: CallBook;
  readonly #clock: Clock;
  readonly #protocol: Protocol;
  readonly #signal: AbortSignal | undefined;
  #timeoutMs: number;
  readonly #encode: ReturnType<typeof createEncoder>;
  /** Time of the last send or receive. */
  #lastNs: number;
  readonly #hasBatches: boolean;
  #cancelSweep: (() => void) | null = null;
  #onQuiet: (() => void) | null = null;
  #onFrame: ((text: string) => void) | null = null;
  /** The protocol's, or while a probe is in flight one that recognises its answer. */
  #classify: Protocol["classify"];
  /** Probes are counted here, which nobody reads. */
  readonly #probeLedger = openLedger();
  #closing: Promise<CloseInfo & { durationNs: number }> | null = null;
  /** A copy, because reading the signal before each call is the most expensive check there. */
  #isAborted: boolean;

  private constructor(
    socket: Socket,
    { timing, session }: Pick<Connection, "timing"> & { session: Session | null },
    options: ConnectionOptions,
  ) {
    const { clock, protocol, signal, shard } = options;
    this.#socket = socket;
    this.timing = timing;
    this.#clock = clock;
    this.#protocol = protocol;
    this.#classify = protocol.classify;
    this.#signal = signal;
    this.#timeoutMs = options.timeoutMs;
    this.#encode = createEncoder(protocol);
    this.#isAborted = signal?.aborted ?? false;
    this.#hasBatches = session?.batches ?? false;
    this.#book = new CallBook(newIdPrefix(protocol.ids, shard), {
      ...options,
      isTool: (name) => protocol.listedName(name) !== null,
    });
    socket.onText(this.#receive);
    this.#lastNs = clock.nowNs();
    this.closed = socket.closed.then((close) => this.#onClosed(close));
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Dials and shakes hands.
   *
   * @throws {ConnectError} with the cause
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { clock } = options;
    const startNs = clock.nowNs();
    const socket = await dial(options);
    const connectNs = clock.nowNs() - startNs;
    try {
      const { elapsedNs: authenticateNs, session } = await shakeHands(socket, options);
      const timing = { connectNs, authenticateNs, establishNs: clock.nowNs() - startNs };
      return new Connection(socket, { timing, session }, options);
    } catch (error) {
      await socket.close();
      throw error;
    }
  }

  /** True if a call can be sent. False after an abort, which could no longer end the call. */
  get isOpen(): boolean {
    return this.#closing === null && this.#socket.isOpen && !this.#isAborted;
  }

  /** Bytes not yet handed to the system; `null` once the socket is not open. */
  get unsentBytes(): number | null {
    return this.#socket.unsentBytes;
  }

  /** Id of the oldest call in flight; `null` if there is none. */
  get oldestId(): string | null {
    return this.#book.oldest?.id ?? null;
  }

  /** Calls answered so far, and how many of them after a later call. */
  get order(): { answered: number; outOfOrder: number } {
    return this.#book.order;
  }

  /** Timeouts since the server's last answer. */
  get timedOutInRow(): number {
    return this.#book.timedOutInRow;
  }

  /** Counts all further calls in this ledger. */
  useLedger(ledger: OpenLedger): void {
    this.#book.ledger = ledger;
  }

  /** Sets a callback for each frame's text, run after it is timed and before it is counted. */
  onFrame(show: ((text: string) => void) | null): void {
    this.#onFrame = show;
  }

  /** Sets the timeout of all further calls, and of those in flight. */
  useTimeout(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#sweepLater();
  }

  /** Shortens the timeout so that the oldest call in flight ends within `leftMs`. */
  hurry(leftMs: number): void {
    const { oldest } = this.#book;
    if (oldest === undefined) return;
    const waitedMs = (this.#clock.nowNs() - oldest.sentNs) / 1e6;
    this.useTimeout(Math.min(this.#timeoutMs, waitedMs + leftMs));
  }

  /**
   * Sends a call; `onEnd` is called exactly once, however the call ends.
   *
   * @param fromNs start of the call's time. Default: now. A closed loop passes the end of the
   *   previous call, which saves reading the clock.
   * @throws {Error} if the connection is closed or the run is aborted: check `isOpen` first
   */
  send(message: Message, onEnd: (call: Call) => void, fromNs?: number): void {
    this.#assertMaySend();
    const sentNs = fromNs ?? this.#clock.nowNs();
    const { id } = this.#book.begin(sentNs, onEnd, this.#book.ledger, message.tool);
    this.#lastNs = sentNs;
    this.#write(this.#encode(id, message));
  }

  /**
   * Sends a request that is not a call, with the same socket, clock readings and timeout as a call.
   * It and its frames count in no ledger; other frames are treated as usual. One at a time.
   *
   * @param onEnd called once: with `ok` if the probe was answered, `toolError` if an error came
   *   instead, else as for calls. The object is reused.
   * @param fromNs as for `send`
   * @throws {Error} as `send` does
   */
  probe(probe: Probe, onEnd: (end: Call) => void, fromNs?: number): void {
    this.#assertMaySend();
    const begunNs = fromNs ?? this.#clock.nowNs();
    const { classify } = this.#protocol;
    const onProbeEnd = (end: Call) => {
      this.#classify = classify;
      onEnd(end);
    };
    const { id } = this.#book.begin(begunNs, onProbeEnd, this.#probeLedger);
    this.#classify = (text) =>
      probe.isAnswer(text, id) ? { kind: "result", id, fromCache: false } : classify(text);
    this.#write(probe.encode(id));
  }

  /** Sends a call and resolves to a copy of it at its end, however it ends. */
  call(message: Message): Promise<Call> {
    return new Promise((resolve) => this.send(message, (call) => resolve({ ...call })));
  }

  /**
   * Waits for outstanding calls, then for late replies to timed-out calls (at most the call
   * timeout), then closes with 1000.
   *
   * @returns how the connection ended, and the duration of the close itself in nanoseconds
   */
  close(): Promise<CloseInfo & { durationNs: number }> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertMaySend(): void {
    if (!this.isOpen) {
      throw new Error("Cannot send a call as the connection is closed or the run is aborted");
    }
  }

  #write(text: string): void {
    this.#socket.send(text);
    if (this.#cancelSweep === null) this.#sweepLater();
  }

  async #close(): Promise<CloseInfo & { durationNs: number }> {
    await this.#quiet(() => this.#book.outstanding === 0, Infinity);
    const isDrained = () => this.#book.unanswered === 0;
    await this.#quiet(() => isDrained() || this.#isAborted, this.#timeoutMs);
    if (this.#isAborted) await this.#quiet(isDrained, Math.min(ABORT_DRAIN_MS, this.#timeoutMs));
    this.#cancelSweep?.();
    const startNs = this.#clock.nowNs();
    const close = await this.#socket.close();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    return { ...close, durationNs: close.atNs - startNs };
  }

  /** Waits for `done`, the end of the socket or the limit. */
  async #quiet(done: () => boolean, limitMs: number): Promise<void> {
    if (done() || !this.#socket.isOpen) return;
    const quiet = Promise.withResolvers<void>();
    this.#onQuiet = () => done() && quiet.resolve();
    const cancel = limitMs === Infinity ? null : this.#clock.after(limitMs, quiet.resolve);
    await Promise.race([quiet.promise, this.#socket.closed]);
    cancel?.();
    this.#onQuiet = null;
  }

  #receive = (text: string | null): void => {
    const frame = text === null ? NOT_TEXT : this.#classify(text);
    // After decoding, which a caller would wait for too.
    const nowNs = this.#clock.nowNs();
    this.#lastNs = nowNs;
    const messages = this.#hasBatches && frame.kind === "malformed" && text !== null
      ? this.#protocol.unbatch?.(text)
      : null;
    if (messages == null) return this.#enter(frame, text, nowNs);
    // Each message counts as a frame.
    for (const one of messages) this.#enter(this.#classify(one), one, nowNs);
  };

  #enter(frame: Frame, text: string | null, nowNs: number): void {
    if (this.#onFrame !== null && text !== null) this.#onFrame(text);
    const answer = frame.kind === "notification" ? frame.answer : null;
    // Both sides number their requests independently, so only one that can be a call is an echo.
    const isEcho = frame.kind === "notification" && frame.canBeCall === true &&
      this.#book.awaits(frame.id);
    if (answer !== null && !isEcho) this.#socket.send(answer);
    this.#book.receive(isEcho ? malformed(ECHO) : frame, nowNs, text ?? "");
    if (this.#onQuiet !== null) this.#onQuiet();
  }

  /** Sets the one timer for all calls: they share a timeout, so the oldest expires first. */
  #sweepLater(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    const { oldest } = this.#book;
    if (oldest === undefined) return;
    const waitedMs = (this.#clock.nowNs() - oldest.sentNs) / 1e6;
    this.#cancelSweep = this.#clock.after(Math.ceil(this.#timeoutMs - waitedMs), this.#sweep);
  }

  /** Sets the timer last, because an `onEnd` may send another call. */
  #sweep = (): void => {
    const nowNs = this.#clock.nowNs();
    this.#book.expire(nowNs - this.#timeoutMs * 1e6, nowNs, this.#cancelCall);
    this.#onQuiet?.();
    this.#sweepLater();
  };

  #cancelCall = ({ id }: Call): void => {
    const text = this.#protocol.encodeCancel?.(id);
    if (text !== undefined) this.#socket.send(text);
  };

  #onClosed(ended: CloseInfo): CloseInfo {
    this.#cancelSweep?.();
    const close = { ...ended, quietNs: ended.atNs - this.#lastNs };
    if (!close.ours) {
      const { closeCodes, closeReasons } = this.#book.ledger;
      countIn(closeCodes, close.code);
      if (close.reason !== "") closeReasons[close.code] ??= close.reason;
      this.lost = close;
    }
    this.#book.endAll("connectionLost", close.atNs);
    return close;
  }

  #onAbort = (): void => {
    this.#isAborted = true;
    this.#book.endAll("aborted", this.#clock.nowNs());
    this.#onQuiet?.();
  };
}
