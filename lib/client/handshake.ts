import type { Observed } from "./call.ts";
import type { Clock } from "./clock.ts";
import type { Credentials, HandshakeReply, Protocol, Session } from "../protocols/protocol.ts";
import { ECHO } from "../protocols/json.ts";
import { ConnectError } from "./connect_error.ts";
import { type ForeignText, foreignText } from "./foreign_text.ts";
import { type CloseInfo, NO_CLOSE_FRAME, type Socket } from "./socket.ts";

/** How long to go on waiting when the answer has come in a shape that is none, in milliseconds. */
const WRONG_ANSWER_WAIT_MS = 1_000;
/** How long to wait for the close frame that explains a refusal, in milliseconds. */
const CLOSE_FRAME_WAIT_MS = 1_000;

/** What a handshake needs to know. */
export interface HandshakeOptions {
  protocol: Protocol;
  credentials: Credentials;
  clock: Clock;
  timeoutMs: number;
  signal?: AbortSignal;
  /** What the first frame that is no answer goes through, to be shown. Left out: it is cut. */
  foreign?: ForeignText;
  /** Learns of a session whose id is the server's choice. */
  observed?: Observed;
}

/** Reasons of a close that speak of how many there are, and of who it is. */
const TOO_MANY = /connections?\b|\blimit|capacity|too many|quota|overload|\bbusy\b/i;
const NOT_ALLOWED = /auth|token|credential|jwt|expired|forbidden|denied|permission|\bkey\b/i;

/** The error for a connection that the server closed before it was usable. */
export function closedError(close: CloseInfo, refusal: string | null): ConnectError {
  const { code, reason } = close;
  const details = { closeCode: code, closeReason: reason };
  const words = [...new Set([refusal, reason])].filter(Boolean).join(", ") || "no reason given";
  const closed = code === NO_CLOSE_FRAME
    ? "the connection ended without a close frame (1006)"
    : `closed with ${code} (${words})`;
  // 1008 is for any policy, as 3000 and up are: only the words say which.
  const isPolicy = code === 1008 || code >= 3000;
  if (code === 4003 || refusal === "unauthorized" || (isPolicy && NOT_ALLOWED.test(reason))) {
    return new ConnectError("unauthorized", `The server refused the token: ${closed}`, details);
  }
  if (code === 1013 || (isPolicy && TOO_MANY.test(reason))) {
    return new ConnectError(
      "connectionLimit",
      `The server refused the connection: ${closed}`,
      details,
    );
  }
  return new ConnectError("closed", `The server ended the handshake: ${closed}`, details);
}

/**
 * Opens the session on an open socket. Frames behind the accepting one are kept for whoever comes next.
 *
 * @returns how long it took in nanoseconds, 0 where the protocol has no handshake, and what was agreed on
 * @throws {ConnectError} if the server refuses, closes, or does not answer in time, or on an abort
 */
export async function shakeHands(
  socket: Socket,
  options: HandshakeOptions,
): Promise<{ elapsedNs: number; session: Session | null }> {
  const { protocol, credentials, clock, timeoutMs, signal, observed } = options;
  const shown = options.foreign ?? foreignText([]);
  const { send, read } = protocol.open(credentials);
  if (read === null) return { elapsedNs: 0, session: null };
  const accepted = Promise.withResolvers<{ elapsedNs: number; session: Session | null }>();
  let refusal: string | null = null;
  /** The first frame that was no answer. */
  let other: string | null = null;
  const startNs = clock.nowNs();
  const giveUp = () => {
    const but = other === null ? "" : `, but ${other}`;
    const message = `No answer to the handshake within ${timeoutMs / 1000} s${but}`;
    accepted.reject(new ConnectError("noHelloAck", message));
  };
  let cancel = clock.after(timeoutMs, giveUp);
  socket.onText((text) => {
    const reply: HandshakeReply = text === null ? { status: "ignored" } : read(text);
    if (reply.status === "accepted") {
      const elapsedNs = clock.nowNs() - startNs;
      socket.onText(null);
      const { sessionId = credentials.sessionId } = reply;
      if (sessionId !== credentials.sessionId && observed) observed.assignsSessions = true;
      for (const frame of reply.send) socket.send(frame);
      accepted.resolve({ elapsedNs, session: reply.session ?? null });
    } else if (reply.status === "refused" && reply.ours) {
      const message = `Cannot go on with the handshake as ${shown(reply.error)}`;
      accepted.reject(new ConnectError("noHelloAck", message));
    } else if (reply.status === "refused") {
      const error = shown(reply.error);
      refusal = error;
      // The close frame that follows names the cause; not every server sends one.
      cancel();
      cancel = clock.after(
        CLOSE_FRAME_WAIT_MS,
        () =>
          accepted.reject(
            new ConnectError("unauthorized", `The server refused the handshake: ${error}`),
          ),
      );
    } else {
      for (const frame of reply.send ?? []) socket.send(frame);
      const { reason } = reply;
      const words = text === null ? "" : `: ${shown(text)}`;
      if (reason === undefined) {
        other ??= text === null ? "a binary frame that is not UTF-8" : `another frame${words}`;
        return;
      }
      cancel();
      cancel = clock.after(Math.min(timeoutMs, WRONG_ANSWER_WAIT_MS), () => {
        const message = `The server answered the handshake, but with ${reason}${words}`;
        const advice = "It looks like an echo server: --protocol echo measures one.";
        accepted.reject(new ConnectError("noHelloAck", message, reason === ECHO ? { advice } : {}));
      });
    }
  });
  socket.closed.then((close) => accepted.reject(closedError(close, refusal)));
  const onAbort = () =>
    accepted.reject(new ConnectError("aborted", "Stopped while opening the session"));
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  for (const frame of send) socket.send(frame);
  try {
    return await accepted.promise;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
