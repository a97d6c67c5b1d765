import type { Call } from "../client/call.ts";
import type { Connection } from "../client/connection.ts";
import { NO_CLOSE_FRAME } from "../client/socket.ts";

/** `1 call`, `12 calls`: a noun that takes an s. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** True for a close as it should be: 1005 is a close frame without a code, which RFC 6455 allows. */
export function isCleanClose({ code }: { code: number }): boolean {
  return code === 1000 || code === 1005;
}

/** A connection closed after this long without traffic may have hit an idle timeout. */
const IDLE_NS = 1e9;

/** How a connection was closed, with the server's code and reason. */
export function describeClose(
  { code, reason, quietNs = 0 }: { code: number; reason: string; quietNs?: number },
): string {
  const how = code === NO_CLOSE_FRAME ? "no close frame (1006)" : `close ${code} ${reason}`.trim();
  if (quietNs < IDLE_NS) return how;
  const hint = reason === "" ? " (an idle timeout of a proxy?)" : "";
  return `${how}, after ${(quietNs / 1e9).toFixed(1)} s without traffic${hint}`;
}

/** How the first lost connection was closed; `null` if none was lost. */
export function describeLoss(connections: readonly Pick<Connection, "lost">[]): string | null {
  const lost = connections.find((one) => one.lost !== null)?.lost ?? null;
  return lost === null ? null : `the connection was lost: ${describeClose(lost)}`;
}

/** Why a call was not served; a call of `null` could not be sent on a closed connection. */
export async function describeFailure(
  call: Pick<Call, "status" | "errorMessage"> | null,
  { closed }: Pick<Connection, "closed">,
): Promise<string> {
  if (call === null || call.status === "connectionLost") {
    return `the connection was lost: ${describeClose(await closed)}`;
  }
  const { status, errorMessage } = call;
  return `a call ended as ${status}${errorMessage === "" ? "" : `: ${errorMessage}`}`;
}
