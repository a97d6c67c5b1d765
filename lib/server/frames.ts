/**
 * Replies that all builds of the server share. Frames are built from ready-made JSON, because
 * encoding a nested object for every reply would take longer than the call itself.
 *
 * @module
 */

/** Codes of the error replies. */
export type ErrorCode =
  | "TOOL_NOT_FOUND"
  | "INVALID_REQUEST"
  | "VALIDATION_ERROR"
  | "INTERNAL_ERROR"
  | "OVER_CAPACITY";

export interface ErrorBody {
  code: ErrorCode;
  message: string;
  details?: Record<string, unknown>;
}

/** Measured times of a call. */
export interface LatencyMetrics {
  /** From arrival to answer. */
  totalMs: number;
  /** Part of `totalMs`: waiting for earlier calls of the connection. */
  queuedMs: number;
  /** Part of `totalMs`: in the tool. */
  processingMs: number;
}

export function helloAcceptedFrame(sessionId: string): string {
  return `{"op": "hello_ack", "ok": true, "session_id": ${JSON.stringify(sessionId)}}`;
}

export function helloRefusedFrame(error: string): string {
  return `{"op": "hello_ack", "ok": false, "error": ${JSON.stringify(error)}}`;
}

export function streamCompleteFrame(idJson: string): string {
  return `{"op": "stream_complete", "request_id": ${idJson}, "timestamp": "${timestamp()}"}`;
}

export function progressFrame(idJson: string, tool: string, elapsedMs: number): string {
  return `{"op": "progress", "request_id": ${idJson}, "name": ${JSON.stringify(tool)}, ` +
    `"elapsed_ms": ${round(elapsedMs)}, "timestamp": "${timestamp()}"}`;
}

/** The `outputs` of a success: one text, and the times of the call. */
export function outputsJson(text: string, times: LatencyMetrics): string {
  return `[{"type": "text", "text": ${JSON.stringify(text)}, "metadata": {"latency_metrics": {` +
    `"latency_ms": ${round(times.totalMs)}, "global_sem_wait_ms": ${round(times.queuedMs)}, ` +
    `"provider_sem_wait_ms": 0, "processing_ms": ${round(times.processingMs)}, ` +
    `"provider_name": null}}}]`;
}

/** The reply to a call that failed. */
export function callErrorFrame(idJson: string, error: ErrorBody): string {
  return `{"op": "call_tool_res", "request_id": ${idJson}, "error": ${JSON.stringify(error)}}`;
}

/** An error without a request id. */
export function errorFrame(error: ErrorBody): string {
  return `{"op": "error", "error": ${JSON.stringify(error)}}`;
}

export const INVALID_JSON_FRAME: string = errorFrame({
  code: "VALIDATION_ERROR",
  message: "Invalid JSON: message could not be parsed",
});

export const MISSING_OP_FRAME: string = errorFrame({
  code: "INVALID_REQUEST",
  message: "Invalid message: missing or invalid 'op' field (must be string)",
});

/** Wall-clock time. Formatted once a millisecond, because a busy server needs it more often. */
export function timestamp(): string {
  const nowMs = Date.now();
  if (nowMs !== stampedMs) {
    stampedMs = nowMs;
    stamp = new Date(nowMs).toISOString();
  }
  return stamp;
}

let stampedMs = -1;
let stamp = "";

/** Rounds to the microsecond. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
