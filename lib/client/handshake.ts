import type { Observed } from "./call.ts";
import type { Credentials, HandshakeReply, Protocol, Session } from "../protocols/protocol.ts";
import { ECHO } from "../protocols/json.ts";
import { ConnectError, type ConnectFailure } from "./connect_error.ts";
import { type CloseInfo, type DialOptions, NO_CLOSE_FRAME, type Socket } from "./socket.ts";

/** How long to go on waiting after a wrong answer, in milliseconds. */
const WRONG_ANSWER_WAIT_MS = 1_000;
/** How long to wait for the close frame that explains a refusal, in milliseconds. */
const CLOSE_FRAME_WAIT_MS = 1_000;

/** Options of a handshake. */
export interface HandshakeOptions
  extends Pick<DialOptions, "clock" | "timeoutMs" | "signal" | "foreign"> {
  protocol: Protocol;
  credentials: Credentials;
  /** Set if the server assigns another session id. */
  observed?: Observed;
}

/** Close reasons that mention a limit, and those that mention credentials. */
const TOO_MANY = /connections?\b|\blimit|capacity|too many|quota|overload|\bbusy\b/i;
const NOT_ALLOWED = /auth|token|credential|jwt|expired|forbidden|denied|permission|\bkey\b/i;

/** The error for a connection that the server closed before it was usable. */
function closedError({ code, reason }: CloseInfo, refusal: string | null): ConnectError {
  const words = [...new Set([refusal, reason])].filter(Boolean).join(", ") || "no reason given";
  const closed = code === NO_CLOSE_FRAME
    ? "the connection ended without a close frame (1006)"
    : `closed with ${code} (${words})`;
  // 1008 and codes from 3000 up can mean any policy: only the reason tells which.
  const isPolicy = code === 1008 || code >= 3000;
  const isUnauthorized = code === 4003 || refusal === "unauthorized" ||
    (isPolicy && NOT_ALLOWED.test(reason));
  const [failure, what]: [ConnectFailure, string] = isUnauthorized
    ? ["unauthorized", "refused the token"]
    : code === 1013 || (isPolicy && TOO_MANY.test(reason))
    ? ["connectionLimit", "refused the connection"]
    : ["closed", "ended the handshake"];
  const details = { closeCode: code, closeReason: reason };
  return new ConnectError(failure, `The server ${what}: ${closed}`, details);
}

/**
 * Opens the session on an open socket. Frames after the accepting one are kept for the next
 * receiver.
 *
 * @returns the duration in nanoseconds (0 if the protocol has no handshake), and what was agreed on
 * @throws {ConnectError} if the server refuses, closes or does not answer in time, or on an abort
 */
export async function shakeHands(
  socket: Socket,
  options: HandshakeOptions,
): Promise<{ elapsedNs: number; session: Session | null }> {
  const { protocol, credentials, clock, timeoutMs, signal, observed, foreign } = options;
  const { send, read } = protocol.open(credentials);
  if (read === null) return { elapsedNs: 0, session: null };
  const accepted = Promise.withResolvers<{ elapsedNs: number; session: Session | null }>();
  let refusal: string | null = null;
  let isFirst = true;
  const startNs = clock.nowNs();
  let endNs = Infinity;
  let cancel = () => {};
  const fail = (...why: ConstructorParameters<typeof ConnectError>) =>
    accepted.reject(new ConnectError(...why));
  /** Fails with this after the limit or the timeout, unless a better answer comes before. */
  const failWithin = (limitMs: number, ...why: Parameters<typeof fail>) => {
    cancel();
    const nowNs = clock.nowNs();
    endNs = Math.min(endNs, nowNs + limitMs * 1e6);
    cancel = clock.after((endNs - nowNs) / 1e6, () => fail(...why));
  };
  const noAnswer = `No answer to the handshake within ${timeoutMs / 1000} s`;
  failWithin(timeoutMs, "noHelloAck", noAnswer);
  socket.onText((text) => {
    const reply: HandshakeReply = text === null ? { status: "ignored" } : read(text);
    if (reply.status === "accepted") {
      const elapsedNs = clock.nowNs() - startNs;
      socket.onText(null);
      const { sessionId = credentials.sessionId } = reply;
      if (sessionId !== credentials.sessionId && observed) observed.assignsSessions = true;
      for (const frame of reply.send) socket.send(frame);
      return accepted.resolve({ elapsedNs, session: reply.session ?? null });
    }
    if (reply.status === "refused") {
      refusal = foreign(reply.error);
      if (reply.ours) return fail("noHelloAck", `Cannot complete the handshake: ${refusal}`);
      const message = `The server refused the handshake: ${refusal}`;
      // A close frame with the cause usually follows.
      return failWithin(CLOSE_FRAME_WAIT_MS, "unauthorized", message);
    }
    for (const frame of reply.send ?? []) socket.send(frame);
    const { reason } = reply;
    const words = text === null ? "" : `: ${foreign(text)}`;
    if (reason !== undefined) {
      const advice = reason === ECHO
        ? "This looks like an echo server: use --protocol echo."
        : undefined;
      const message = `The server answered the handshake, but with ${reason}${words}`;
      failWithin(WRONG_ANSWER_WAIT_MS, "noHelloAck", message, { advice });
    } else if (isFirst) {
      const what = text === null
        ? "a binary frame that is not UTF-8"
        : `an unrelated frame${words}`;
      failWithin(timeoutMs, "noHelloAck", `${noAnswer}, only ${what}`);
    }
    isFirst = false;
  });
  socket.closed.then((close) => accepted.reject(closedError(close, refusal)));
  const onAbort = () => fail("aborted", "Stopped while opening the session");
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
