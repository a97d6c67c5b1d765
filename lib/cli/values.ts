/**
 * From the text of a setting to its value. A text that cannot be used throws a UsageError that names the setting, the
 * text, unless it may be secret, and what is accepted.
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

/** The number of a text; NaN if it is none. */
function numberOf(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

function isInside(number: number, { min, max, whole, aboveMin }: NumberRange): boolean {
  const isEnough = aboveMin ? number > min : number >= min;
  return isEnough && number <= max && (!whole || Number.isInteger(number));
}

function endsOf({ min, max, aboveMin }: NumberRange): string {
  return `${aboveMin ? "above" : "from"} ${min} to ${max}`;
}

function parseNumber(given: Given, range: NumberRange): number {
  const number = numberOf(given.text.trim());
  if (isInside(number, range)) return number;
  const kind = range.whole ? "a whole number" : "a number";
  const unit = range.unit === undefined ? "" : ` of ${range.unit}`;
  throw unacceptable(given, `${kind}${unit} ${endsOf(range)}`);
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

/** In milliseconds. */
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, min: 60e3, h: 3.6e6 };

/** A time with or without a unit, `5`, `5s`, `500ms`, `2m`, `1h`, as milliseconds; the range is in seconds. */
export function parseDuration(given: Given, range: NumberRange): number {
  const [, text, unit = "s"] = /^(.*?)\s*(ms|s|m|min|h)?$/s.exec(given.text.trim())!;
  const ms = numberOf(text!) * UNITS[unit]!;
  if (isInside(ms / 1000, range)) return ms;
  const accepted = `a number of seconds ${endsOf(range)}, or with a unit, such as 500ms or 2m`;
  throw unacceptable(given, accepted);
}

/** One of the names. */
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

/** A ws:// or wss:// URL without a fragment. */
export function parseWebSocketUrl({ source, text }: Given): string {
  const accepted = "a WebSocket URL such as ws://localhost:8079 or wss://host/path";
  const shown = { source, text: maskUrl(text) };
  const url = URL.parse(text);
  if (url === null || !/^wss?:$/.test(url.protocol)) throw unacceptable(shown, accepted);
  if (url.hash !== "") throw unacceptable(shown, `${accepted}, without a fragment (#…)`);
  return url.href;
}

/** `--url`, or a server named by host and port in the environment; `null`: the bundled one. */
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

/** Headers by name, each once, as only one would be sent; no value is shown in an error. */
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

/** Subprotocols, each once; none is shown in an error, since it may be secret. */
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
