/**
 * What the protocols have in common in reading a server's frames.
 *
 * @module
 */

import type { Frame, ToolPage } from "./protocol.ts";

/** The value of a JSON text, or `undefined` where the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object, and not an array or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value of a JSON text as text. Never throws, which String() does for `{"toString":1}`. */
export function jsonText(value: unknown): string {
  return typeof value === "object" && value !== null ? "(object)" : String(value);
}

/** In characters. */
const SHORT_LENGTH = 160;

/** A text of a server on one line, and no longer than a reader needs. */
export function shortText(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= SHORT_LENGTH ? line : `${line.slice(0, SHORT_LENGTH)}…`;
}

/** Of a frame that repeats one of this client's: the server has answered nothing. */
export const ECHO = "an echo of what this client sent";

/** A frame that the protocol does not know. */
export function malformed(reason: string): Extract<Frame, { kind: "malformed" }> {
  return { kind: "malformed", id: null, reason };
}

/** A frame that is not one JSON object: `value` is what it was parsed to, `undefined` where it is no JSON. */
export function notAnObject(text: string, value: unknown): ReturnType<typeof malformed> {
  if (Array.isArray(value)) return malformed("several JSON values, in an array");
  if (value !== undefined) return malformed("JSON that is not an object");
  const end = text.indexOf("\n");
  const isFirst = end > 0 && parseJson(text.slice(0, end)) !== undefined;
  return malformed(isFirst ? "several JSON values, one on each line" : "text that is not JSON");
}

/**
 * A page of a server's tools, from what has them in its field `tools`; `null` if it has none. What has no name is left
 * out. Of the annotations only `readOnlyHint` is looked at: a tool without it may change something.
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

/** A number below this is a time in seconds: as milliseconds it would be in 1973. */
const SECONDS_BELOW = 1e11;
const HAS_ZONE = /(Z|[+-]\d\d:?\d\d)$/i;

/**
 * The server's own time in a frame, in unix milliseconds; `null` where it tells none. A text without a time
 * zone is taken for UTC: between the clocks of two clients, what is wrong with that cancels out.
 */
export function readServerTime(text: string): number | null {
  const body = parseJson(text);
  if (!isRecord(body)) return null;
  const { timestamp } = body;
  if (typeof timestamp === "number") {
    return timestamp < SECONDS_BELOW ? timestamp * 1000 : timestamp;
  }
  if (typeof timestamp !== "string") return null;
  const ms = Date.parse(HAS_ZONE.test(timestamp) ? timestamp : `${timestamp}Z`);
  return Number.isNaN(ms) ? null : ms;
}
