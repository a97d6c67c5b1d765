import type { Dialect } from "./dialect.ts";
import { callErrorFrame, errorFrame, helloRefusedFrame, timestamp } from "./frames.ts";
import { rateLimitError } from "./rate_limit_error.ts";

/** The build of 2025-10-27. */
export const OCT: Dialect = {
  name: "oct",
  firstMessageNotJson: { frame: helloRefusedFrame("invalid_hello"), reason: "invalid hello" },
  firstMessageNotHello: { frame: helloRefusedFrame("missing_hello"), reason: "missing hello" },
  assignsSessionId: false,
  replacesInvalidSessionId: true,
  remembersRequestIds: true,
  joinsRunningCalls: true,
  cachesResults: false,
  knowsToolCall: false,
  hasMcpDoor: false,
  dropsRepeatedFrames: true,

  success: (idJson, outputsJson) =>
    `{"op": "call_tool_res", "request_id": ${idJson}, "ok": true, "outputs": ${outputsJson}}`,
  cachedSuccess: (idJson, outputsJson) => OCT.success(idJson, outputsJson),
  toolNotFound: (idJson, tool) =>
    callErrorFrame(idJson, {
      code: "TOOL_NOT_FOUND",
      message: `Unknown tool: ${tool}`,
      details: { requested_tool: tool },
    }),
  invalidArguments: (idJson, message) =>
    callErrorFrame(idJson, { code: "VALIDATION_ERROR", message }),
  raised: (idJson, message) => callErrorFrame(idJson, { code: "INTERNAL_ERROR", message }),
  unknownOp: (op) => errorFrame({ code: "INVALID_REQUEST", message: `Unknown operation: ${op}` }),
  rateLimited: (_idJson, refusal, clientIp) => errorFrame(rateLimitError(refusal, clientIp)),
  toolList: (_idJson, toolsJson) =>
    `{"op": "list_tools_res", "tools": ${toolsJson}, "timestamp": "${timestamp()}"}`,
  pong: null,
};

/** The build of 2025-10-25. A session's rate budget cannot be carried to another connection. */
export const OCT25: Dialect = {
  ...OCT,
  name: "oct25",
  assignsSessionId: true,
  dropsRepeatedFrames: false,
};
