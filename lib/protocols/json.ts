/**
 * Helpers of all protocols for reading a server's frames.
 *
 * @module
 */

import type { Frame, ToolPage } from "./protocol.ts";

/** Parses a JSON text; `undefined` if it is invalid. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** True for a JSON object, not for an array or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields of a JSON object; none for any other text. */
export function fieldsOf(text: string): Record<string, unknown> {
  const body = parseJson(text);
  return isRecord(body) ? body : {};
}

/** A JSON value as text. Never throws, unlike String() for `{"toString":1}`. */
export function jsonText(value: unknown): string {
  return typeof value === "object" && value !== null ? "(object)" : String(value);
}

const SHORT_LENGTH = 160;

/** A server's text on one line, cut to 160 characters. */
export function shortText(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= SHORT_LENGTH ? line : `${line.slice(0, SHORT_LENGTH)}…`;
}

/** Reason for a frame that only repeats one of this client's. */
export const ECHO = "an echo of what this client sent";

/** A frame that the protocol does not recognise. */
export function malformed(reason: string): Extract<Frame, { kind: "malformed" }> {
  return { kind: "malformed", id: null, reason };
}

/** Codes of calls refused because of load: EXAI's, HTTP's, and one that JSON-RPC servers use. */
const LOAD_CODES: ReadonlySet<string> = new Set(["OVER_CAPACITY", "RATE_LIMITED", "429", "-32029"]);

/** Frame for an error with a code and a message. */
export function errorFrame(id: string | null, error: unknown): Frame {
  if (!isRecord(error)) return malformed("an error that is not an object");
  const code = jsonText(error.code ?? "UNKNOWN");
  const message = typeof error.message === "string" ? error.message : "";
  // EXAI uses the same code for a call that is too large, whatever the load.
  const isForLoad = LOAD_CODES.has(code) && !message.startsWith("Request too large");
  return { kind: isForLoad ? "rateLimited" : "toolError", id, code, message };
}

/** A frame that is not a JSON object; `value` is the result of `parseJson`. */
export function notAnObject(text: string, value: unknown): ReturnType<typeof malformed> {
  if (Array.isArray(value)) return malformed("several JSON values, in an array");
  if (value !== undefined) return malformed("JSON that is not an object");
  const end = text.indexOf("\n");
  const isFirst = end > 0 && parseJson(text.slice(0, end)) !== undefined;
  return malformed(isFirst ? "several JSON values, one on each line" : "text that is not JSON");
}

/**
 * Reads a page of tools from the field `tools`; `null` if there is none. Tools without a name are
 * skipped. A tool without the annotation `readOnlyHint` may change something.
 */
export function readToolPage(body: unknown): ToolPage | null {
  if (!isRecord(body) || !Array.isArray(body.tools)) return null;
  return {
    tools: body.tools.filter(isRecord).flatMap(({ name, inputSchema, annotations }) =>
      typeof name !== "string" ? [] : [{
        name,
        inputSchema: isRecord(inputSchema) ? inputSchema : {},
        isReadOnly: isRecord(annotations) && annotations.readOnlyHint === true,
      }]
    ),
    cursor: typeof body.nextCursor === "string" ? body.nextCursor : null,
  };
}

/** Lower timestamps are in seconds: as milliseconds, they would be before March 1973. */
const SECONDS_BELOW = 1e11;
const HAS_ZONE = /(Z|[+-]\d\d:?\d\d)$/i;

/**
 * Reads a frame's timestamp in unix milliseconds; `null` if it has none. Text without a time zone
 * is read as UTC: the error cancels out when the clocks of two clients are compared.
 */
export function readServerTime(text: string): number | null {
  const { timestamp } = fieldsOf(text);
  if (typeof timestamp === "number") {
    return timestamp < SECONDS_BELOW ? timestamp * 1000 : timestamp;
  }
  if (typeof timestamp !== "string") return null;
  const ms = Date.parse(HAS_ZONE.test(timestamp) ? timestamp : `${timestamp}Z`);
  return Number.isNaN(ms) ? null : ms;
}
