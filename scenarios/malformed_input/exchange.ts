import { shakeHands } from "../../lib/client/handshake.ts";
import type { CloseInfo } from "../../lib/client/socket.ts";
import type { Target } from "../../lib/client/target.ts";
import { wait } from "../../lib/load/pace.ts";
import type { Message } from "../../lib/client/connection.ts";
import type { Credentials, Frame, Protocol } from "../../lib/protocols/protocol.ts";

interface ExchangeOptions {
  credentials: Credentials;
  /** True to begin with the handshake. */
  inSession: boolean;
  send: readonly string[];
  /** Call made at the end if the connection is still open. */
  last: Message & { id: string };
  /** Called with all frames and the close (`null`: open). Return true to stop waiting. */
  isEnough: (frames: readonly string[], close: CloseInfo | null) => boolean;
  /** Timeout of `isEnough`, and again of the last call. */
  patienceMs: number;
}

/** What came back. */
interface Exchange {
  /** In order, without those of the last call. */
  frames: string[];
  /** The last call's result, if any. */
  result: string | null;
  /** The server's close; `null` if the connection stayed open. */
  close: CloseInfo | null;
  /** The message of a rate limiter's refusal, which ends the exchange. */
  limited: string | null;
  /** Time to the first frame or the close; `null` if neither came before the last call. */
  answerNs: number | null;
}

/** Further frames of a flood are dropped. */
const MOST_FRAMES = 50;

/** True for a server's request that reuses the id of a request of ours. */
export function isEcho(
  { kind, id }: Frame,
  sent: readonly string[],
  { classify }: Pick<Protocol, "classify">,
): boolean {
  return kind === "notification" && id !== null && sent.some((text) => classify(text).id === id);
}

/**
 * Sends frames on a new connection and collects the answer, then tests if the connection still
 * serves a call. No ledger counts any of this.
 *
 * @throws {ConnectError} if the connection or the session cannot be opened
 * @throws the signal's reason, if the run is interrupted
 */
export async function exchange(target: Target, options: ExchangeOptions): Promise<Exchange> {
  const { protocol, clock, signal } = target.options;
  const { credentials, inSession, send, last, isEnough, patienceMs } = options;
  const lastText = protocol.encodeCall(last.id, last.tool, last.argsJson);
  const seen: Exchange = { frames: [], result: null, close: null, limited: null, answerNs: null };
  let isLastEnded = false;
  let wake = () => {};
  const socket = await target.dial();

  const isOver = () => signal.aborted || seen.close !== null || seen.limited !== null;
  async function until(done: () => boolean): Promise<void> {
    const ended = new AbortController();
    wake = () => {
      if (isOver() || done()) ended.abort();
    };
    wake();
    await wait(patienceMs, { clock, signal: AbortSignal.any([signal, ended.signal]) });
  }

  function receive(text: string): void {
    const frame = protocol.classify(text);
    const isLast = frame.id === last.id;
    const isFinal = frame.kind !== "progress";
    if (frame.kind === "notification" && frame.answer !== null) {
      if (!isEcho(frame, [...send, lastText], protocol)) socket.send(frame.answer);
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
      await shakeHands(socket, { ...target.options, credentials });
    }
    const startNs = clock.nowNs();
    const note = (atNs: number) => {
      seen.answerNs ??= atNs - startNs;
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
    const { answerNs } = seen;
    if (!isOver()) {
      socket.send(lastText);
      await until(() => isLastEnded);
    }
    signal.throwIfAborted();
    return { ...seen, answerNs };
  } finally {
    await socket.close();
  }
}
