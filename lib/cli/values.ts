/**
 * From the text of a setting to its value. Every error names the setting, the text and what is accepted.
 *
 * @module
 */

import { maskUrl } from "../client/redact_url.ts";
import { didYouMean, type Given, unacceptable, UsageError } from "./usage_error.ts";

/** What a number may be, both ends included. */
interface NumberRange {
  min: number;
  max: number;
  whole?: boolean;
  /** Is `min` itself too small? */
  aboveMin?: boolean;
  unit?: string | undefined;
}

/** The number of a text that is one, in a range; else `null`. */
function readNumber(text: string, { min, max, whole, aboveMin }: NumberRange): number | null {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  const number = Number(text);
  const isInside = number <= max && (aboveMin ? number > min : number >= min);
  return isInside && (!whole || Number.isInteger(number)) ? number : null;
}

/** @throws {UsageError} if it is not a number in the range */
function parseNumber(given: Given, range: NumberRange): number {
  const number = readNumber(given.text.trim(), range);
  if (number !== null) return number;
  const { min, max, whole, aboveMin, unit } = range;
  const kind = `a ${whole ? "whole " : ""}number${unit === undefined ? "" : ` of ${unit}`}`;
  throw unacceptable(given, `${kind} ${aboveMin ? "above" : "from"} ${min} to ${max}`);
}

/** Reads a number with both ends included; `unit` is for the error. */
export const from = (min: number, max: number, unit?: string) => (given: Given) =>
  parseNumber(given, { min, max, unit });

/** Reads a number above `min`. */
export const above = (min: number, max: number, unit?: string) => (given: Given) =>
  parseNumber(given, { min, aboveMin: true, max, unit });

/** Reads a whole number with both ends included. */
export const whole = (min: number, max: number, unit?: string) => (given: Given) =>
  parseNumber(given, { min, max, whole: true, unit });

/** In seconds. */
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600 };

/**
 * A time in seconds, with or without a unit: `5`, `5s`, `500ms`, `2m`, `1h`.
 *
 * @returns milliseconds
 * @throws {UsageError} if it is no time in the range, which is in seconds
 */
export function parseDuration(given: Given, range: NumberRange): number {
  const [, text, unit = "s"] = /^(.*?)\s*(ms|s|m|min|h)?$/s.exec(given.text.trim())!;
  const number = readNumber(text!, { min: -Infinity, max: Infinity }) ?? NaN;
  // Exact for milliseconds, which a product with 0.001 is not.
  const seconds = unit === "ms" ? number / 1000 : number * UNITS[unit]!;
  const { min, max, aboveMin } = range;
  if (seconds <= max && (aboveMin ? seconds > min : seconds >= min)) return seconds * 1000;
  const from = `${aboveMin ? "above" : "from"} ${min} to ${max}`;
  throw unacceptable(given, `a number of seconds ${from}, or with a unit, such as 500ms or 2m`);
}

/** @throws {UsageError} if it is none of the names */
export function parseName<N extends string>(given: Given, names: readonly N[]): N {
  const name = names.find((one) => one === given.text.trim());
  if (name !== undefined) return name;
  throw unacceptable(given, `one of ${names.join(", ")}${didYouMean(given.text, names)}`);
}

/** Names separated by commas, each once, in the order given. */
export function parseNames<N extends string>(givens: readonly Given[], names: readonly N[]): N[] {
  const parts = givens.flatMap(({ source, text }) =>
    text.split(",").map((part) => ({ source, text: part.trim() }))
  ).filter(({ text }) => text !== "");
  if (parts.length > 0) return [...new Set(parts.map((part) => parseName(part, names)))];
  throw unacceptable(givens[0]!, `one or more of ${names.join(", ")}`);
}

/** @throws {UsageError} if it is not a ws:// or wss:// URL */
export function parseWebSocketUrl({ source, text }: Given): string {
  const accepted = "a WebSocket URL such as ws://localhost:8079 or wss://host/path";
  const shown = { source, text: maskUrl(text) };
  const url = URL.parse(text);
  if (url === null || !/^wss?:$/.test(url.protocol)) throw unacceptable(shown, accepted);
  if (url.hash !== "") throw unacceptable(shown, `${accepted}, without a fragment (#…)`);
  return url.href;
}

/**
 * `--url`, or a server named by host and port in the environment; `null`: the bundled one.
 *
 * @throws {UsageError} if it is no address of a WebSocket server
 */
export function readUrl(
  given: Given | undefined,
  { EXAI_WS_HOST: host, EXAI_WS_PORT: portText }: Readonly<Record<string, string | undefined>>,
): string | null {
  if (given !== undefined) return parseWebSocketUrl(given);
  if (!host && !portText) return null;
  const port = portText ? whole(1, 65_535)({ source: "EXAI_WS_PORT", text: portText }) : 8079;
  const name = host || "127.0.0.1";
  const text = `ws://${name.includes(":") ? `[${name}]` : name}:${port}`;
  const source = "EXAI_WS_HOST";
  if (!/[/\\?#@]/.test(name) && URL.canParse(text)) return parseWebSocketUrl({ source, text });
  throw unacceptable({ source, text: maskUrl(name) }, "a host name or an IP address");
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
function parseHeader(given: Given): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(given.text) ?? [];
  if (name === undefined || value === undefined || !LATIN_1.test(value)) {
    throw new UsageError(
      `Cannot use ${given.source}: accepted is 'Name: value', such as 'X-Tenant: blue' ` +
        "with characters of Latin-1 alone (the text given is not shown, as it may be secret)",
    );
  }
  const own = OWN_HEADERS.find(([pattern]) => pattern.test(name));
  if (own === undefined) return [name, value.trim()];
  throw new UsageError(`Cannot use ${given.source} "${name}: …": accepted is ${own[1]}`);
}

/**
 * Headers by name.
 *
 * @throws {UsageError} if one cannot be sent, or comes twice, of which only one would be sent
 */
export function parseHeaders(givens: readonly Given[]): Record<string, string> {
  const headers = new Map<string, [string, string]>();
  for (const given of givens) {
    const [name, value] = parseHeader(given);
    if (headers.has(name.toLowerCase())) {
      throw new UsageError(
        `Cannot use ${given.source} "${name}: …" twice: accepted is one of each name, with all values ` +
          "in it, separated by commas (of Cookie: by semicolons)",
      );
    }
    headers.set(name.toLowerCase(), [name, value]);
  }
  return Object.fromEntries(headers.values());
}

/** @throws {UsageError} without showing them, since they may be secret, if one is no name or comes twice */
export function parseSubprotocols(givens: readonly Given[]): string[] {
  const hidden = "(the text given is not shown, as it may be secret)";
  for (const [index, { source, text }] of givens.entries()) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) {
      const accepted = "a name of letters, digits and !#$%&'*+.^_`|~-";
      throw new UsageError(`Cannot use ${source}: accepted is ${accepted} ${hidden}`);
    }
    if (givens.findIndex((one) => one.text === text) < index) {
      throw new UsageError(
        `Cannot use ${source} twice with one name: accepted is each once ${hidden}`,
      );
    }
  }
  return givens.map(({ text }) => text);
}
