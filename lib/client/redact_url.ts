import { MASK } from "./foreign_text.ts";

/** A URL without what may be secret: user, password and query are replaced by `***`. */
export function redactUrl(url: string): string {
  const parsed = new URL(url);
  const user = parsed.username === "" && parsed.password === "" ? "" : "***@";
  const query = parsed.search === "" ? "" : "?***";
  const path = parsed.pathname === "/" ? "" : parsed.pathname;
  return `${parsed.protocol}//${user}${parsed.host}${path}${query}`;
}

/**
 * The same of a text that may be no URL at all: rather too little of it is shown than too much, and nothing of a query or
 * fragment.
 */
export function maskUrl(text: string): string {
  const [, scheme = "", rest = ""] = /^(\s*(?:wss?|https?):[\\/]*)?(.*)$/is.exec(text) ?? [];
  const [place = ""] = rest.split(/[?#]/, 1);
  // After a ? or # an @ may still end a password, or be in the middle of a secret.
  if (rest.includes("@", place.length)) return scheme + MASK;
  const tail = place === rest ? "" : rest[place.length] + MASK;
  const at = place.lastIndexOf("@");
  return scheme + (at < 0 ? place : MASK + place.slice(at)) + tail;
}

/** Host and port, as sockets want them. */
export function addressOf(url: string): { hostname: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  return {
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port) || (protocol === "wss:" ? 443 : 80),
  };
}
