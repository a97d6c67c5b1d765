import { MASK } from "./foreign_text.ts";

/** Replaces user, password and query of a URL by `***`. */
export function redactUrl(url: string): string {
  const parsed = new URL(url);
  const user = parsed.username === "" && parsed.password === "" ? "" : "***@";
  const query = parsed.search === "" ? "" : "?***";
  const path = parsed.pathname === "/" ? "" : parsed.pathname;
  return `${parsed.protocol}//${user}${parsed.host}${path}${query}`;
}

/** Like `redactUrl`, for text that may not be a URL: when in doubt, it masks. */
export function maskUrl(text: string): string {
  const [, scheme = "", rest = ""] = /^(\s*(?:wss?|https?):[\\/]*)?(.*)$/is.exec(text) ?? [];
  const [place = ""] = rest.split(/[?#]/, 1);
  // An @ after a ? or # may still end a password, or be part of a secret.
  if (rest.includes("@", place.length)) return scheme + MASK;
  const tail = place === rest ? "" : rest[place.length] + MASK;
  const at = place.lastIndexOf("@");
  return scheme + (at < 0 ? place : MASK + place.slice(at)) + tail;
}

/** Host (without brackets) and port of a WebSocket URL. */
export function addressOf(url: string): { hostname: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  return {
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port) || (protocol === "wss:" ? 443 : 80),
  };
}
