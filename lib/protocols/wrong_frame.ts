/**
 * What is wrong with a frame that is no reply, in words that help its reader.
 *
 * @module
 */

import type { Frame } from "./protocol.ts";
import { parseJson } from "./json.ts";

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
