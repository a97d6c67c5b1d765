/**
 * Parses the values of settings. Errors are UsageErrors with the setting, its text (unless that
 * could be secret) and what is accepted.
 *
 * @module
 */

import { maskUrl } from "../client/redact_url.ts";
import { didYouMean, type Given, unacceptable, UsageError } from "./usage_error.ts";

/** The numbers that are accepted; both ends are included. */
interface NumberRange {
  min: number;
  max: number;
  whole?: boolean;
  /** True to exclude `min` itself. */
  aboveMin?: boolean;
  unit?: string | undefined;
}

/** Parses a decimal number; NaN if it is not one. */
function numberOf(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

function isInside(number: number, { min, max, whole, aboveMin }: NumberRange): boolean {
  const isEnough = aboveMin ? number > min : number >= min;
  return isEnough && number <= max && (!whole || Number.isInteger(number));
}

function endsOf({ min, max, aboveMin }: NumberRange): string {
  return aboveMin ? `above ${min}, up to ${max}` : `from ${min} to ${max}`;
}

function parseNumber(given: Given, range: NumberRange): number {
  const text = given.text.trim();
  const number = numberOf(range.unit === "percent" ? text.replace(/\s*%$/, "") : text);
  if (isInside(number, range)) return number;
  const kind = range.whole ? "a whole number" : "a number";
  const unit = range.unit === undefined ? "" : ` ${range.unit}`;
  throw unacceptable(given, `${kind} ${endsOf(range)}${unit}`);
}

/** Reads a number from `min` to `max`; `unit` is for the error. */
export const from = (min: number, max: number, unit?: string) => (given: Given) =>
  parseNumber(given, { min, max, unit });

/** Reads a number above `min`. */
export const above = (min: number, max: number, unit?: string) => (given: Given) =>
  parseNumber(given, { min, aboveMin: true, max, unit });

/** Reads a whole number from `min` to `max`. */
export const whole = (min: number, max: number, unit?: string) => (given: Given) =>
  parseNumber(given, { min, max, whole: true, unit });

/** In milliseconds. */
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, min: 60e3, h: 3.6e6 };

/** Reads a time such as `5`, `5s`, `500ms` or `2m` as milliseconds; the range is in seconds. */
export function parseDuration(given: Given, range: NumberRange): number {
  const [, text, unit = "s"] = /^(.*?)\s*(ms|s|m|min|h)?$/s.exec(given.text.trim())!;
  const ms = numberOf(text!) * UNITS[unit]!;
  if (isInside(ms / 1000, range)) return ms;
  throw unacceptable(
    given,
    `a number of seconds ${endsOf(range)}, or a time with a unit, such as 500ms or 2m`,
  );
}

/** Reads one of the names. */
export function parseName<N extends string>(given: Given, names: readonly N[]): N {
  const name = names.find((one) => one === given.text.trim());
  if (name !== undefined) return name;
  throw unacceptable(given, `one of ${names.join(", ")}${didYouMean(given.text, names)}`);
}

/** Reads names separated by commas, without duplicates, in the order given. */
export function parseNames<N extends string>(givens: readonly Given[], names: readonly N[]): N[] {
  const parts = givens.flatMap(({ source, text }) =>
    text.split(",").map((part) => ({ source, text: part.trim() }))
  ).filter(({ text }) => text !== "");
  if (parts.length > 0) return [...new Set(parts.map((part) => parseName(part, names)))];
  throw unacceptable(givens[0]!, `one or more of ${names.join(", ")}`);
}

/** Reads a ws:// or wss:// URL without a fragment. */
export function parseWebSocketUrl({ source, text }: Given): string {
  const accepted = "a WebSocket URL such as ws://localhost:8079 or wss://host/path";
  const shown = { source, text: maskUrl(text) };
  const url = URL.parse(text);
  const [, port] = /^wss?:\/\/[^/?#]*:(\d+)([/?#]|$)/i.exec(text) ?? [];
  if (Number(port) > 65_535) throw unacceptable(shown, `${accepted}; the port is above 65535`);
  if (url === null || !/^wss?:$/.test(url.protocol)) throw unacceptable(shown, accepted);
  if (url.hash !== "") throw unacceptable(shown, `${accepted}, without a fragment (#…)`);
  return url.href;
}

/** Reads `--url`, or a host and port from the environment; `null`: the bundled server. */
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

const HIDDEN = "(the text given is not shown, as it may be secret)";

/** Headers that the runtime drops, duplicates or acts on, and what to use instead. */
const OWN_HEADERS: readonly [RegExp, string][] = [
  [/^sec-websocket-protocol$/i, "--subprotocol NAME"],
  [/^host$/i, "a --url with that name (which must resolve here)"],
  [/^user-agent$/i, "a header of another name, as the runtime sends its own User-Agent"],
  [
    /^(sec-websocket-.*|connection|upgrade|content-length|transfer-encoding)$/i,
    "none, as the WebSocket handshake sets it",
  ],
];
/** The characters of a header's value: tabs, and Latin-1 without control characters. */
const LATIN_1 = /^[\t\x20-\x7e\x80-\xff]*$/;

function parseHeader(given: Given): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(given.text) ?? [];
  if (name === undefined || value === undefined || !LATIN_1.test(value)) {
    throw new UsageError(
      `Cannot use ${given.source}: accepted is 'Name: value', such as 'X-Tenant: blue', in Latin-1 ` +
        HIDDEN,
    );
  }
  const own = OWN_HEADERS.find(([pattern]) => pattern.test(name));
  if (own === undefined) return [name, value.trim()];
  throw new UsageError(`Cannot use ${given.source} "${name}: …": accepted is ${own[1]}`);
}

/** Reads headers, each name once, as only one would be sent. Errors show no value. */
export function parseHeaders(givens: readonly Given[]): Record<string, string> {
  const headers = new Map<string, [string, string]>();
  for (const given of givens) {
    const [name, value] = parseHeader(given);
    if (headers.has(name.toLowerCase())) {
      throw new UsageError(
        `Cannot use ${given.source} "${name}: …" twice: accepted is one header of each name, with all ` +
          "its values separated by commas (in Cookie: by semicolons)",
      );
    }
    headers.set(name.toLowerCase(), [name, value]);
  }
  return Object.fromEntries(headers.values());
}

/** Reads subprotocols, each once. Errors show none, as they could be secret. */
export function parseSubprotocols(givens: readonly Given[]): string[] {
  for (const [index, { source, text }] of givens.entries()) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) {
      const accepted = "a name of letters, digits and !#$%&'*+.^_`|~-";
      throw new UsageError(`Cannot use ${source}: accepted is ${accepted} ${HIDDEN}`);
    }
    if (givens.findIndex((one) => one.text === text) < index) {
      throw new UsageError(
        `Cannot use ${source} twice with one name: accepted is each name once ${HIDDEN}`,
      );
    }
  }
  return givens.map(({ text }) => text);
}
