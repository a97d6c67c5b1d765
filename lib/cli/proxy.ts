/**
 * The proxy of the environment. The runtime's WebSocket goes through it, for this machine's own addresses too: those are
 * taken out, and where it stays, it is named.
 *
 * @module
 */

import { redactUrl } from "../client/redact_url.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What the runtime reads, in capitals or not. */
export const PROXY_VARIABLES = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/** This machine's own addresses. */
const LOOPBACK = ["localhost", "127.0.0.0/8", "::1"];

/**
 * What NO_PROXY must be, before the first connection, for this machine's own addresses to be reached without the proxy;
 * `null`: no proxy is set.
 */
export function noProxyWithLoopback(env: Env): string | null {
  const names = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"];
  if (names.every((name) => read(env, name) === "")) return null;
  return [read(env, "NO_PROXY"), ...LOOPBACK].filter((one) => one !== "").join(",");
}

/**
 * The proxy that the runtime takes to a ws:// or wss:// URL, without its password, and the variable that names it;
 * `null`: none, as with `insecure` on the way to wss://, where the relay connects by itself.
 */
export function proxyOf(url: string, env: Env, insecure = false): string | null {
  const { protocol, hostname } = new URL(url);
  if (insecure && protocol === "wss:") return null;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const exempt = [...read(env, "NO_PROXY").split(","), ...LOOPBACK];
  if (exempt.some((one) => matches(one.trim().toLowerCase(), host))) return null;
  // In the runtime's order.
  for (const name of ["ALL_PROXY", protocol === "wss:" ? "HTTPS_PROXY" : "HTTP_PROXY"]) {
    const value = read(env, name);
    const proxy = value.includes("://") ? value : `http://${value}`;
    if (value !== "" && URL.canParse(proxy)) return `${redactUrl(proxy)} (${name})`;
  }
  return null;
}

/** In capitals or not. */
function read(env: Env, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

/** Does an entry of NO_PROXY, a name, a domain, an address or a range of IPv4 addresses, hold for the host? */
function matches(entry: string, host: string): boolean {
  if (entry === "") return false;
  if (entry === "*" || entry === host) return true;
  const [base = "", bits] = entry.split("/");
  const [network, address] = [ipv4(base), ipv4(host)];
  if (bits !== undefined && network !== null && address !== null) {
    const size = 2 ** (32 - Number(bits));
    return Math.floor(network / size) === Math.floor(address / size);
  }
  return address === null && host.endsWith(entry.startsWith(".") ? entry : `.${entry}`);
}

function ipv4(text: string): number | null {
  if (!/^\d+(\.\d+){3}$/.test(text)) return null;
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
