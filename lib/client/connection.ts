import type { ShardPlace } from "../schema.ts";
import type { Clock } from "./clock.ts";
import type { Credentials, Frame, Protocol, RoutingProbe, Session } from "../protocols/protocol.ts";
import { ECHO, malformed } from "../protocols/json.ts";
import type { Call, Observed } from "./call.ts";
import { CallBook } from "./call_book.ts";
import { CallEncoder, firstIdNumber, type Message, newIdPrefix } from "./call_encoder.ts";
import { shakeHands } from "./handshake.ts";
import { countIn, type OpenLedger, openLedger } from "./ledger.ts";
import { type CloseInfo, dial, type DialOptions, type Socket } from "./socket.ts";

/** How to open a connection and keep its account; the timeout is that of each call too. */
export interface ConnectionOptions extends DialOptions {
  protocol: Protocol;
  credentials: Credentials;
  /** Which shard this is: its request ids are no other shard's. Left out: the only one. */
  shard?: ShardPlace | undefined;
  ledger: OpenLedger;
  observed: Observed;
}

/** How long the opening took, in nanoseconds. */
export interface ConnectionTiming {
  /** Dial and upgrade. */
  connectNs: number;
  /** Handshake sent to handshake accepted. */
  authenticateNs: number;
  /** Both. */
  establishNs: number;
}

export type { Message };

/** What is asked of a server that is no call. */
export type Probe = Pick<RoutingProbe, "encode" | "isAnswer">;

/** On an interrupt, how long to wait for outstanding replies before closing, in milliseconds. */
const ABORT_DRAIN_MS = 500;

/**
 * An authenticated session whose every call and frame is in a ledger. Ends by `close` or
 * `await using`; both let outstanding calls end first.
 */
export class Connection implements AsyncDisposable {
  readonly timing: ConnectionTiming;
  /** Resolves when the connection has ended, by whichever side. */
  readonly closed: Promise<CloseInfo>;
  /** How the server, or the network, ended it; `null`: it is open, or this side closed it. */
  lost: CloseInfo | null = null;
  readonly #socket: Socket;
  readonly #book: CallBook;
  readonly #clock: Clock;
  readonly #protocol: Protocol;
  readonly #signal: AbortSignal | undefined;
  #timeoutMs: number;
  readonly #encoder: CallEncoder;
  /** When something was last sent or received. */
  #lastNs: number;
  readonly #hasBatches: boolean;
  #cancelSweep: (() => void) | null = null;
  #onQuiet: (() => void) | null = null;
  #onFrame: ((text: string) => void) | null = null;
  /** The probe that is outstanding. */
  #probe: { is: Probe; id: string } | null = null;
  /** Where probes and their frames are counted, and forgotten. */
  readonly #probeLedger = openLedger();
  #closing: Promise<CloseInfo & { durationNs: number }> | null = null;
  /** Kept here, as to ask the signal before each call costs more than all else that is asked. */
  #isAborted: boolean;

  private constructor(
    socket: Socket,
    { timing, session }: { timing: ConnectionTiming; session: Session | null },
    options: ConnectionOptions,
  ) {
    const { clock, protocol, signal, shard } = options;
    this.#socket = socket;
    this.timing = timing;
    this.#clock = clock;
    this.#protocol = protocol;
    this.#signal = signal;
    this.#timeoutMs = options.timeoutMs;
    this.#encoder = new CallEncoder(protocol);
    this.#isAborted = signal?.aborted ?? false;
    this.#hasBatches = session?.batches ?? false;
    this.#book = new CallBook(newIdPrefix(protocol.ids, shard), {
      ...options,
      firstNumber: firstIdNumber(protocol.ids),
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

  /** Whether a call can be sent now: not after an abort either, which would not end it any more. */
  get isOpen(): boolean {
    return this.#closing === null && this.#socket.isOpen && !this.#isAborted;
  }

  /** Bytes of calls that wait to be handed to the system; `null` once the socket is not open. */
  get unsentBytes(): number | null {
    return this.#socket.unsentBytes;
  }

  /** The id of the call that has waited longest, `null` where none waits. */
  get oldestId(): string | null {
    return this.#book.oldest?.id ?? null;
  }

  /** How many calls were answered so far, and how many of them after a later one. */
  get order(): { answered: number; outOfOrder: number } {
    return this.#book.order;
  }

  /** How many calls timed out since the server's last answer. */
  get timedOutInRow(): number {
    return this.#book.timedOutInRow;
  }

  /** Counts the calls from here on in another ledger. */
  useLedger(ledger: OpenLedger): void {
    this.#book.ledger = ledger;
  }

  /** Sets who is shown the text of each frame, behind the clock and before the account; `null`: nobody. */
  onFrame(show: ((text: string) => void) | null): void {
    this.#onFrame = show;
  }

  /**
   * Gives the calls from here on another timeout.
   *
   * @throws {Error} if a call is outstanding, since all of those share one
   */
  useTimeout(timeoutMs: number): void {
    if (this.#book.outstanding > 0) {
      throw new Error("Cannot change the timeout as a call is outstanding");
    }
    this.#timeoutMs = timeoutMs;
    this.#cancelSweep?.();
    this.#cancelSweep = null;
  }

  /** Leaves the calls that wait, and those from here on, at most so much more time. */
  hurry(leftMs: number): void {
    const { oldest } = this.#book;
    if (oldest === undefined) return;
    const waitedMs = (this.#clock.nowNs() - oldest.sentNs) / 1e6;
    this.#timeoutMs = Math.min(this.#timeoutMs, waitedMs + leftMs);
    this.#sweepLater();
  }

  /**
   * Sends a call; `onEnd` hears of its end, whatever it is, exactly once.
   *
   * @param fromNs when the call's time begins, on the clock, if that is known: a closed loop sends when the
   *   call before has ended, and need not ask the clock again. Else now.
   * @throws {Error} if the connection is closed or the run is aborted: look at `isOpen` first
   */
  send(message: Message, onEnd: (call: Call) => void, fromNs?: number): void {
    this.#assertMaySend();
    const sentNs = fromNs ?? this.#clock.nowNs();
    const { id } = this.#book.begin(sentNs, onEnd, this.#book.ledger, message.tool);
    this.#lastNs = sentNs;
    this.#write(this.#encoder.encode(id, message));
  }

  /**
   * Sends a request that is no call, timed as a call is: over the same socket, with the same readings of
   * the clock and the same timeout. It and its frames are in no ledger. Frames that have nothing to do with
   * it are treated as ever.
   *
   * @param onEnd hears of its end once: `ok` if it was answered, `toolError` if an error came instead, and
   *   the rest as for calls. As there, the object is used again.
   * @param fromNs as for `send`
   * @throws {Error} if a call or a probe is outstanding, or as `send` does
   */
  probe(probe: Probe, onEnd: (end: Call) => void, fromNs?: number): void {
    if (this.#book.outstanding > 0) throw new Error("Cannot probe as a call is outstanding");
    this.#assertMaySend();
    const begunNs = fromNs ?? this.#clock.nowNs();
    const onProbeEnd = (end: Call) => {
      this.#probe = null;
      onEnd(end);
    };
    const { id } = this.#book.begin(begunNs, onProbeEnd, this.#probeLedger);
    this.#probe = { is: probe, id };
    this.#write(probe.encode(id));
  }

  /** Sends a call and waits for its end; never rejects for what the server does. The caller's to keep. */
  call(message: Message): Promise<Call> {
    return new Promise((resolve) => this.send(message, (call) => resolve({ ...call })));
  }

  /**
   * Waits for outstanding calls to end, then for late replies to those that timed out (at most the
   * call timeout), then closes with 1000.
   *
   * @returns how the connection ended, and how long the close itself took in nanoseconds
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
    if (this.#probe !== null) throw new Error("Cannot send a call as a probe is outstanding");
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

  /** Waits until `done`, the end of the socket, or the limit. */
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
    const frame = text === null || this.#probe !== null
      ? this.#classifyUncommon(text)
      : this.#protocol.classify(text);
    // After decoding: a caller would wait for that too.
    const nowNs = this.#clock.nowNs();
    this.#lastNs = nowNs;
    const messages = this.#hasBatches && frame.kind === "malformed" && text !== null
      ? this.#protocol.unbatch?.(text)
      : null;
    if (messages == null) return this.#enter(frame, text, nowNs);
    // Each counts as a frame.
    for (const one of messages) this.#enter(this.#classifyUncommon(one), one, nowNs);
  };

  #enter(frame: Frame, text: string | null, nowNs: number): void {
    if (this.#onFrame !== null && text !== null) this.#onFrame(text);
    const answer = frame.kind === "notification" ? frame.answer : null;
    // A request of the server's that bears the id of a call that waits is an echo.
    const isEcho = answer !== null && this.#book.awaits(frame.id);
    if (answer !== null && !isEcho) this.#socket.send(answer);
    this.#book.receive(isEcho ? malformed(ECHO) : frame, nowNs, text ?? "");
    if (this.#onQuiet !== null) this.#onQuiet();
  }

  /** A binary frame, or one that may answer a probe. */
  #classifyUncommon(text: string | null): Frame {
    if (text === null) return malformed("a binary frame that is not UTF-8");
    const probe = this.#probe;
    return probe !== null && probe.is.isAnswer(text, probe.id)
      ? { kind: "result", id: probe.id, fromCache: false }
      : this.#protocol.classify(text);
  }

  /** One timer for all calls: they share a timeout, so the oldest is always the next to expire. */
  #sweepLater(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    const { oldest } = this.#book;
    if (oldest === undefined) return;
    const waitedMs = (this.#clock.nowNs() - oldest.sentNs) / 1e6;
    this.#cancelSweep = this.#clock.after(Math.ceil(this.#timeoutMs - waitedMs), this.#sweep);
  }

  /** Whoever hears of an expiry may send another call: the timer is set when all of them have heard. */
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
