import type { Call } from "../client/call.ts";
import type { Connection } from "../client/connection.ts";
import { NO_CLOSE_FRAME } from "../client/socket.ts";

/** How a connection was closed, with the code and the reason that the server gave. */
export function describeClose({ code, reason }: { code: number; reason: string }): string {
  if (code === NO_CLOSE_FRAME) return "no close frame (1006)";
  return `close ${code} ${reason}`.trim();
}

/** Why a call was not served; `null`: the connection had ended before it. */
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
