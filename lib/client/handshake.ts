import type { Observed } from "./call.ts";
import type { Clock } from "./clock.ts";
import type { Credentials, HandshakeReply, Protocol } from "../protocols/protocol.ts";
import { ConnectError } from "./connect_error.ts";
import type { CloseInfo, Socket } from "./socket.ts";

/** How long to wait for the close frame that explains a refusal, in milliseconds. */
const CLOSE_FRAME_WAIT_MS = 1_000;

/** What a handshake needs to know. */
export interface HandshakeOptions {
  protocol: Protocol;
  credentials: Credentials;
  clock: Clock;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Learns of a session whose id is the server's choice. */
  observed?: Observed;
}

/** The error for a connection that the server closed before it was usable. */
export function closedError(close: CloseInfo, refusal: string | null): ConnectError {
  const details = { closeCode: close.code, closeReason: close.reason };
  const words = [...new Set([refusal, close.reason])].filter(Boolean).join(", ") ||
    "no reason given";
  const closed = `closed with ${close.code} (${words})`;
  if (close.code === 4003 || refusal === "unauthorized") {
    return new ConnectError("unauthorized", `The server refused the token: ${closed}`, details);
  }
  if (close.code === 1008) {
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
 * @returns how long it took in nanoseconds, 0 where the protocol has no handshake
 * @throws {ConnectError} if the server refuses, closes, or does not answer in time, or on an abort
 */
export async function shakeHands(socket: Socket, options: HandshakeOptions): Promise<number> {
  const { protocol, credentials, clock, timeoutMs, signal, observed } = options;
  const { send, read } = protocol.open(credentials);
  if (read === null) return 0;
  const accepted = Promise.withResolvers<number>();
  let refusal: string | null = null;
  const startNs = clock.nowNs();
  let cancel = clock.after(
    timeoutMs,
    () =>
      accepted.reject(
        new ConnectError("noHelloAck", `No answer to the handshake within ${timeoutMs / 1000} s`),
      ),
  );
  socket.onText((text) => {
    const reply: HandshakeReply = text === null ? { status: "ignored" } : read(text);
    if (reply.status === "accepted") {
      const elapsedNs = clock.nowNs() - startNs;
      socket.onText(null);
      const { sessionId = credentials.sessionId } = reply;
      if (sessionId !== credentials.sessionId && observed) observed.assignsSessions = true;
      for (const frame of reply.send) socket.send(frame);
      accepted.resolve(elapsedNs);
    } else if (reply.status === "refused") {
      refusal = reply.error;
      // The close frame that follows names the cause; not every server sends one.
      cancel();
      cancel = clock.after(
        CLOSE_FRAME_WAIT_MS,
        () =>
          accepted.reject(
            new ConnectError("unauthorized", `The server refused the handshake: ${reply.error}`),
          ),
      );
    } else {
      for (const frame of reply.send ?? []) socket.send(frame);
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
