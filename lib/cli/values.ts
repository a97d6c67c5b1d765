/**
 * From the text of a setting to its value. Every error names the setting, the text and what is accepted.
 *
 * @module
 */

import { maskUrl } from "../client/redact_url.ts";
import type { Given } from "./parse.ts";
import { closestTo } from "./suggestion.ts";
import { quoted, UsageError } from "./usage_error.ts";

/** What a number may be, both ends included. */
export interface NumberRange {
  min: number;
  max: number;
  whole?: boolean;
  /** Whether `min` itself is too small. */
  aboveMin?: boolean;
  unit?: string;
}

/** The error for a setting that is none of what is accepted. */
export function unacceptable({ source, text }: Given, accepted: string): UsageError {
  return new UsageError(`Cannot use ${source} ${quoted(text)}: accepted is ${accepted}`);
}

/** @throws {UsageError} if it is not a number in the range */
export function parseNumber(given: Given, range: NumberRange): number {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given.text.trim())
    ? Number(given.text)
    : NaN;
  const { min, max, whole, aboveMin, unit } = range;
  const inside = number <= max && (aboveMin ? number > min : number >= min);
  if (inside && (!whole || Number.isInteger(number))) return number;
  throw unacceptable(
    given,
    `a ${whole ? "whole " : ""}number${unit === undefined ? "" : ` of ${unit}`} ` +
      `${aboveMin ? "above" : "from"} ${min} to ${max}`,
  );
}

/** What a second has of each unit. */
const PER_SECOND: Readonly<Record<string, number>> = {
  ms: 1000,
  s: 1,
  m: 1 / 60,
  min: 1 / 60,
  h: 1 / 3600,
};

/**
 * A time in seconds, with or without a unit: `5`, `5s`, `500ms`, `2m`, `1h`.
 *
 * @returns milliseconds
 * @throws {UsageError} if it is no time in the range, which is in seconds
 */
export function parseDuration(given: Given, range: Omit<NumberRange, "unit">): number {
  const [, number, unit = "s"] = /^(.*?)\s*(ms|s|m|min|h)?$/s.exec(given.text.trim())!;
  const seconds = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(number!)
    ? Number(number) / PER_SECOND[unit]!
    : NaN;
  const { min, max, aboveMin } = range;
  if (seconds <= max && (aboveMin ? seconds > min : seconds >= min)) return seconds * 1000;
  throw unacceptable(
    given,
    `a number of seconds ${
      aboveMin ? "above" : "from"
    } ${min} to ${max}, or with a unit, such as 500ms or 2m`,
  );
}

/** @throws {UsageError} if it is none of the names */
export function parseName<N extends string>(given: Given, names: readonly N[]): N {
  const name = names.find((one) => one === given.text.trim());
  if (name !== undefined) return name;
  const closest = closestTo(given.text, names);
  const advice = closest === null ? "" : ` (did you mean ${closest}?)`;
  throw unacceptable(given, `one of ${names.join(", ")}${advice}`);
}

/** Names separated by commas, each once, in the order given. */
export function parseNames<N extends string>(givens: readonly Given[], names: readonly N[]): N[] {
  const parts = givens.flatMap(({ source, text }) =>
    text.split(",").filter((part) => part.trim() !== "").map((part) => ({
      source,
      text: part.trim(),
    }))
  );
  if (parts.length === 0 && givens[0] !== undefined) {
    throw unacceptable(givens[0], `one or more of ${names.join(", ")}`);
  }
  return [...new Set(parts.map((part) => parseName(part, names)))];
}

/** @throws {UsageError} if it is not a ws:// or wss:// URL */
export function parseWebSocketUrl({ source, text }: Given): string {
  const accepted = "a WebSocket URL such as ws://localhost:8079 or wss://host/path";
  const shown = { source, text: maskUrl(text) };
  if (!URL.canParse(text)) throw unacceptable(shown, accepted);
  const url = new URL(text);
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw unacceptable(shown, accepted);
  if (url.hash !== "") throw unacceptable(shown, `${accepted}, without a fragment (#…)`);
  return url.href;
}

/** Headers that are the client's own, and what to use in their place. The runtime drops, doubles or obeys them. */
const OWN_HEADERS: readonly [RegExp, string][] = [
  [/^sec-websocket-protocol$/i, "--subprotocol NAME"],
  [/^host$/i, "a --url with that name (which must resolve here)"],
  [/^user-agent$/i, "a header of another name, as the runtime sends its own User-Agent"],
  [
    /^(sec-websocket-.*|connection|upgrade|content-length|transfer-encoding)$/i,
    "none, as the WebSocket handshake sets it",
  ],
];
/** What the value of a header may be: a tab, and Latin-1 without controls. */
const LATIN_1 = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `Name: value`, without naming the value in an error, since it may be secret. */
export function parseHeader(given: Given): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(given.text) ?? [];
  if (name === undefined || value === undefined || !LATIN_1.test(value)) {
    throw new UsageError(
      `Cannot use ${given.source}: accepted is 'Name: value', such as 'X-Tenant: blue' ` +
        "with characters of Latin-1 alone (the text given is not shown, as it may be secret)",
    );
  }
  const own = OWN_HEADERS.find(([pattern]) => pattern.test(name));
  if (own !== undefined) {
    throw new UsageError(`Cannot use ${given.source} "${name}: …": accepted is ${own[1]}`);
  }
  return [name, value.trim()];
}

/**
 * Headers by name.
 *
 * @throws {UsageError} if one cannot be sent, or comes twice, of which only one would be sent
 */
export function parseHeaders(givens: readonly Given[]): Record<string, string> {
  const headers: Record<string, string> = {};
  const seen = new Set<string>();
  for (const given of givens) {
    const [name, value] = parseHeader(given);
    if (seen.has(name.toLowerCase())) {
      throw new UsageError(
        `Cannot use ${given.source} "${name}: …" twice: accepted is one of each name, with all values ` +
          "in it, separated by commas (of Cookie: by semicolons)",
      );
    }
    seen.add(name.toLowerCase());
    headers[name] = value;
  }
  return headers;
}
