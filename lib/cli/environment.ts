/**
 * Settings from the environment: the `.env` file, CI, and the proxy. The runtime's WebSocket would
 * use a proxy even for this machine's own addresses, so these are exempted.
 *
 * @module
 */

import { BlockList, isIPv4 } from "node:net";
import { parse } from "@std/dotenv";
import { redactUrl } from "../client/redact_url.ts";
import { causeOf, UsageError } from "./usage_error.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the first of these `.env` files that exists; without one there are no variables.
 *
 * @throws {UsageError} if a file exists but cannot be read
 */
export async function readEnvFile(paths: readonly string[]): Promise<Env> {
  for (const path of paths) {
    try {
      // Some editors write a byte order mark.
      return parse((await Deno.readTextFile(path)).replace(/^\uFEFF/, ""));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      // A folder called `.env` may be a Python virtual environment: ignore it.
      if (await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) continue;
      throw new UsageError(`Cannot read ${path}: ${causeOf(error)}; accepted is a file, or none`);
    }
  }
  return {};
}

/** Output settings from `CI`, `TERM`, `GITHUB_ACTIONS` and `GITHUB_STEP_SUMMARY`. */
export function readCiSettings(env: Env) {
  // CI systems set these to `true`, `1` or their own name.
  const isOn = (value = "") => !["", "0", "false"].includes(value.toLowerCase());
  return {
    /** True if no line is redrawn, even on a terminal: a log keeps every version of it. */
    plain: isOn(env.CI) || env.TERM === "dumb",
    /** True if problems are printed as GitHub workflow commands. */
    annotates: isOn(env.GITHUB_ACTIONS),
    /** The file that GitHub shows as the step summary. */
    stepSummaryPath: env.GITHUB_STEP_SUMMARY || null,
  };
}

const PROXIES = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"];
/** The proxy variables that the runtime reads, in either case. */
export const PROXY_VARIABLES = [...PROXIES, "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

const LOOPBACK = ["localhost", "127.0.0.0/8", "::1"];

function read(env: Env, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

/**
 * The NO_PROXY value that exempts this machine's own addresses, to be set before the first
 * connection; `null` if no proxy is set.
 */
export function noProxyWithLoopback(env: Env): string | null {
  if (PROXIES.every((name) => read(env, name) === "")) return null;
  return [read(env, "NO_PROXY"), ...LOOPBACK].filter(Boolean).join(",");
}

/**
 * The proxy that the runtime uses for a WebSocket URL, without its password, and the variable that
 * names it. `null`: none; nor for wss:// with `insecure`, as the relay connects directly.
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

/** True if an entry of NO_PROXY (a host, domain, address or IPv4 range) covers the host. */
function matches(entry: string, host: string): boolean {
  if (entry === "" || entry === "*" || entry === host) return entry !== "";
  if (!isIPv4(host)) return host.endsWith(entry.startsWith(".") ? entry : `.${entry}`);
  const [, network = "", bits] = /^([\d.]+)\/(\d+)$/.exec(entry) ?? [];
  if (!isIPv4(network) || Number(bits) > 32) return false;
  const range = new BlockList();
  range.addSubnet(network, Number(bits), "ipv4");
  return range.check(host, "ipv4");
}
