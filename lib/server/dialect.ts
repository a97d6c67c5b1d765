import type { DialectName } from "./options.ts";
import type { RateRefusal } from "./rate_limiter.ts";

/** Behaviour and replies of one build of the server. */
export interface Dialect {
  name: DialectName;
  firstMessageNotJson: { frame: string | null; reason: string };
  firstMessageNotHello: { frame: string; reason: string };
  /** The server picks the session id and reports it in hello_ack; the client's is ignored. */
  assignsSessionId: boolean;
  /** If false, an invalid session id closes the connection. */
  replacesInvalidSessionId: boolean;
  /** A reused request id gets the earlier reply, whatever the new call is. */
  remembersRequestIds: boolean;
  /** A call identical to a running one shares its answer. */
  joinsRunningCalls: boolean;
  /** A repeated call (same tool, same arguments) is answered from a cache and marked as cached. */
  cachesResults: boolean;
  /** Accepts `tool_call` as well as `call_tool`. */
  knowsToolCall: boolean;
  /** Speaks MCP if the first message is `initialize`, see mcp_door.ts. */
  hasMcpDoor: boolean;
  /** Does not send a frame identical to an earlier one of the same connection. */
  dropsRepeatedFrames: boolean;

  success(idJson: string, outputsJson: string): string;
  cachedSuccess(idJson: string, outputsJson: string): string;
  toolNotFound(idJson: string, tool: string): string;
  invalidArguments(idJson: string, message: string): string;
  raised(idJson: string, message: string): string;
  unknownOp(op: string): string;
  rateLimited(idJson: string, refusal: RateRefusal, clientIp: string): string;
  toolList(idJson: string, toolsJson: string): string;
  /** `null`: this build has no `ping`. */
  pong: ((idJson: string) => string) | null;
}
