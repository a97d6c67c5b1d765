import { shakeHands } from "../../lib/client/handshake.ts";
import type { CloseInfo } from "../../lib/client/socket.ts";
import type { Target } from "../../lib/client/target.ts";
import type { Credentials, Frame } from "../../lib/protocols/protocol.ts";

/** What is sent, and when there has been enough of an answer. */
export interface ExchangeOptions {
  credentials: Credentials;
  /** Does the handshake come first? */
  inSession: boolean;
  send: readonly string[];
  /** A call that is made at the end, if the connection is open, and must be served. */
  last: { id: string; text: string };
  /** Is nothing more to be waited for, as far as frames and close (`null`: open) show? */
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

/** No answer has so many frames: of a flood the rest is left out. */
const MOST_FRAMES = 50;

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
  const { credentials, inSession, send, last, isEnough, patienceMs } = options;
  const seen: Exchange = { frames: [], result: null, close: null, limited: null, answerNs: null };
  let isLastSent = false;
  let isLastEnded = false;
  let wake = () => {};
  const socket = await target.dial();

  const isOver = () => signal.aborted || seen.close !== null || seen.limited !== null;
  async function until(done: () => boolean): Promise<void> {
    const waiting = Promise.withResolvers<void>();
    const look = () => {
      if (isOver() || done()) waiting.resolve();
    };
    const cancel = clock.after(patienceMs, waiting.resolve);
    signal.addEventListener("abort", look, { once: true });
    wake = look;
    look();
    await waiting.promise;
    cancel();
    signal.removeEventListener("abort", look);
  }

  function receive(text: string): void {
    const frame = protocol.classify(text);
    const isLast = frame.id === last.id;
    const isFinal = frame.kind !== "progress";
    if (frame.kind === "notification" && frame.answer !== null) {
      if (!isEcho(frame, [...send, last.text])) socket.send(frame.answer);
    }
    if (frame.kind === "rateLimited") seen.limited ??= target.foreign(frame.message);
    if (isLast && isFinal) isLastEnded = true;
    if (isLast && frame.kind === "result") seen.result = text;
    else if (!isLast || isFinal) keep(text);
  }
  const keep = (frame: string) => {
    if (seen.frames.length < MOST_FRAMES) seen.frames.push(frame);
  };

  try {
    if (inSession) {
      await shakeHands(socket, { protocol, credentials, clock, timeoutMs, signal });
    }
    const startNs = clock.nowNs();
    const note = (atNs: number) => {
      if (!isLastSent) seen.answerNs ??= atNs - startNs;
      wake();
    };
    socket.onText((text) => {
      if (text === null) keep("(a binary frame)");
      else receive(text);
      note(clock.nowNs());
    });
    socket.closed.then((close) => {
      if (!close.ours) seen.close = close;
      note(close.atNs);
    });
    for (const frame of send) socket.send(frame);
    await until(() => isEnough(seen.frames, seen.close));
    if (!isOver()) {
      isLastSent = true;
      socket.send(last.text);
      await until(() => isLastEnded);
    }
    const { close } = seen; // Before ours.
    await socket.close();
    return { ...seen, close };
  } finally {
    await socket.close();
  }
}
