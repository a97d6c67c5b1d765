import { isRecord, parseJson } from "./json.ts";

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
