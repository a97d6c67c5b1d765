import type { RejectionCase } from "../protocols/protocol.ts";
import type { CloseInfo } from "./socket.ts";
import type { Target } from "./target.ts";

/** What became of a client that a server should turn away. */
export interface Rejection {
  /** How the server closed; `null` if it had not within the time. */
  close: CloseInfo | null;
  /** From the offending frame (or the opening, where none was sent) to the close, in nanoseconds. */
  elapsedNs: number;
  /** How many results of tools came: a client that is turned away must get none. */
  results: number;
  /** Whether the handshake was accepted. */
  accepted: boolean;
}

/** What to send, and how long to wait. */
export interface ProbeOptions {
  /** The first frame; `null` sends nothing. */
  first: string | null;
  /** Sent right behind it, to see that it is not served. */
  then?: string;
  /** How long the server may take to close, in milliseconds; else the target's timeout. */
  patienceMs?: number;
}

/**
 * Opens a connection, says something that should be refused, and sees what happens.
 *
 * @throws {ConnectError} if no WebSocket opens
 */
export async function probeRejection(target: Target, options: ProbeOptions): Promise<Rejection> {
  const { clock, signal, timeoutMs, protocol } = target.options;
  const socket = await target.dial();
  const seen = { results: 0, accepted: false };
  const over = Promise.withResolvers<null>();
  const end = () => over.resolve(null);
  const { read } = protocol.open(target.newCredentials());
  socket.onText((text) => {
    if (text === null) return;
    if (protocol.classify(text).kind === "result") seen.results++;
    if (read?.(text).status !== "accepted") return;
    seen.accepted = true;
    end();
  });
  const startNs = clock.nowNs();
  for (const frame of [options.first, options.then]) if (frame != null) socket.send(frame);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  const cancel = clock.after(options.patienceMs ?? timeoutMs, end);
  const close = await Promise.race([socket.closed, over.promise]);
  const elapsedNs = (close === null ? clock.nowNs() : close.atNs) - startNs;
  cancel();
  signal.removeEventListener("abort", end);
  await socket.close();
  return { close, elapsedNs, ...seen };
}

/**
 * Whether a wrong token and a missing one are both let in.
 *
 * @throws {ConnectError} if no WebSocket opens
 */
export async function isAuthenticationOff(
  target: Target,
  cases: readonly RejectionCase[],
): Promise<boolean> {
  for (const name of ["wrong token", "missing token"]) {
    const first = cases.find((one) => one.name === name)?.first ?? null;
    if (!(await probeRejection(target, { first })).accepted) return false;
  }
  return true;
}
