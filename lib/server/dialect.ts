import type { DialectName } from "./options.ts";
import type { RateRefusal } from "./rate_limiter.ts";

/** How one build of the server words its replies, and what it does that the others do not. */
export interface Dialect {
  name: DialectName;
  firstMessageNotJson: { frame: string | null; reason: string };
  firstMessageNotHello: { frame: string; reason: string };
  /** The session's id is the server's choice, told in hello_ack, whatever the client asked for. */
  assignsSessionId: boolean;
  /** Otherwise an invalid session id closes the connection. */
  replacesInvalidSessionId: boolean;
  /** A re-used request id is answered with the earlier reply, whatever the new call asks. */
  remembersRequestIds: boolean;
  /** A call like one that is running now waits for that one's answer. */
  joinsRunningCalls: boolean;
  /** A repeated call (same tool, same arguments) is answered from a cache, marked as such. */
  cachesResults: boolean;
  /** The operation `tool_call` is a call too. */
  knowsToolCall: boolean;
  /** A first message `initialize` opens a door that speaks MCP, see mcp_door.ts. */
  hasMcpDoor: boolean;
  /** A frame like an earlier one of that connection is not sent. */
  dropsRepeatedFrames: boolean;

  success(idJson: string, outputsJson: string): string;
  cachedSuccess(idJson: string, outputsJson: string): string;
  toolNotFound(idJson: string, tool: string): string;
  invalidArguments(idJson: string, message: string): string;
  raised(idJson: string, message: string): string;
  unknownOp(op: string): string;
  rateLimited(idJson: string, refusal: RateRefusal, clientIp: string): string;
  toolList(idJson: string, toolsJson: string): string;
  /** `null`: this build knows no ping. */
  pong: ((idJson: string) => string) | null;
}
