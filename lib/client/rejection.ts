import type { RejectionCase } from "../protocols/protocol.ts";
import type { CloseInfo } from "./socket.ts";
import type { Target } from "./target.ts";

/** How a server treated a client that it should reject. */
export interface Rejection {
  /** `null` if the server did not close in time. */
  close: CloseInfo | null;
  /** From the offending frame, or the opening if none was sent, to the close, in nanoseconds. */
  elapsedNs: number;
  /** Number of tool results, of which a rejected client must get none. */
  results: number;
  accepted: boolean;
}

/**
 * Opens a connection, sends something that should be refused, and waits for the close.
 *
 * @throws {ConnectError} if no WebSocket opens
 */
export async function probeRejection(
  target: Target,
  { first, then, patienceMs = target.options.timeoutMs }: {
    /** The first frame; `null` sends nothing. */
    first: string | null;
    /** Sent right after it, to check that it is not served. */
    then?: string;
    /** Time limit for the close, in milliseconds. Default: the target's timeout. */
    patienceMs?: number;
  },
): Promise<Rejection> {
  const { clock, signal, protocol } = target.options;
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
  for (const frame of [first, then]) if (frame != null) socket.send(frame);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  const cancel = clock.after(patienceMs, end);
  const close = await Promise.race([socket.closed, over.promise]);
  const elapsedNs = (close?.atNs ?? clock.nowNs()) - startNs;
  cancel();
  signal.removeEventListener("abort", end);
  await socket.close();
  return { close, elapsedNs, ...seen };
}

/**
 * True if the server accepts both a wrong and a missing token.
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
