import type { Credentials, Frame } from "../../lib/protocols/protocol.ts";
import { shakeHands } from "../../lib/client/handshake.ts";
import type { CloseInfo, Socket } from "../../lib/client/socket.ts";
import type { Target } from "../../lib/client/target.ts";

/** What is sent, and when there has been enough of an answer. */
export interface ExchangeOptions {
  credentials: Credentials;
  /** Whether the handshake comes first. */
  inSession: boolean;
  send: readonly string[];
  /** A call that is made at the end, if the connection is open, and must be served. */
  last: { id: string; text: string };
  /** Whether nothing more is to be waited for, as far as frames and close (`null`: open) tell. */
  isEnough: (frames: readonly string[], close: CloseInfo | null) => boolean;
  /** How long to wait for that, and for the last call, in milliseconds. */
  patienceMs: number;
}

/** What came back. */
export interface Exchange {
  /** All but those of the last call, in their order. */
  frames: string[];
  /** The last call's result, `null` where there was none. */
  result: string | null;
  /** The server's close, `null` where the connection was open to the end. */
  close: CloseInfo | null;
  /** The words of a refusal for load, which ends the exchange; `null`: there was none. */
  limited: string | null;
  /** From the sending to the first frame or the close; `null`: neither came before the last call. */
  answerNs: number | null;
}

/** Is it a request that bears the id of one of ours? */
export function isEcho({ kind, id }: Frame, sent: readonly string[]): boolean {
  return kind === "notification" && id !== null && sent.some((text) => text.includes(id));
}

/**
 * Says something on a connection of its own and sees what comes back, frame by frame; then whether the
 * connection still serves a call. Nothing of it is in a ledger.
 *
 * @throws {ConnectError} if no connection, or no session, can be opened
 */
export async function exchange(target: Target, options: ExchangeOptions): Promise<Exchange> {
  const { protocol, clock, timeoutMs, signal } = target.options;
  const { credentials, inSession, send, last, patienceMs } = options;
  const socket = await target.dial();
  try {
    if (inSession) {
      await shakeHands(socket, { protocol, credentials, clock, timeoutMs, signal });
    }
    const listener = new Listener(socket, { target, lastId: last.id, sent: [...send, last.text] });
    for (const frame of send) socket.send(frame);
    await listener.until(() => options.isEnough(listener.frames, listener.close), patienceMs);
    if (listener.close === null && listener.limited === null && !signal.aborted) {
      listener.isLastSent = true;
      socket.send(last.text);
      await listener.until(() => listener.isLastEnded, patienceMs);
    }
    const { close } = listener; // Before ours.
    await socket.close();
    const { frames, result, limited, answerNs } = listener;
    return { frames, result, close, limited, answerNs };
  } finally {
    await socket.close();
  }
}

/** No answer has so many frames: of a flood the rest is left out. */
const MOST_FRAMES = 50;

/** Keeps what comes, and wakes who waits for it. */
class Listener {
  readonly frames: string[] = [];
  readonly #socket: Socket;
  readonly #target: Target;
  readonly #lastId: string;
  readonly #sent: readonly string[];
  readonly #startNs: number;
  result: string | null = null;
  limited: string | null = null;
  isLastSent = false;
  isLastEnded = false;
  close: CloseInfo | null = null;
  answerNs: number | null = null;
  #wake: () => void = () => {};

  constructor(
    socket: Socket,
    { target, lastId, sent }: { target: Target; lastId: string; sent: readonly string[] },
  ) {
    this.#socket = socket;
    this.#target = target;
    this.#lastId = lastId;
    this.#sent = sent;
    this.#startNs = target.options.clock.nowNs();
    socket.onText((text) => this.#receive(text));
    socket.closed.then((close) => {
      if (!close.ours) this.close = close;
      this.#note(close.atNs);
    });
  }

  /** Waits until it is done, the connection has ended, time is up or the run is interrupted. */
  async until(done: () => boolean, patienceMs: number): Promise<void> {
    const { clock, signal } = this.#target.options;
    let isOver = signal.aborted;
    const waiting = Promise.withResolvers<void>();
    const end = () => {
      isOver = true;
      waiting.resolve();
    };
    const cancel = clock.after(patienceMs, end);
    signal.addEventListener("abort", end, { once: true });
    this.#wake = () => {
      const hasEnded = isOver || this.close !== null || this.limited !== null;
      if (hasEnded || done()) waiting.resolve();
    };
    this.#wake();
    await waiting.promise;
    cancel();
    signal.removeEventListener("abort", end);
  }

  #keep(frame: string): void {
    if (this.frames.length < MOST_FRAMES) this.frames.push(frame);
  }

  #receive(text: string | null): void {
    const { clock, protocol } = this.#target.options;
    if (text === null) this.#keep("(a binary frame)");
    else {
      const frame = protocol.classify(text);
      const isLast = frame.id === this.#lastId;
      if (frame.kind === "notification" && frame.answer !== null && !isEcho(frame, this.#sent)) {
        this.#socket.send(frame.answer);
      }
      if (frame.kind === "rateLimited") this.limited ??= this.#target.foreign(frame.message);
      const isFinal = frame.kind !== "progress";
      if (isLast && isFinal) this.isLastEnded = true;
      if (isLast && frame.kind === "result") this.result = text;
      else if (!isLast || isFinal) this.#keep(text);
    }
    this.#note(clock.nowNs());
  }

  #note(atNs: number): void {
    if (!this.isLastSent) this.answerNs ??= atNs - this.#startNs;
    this.#wake();
  }
}
