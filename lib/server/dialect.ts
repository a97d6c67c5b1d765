import type { DialectName } from "./options.ts";
import type { RateRefusal } from "./rate_limiter.ts";

/** How one build of the server words its replies, and what it does that the other does not. */
export interface Dialect {
  name: DialectName;
  firstMessageNotJson: { frame: string | null; reason: string };
  firstMessageNotHello: { frame: string; reason: string };
  /** Otherwise an invalid session id closes the connection. */
  replacesInvalidSessionId: boolean;
  /** A re-used request id is answered with the earlier reply, whatever the new call asks. */
  remembersRequestIds: boolean;
  /** A call like one that is running now waits for that one's answer. */
  joinsRunningCalls: boolean;
  /** A repeated call (same tool, same arguments) is answered from a cache, marked as such. */
  cachesResults: boolean;
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
