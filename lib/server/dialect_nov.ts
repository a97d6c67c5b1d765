import type { Dialect } from "./dialect.ts";
import { type ErrorBody, helloRefusedFrame, timestamp } from "./frames.ts";
import { rateLimitError } from "./rate_limit_error.ts";

/** The build of 2025-11-13. Most of its errors have neither `op` nor `request_id`. */
export const NOV: Dialect = {
  name: "nov",
  firstMessageNotJson: { frame: null, reason: "invalid message" },
  firstMessageNotHello: {
    frame: helloRefusedFrame("missing_hello"),
    reason: "unrecognized protocol",
  },
  assignsSessionId: false,
  replacesInvalidSessionId: false,
  remembersRequestIds: false,
  joinsRunningCalls: false,
  cachesResults: true,
  knowsToolCall: true,
  hasMcpDoor: true,
  dropsRepeatedFrames: false,

  success: (idJson, outputsJson) =>
    `{"op": "call_tool_res", "request_id": ${idJson}, "outputs": ${outputsJson}}`,
  cachedSuccess: (idJson, outputsJson) =>
    `{"op": "call_tool_res", "request_id": ${idJson}, "outputs": ${outputsJson}, "from_cache": true}`,
  toolNotFound: (_idJson, tool) =>
    bareError({ code: "TOOL_NOT_FOUND", message: `Tool not found: ${tool}` }),
  invalidArguments: (_idJson, message) => bareError({ code: "INTERNAL_ERROR", message }),
  raised: (_idJson, message) => bareError({ code: "INTERNAL_ERROR", message }),
  unknownOp: (op) => bareError({ code: "INVALID_REQUEST", message: `Unknown operation: ${op}` }),
  rateLimited: (idJson, refusal, clientIp) => {
    const id = idJson === "null" ? "" : `"request_id": ${idJson}, `;
    return `{"op": "error", ${id}"error": ${JSON.stringify(rateLimitError(refusal, clientIp))}}`;
  },
  toolList: (idJson, toolsJson) =>
    `{"op": "list_tools_res", "request_id": ${idJson}, "tools": ${toolsJson}, ` +
    `"timestamp": "${timestamp()}"}`,
  pong: (idJson) => `{"op": "pong", "request_id": ${idJson}, "timestamp": "${timestamp()}"}`,
};

function bareError(error: ErrorBody): string {
  return `{"error": ${JSON.stringify(error)}}`;
}
