/**
 * What the environment says beside the options: variables of a `.env` file, the system that the output goes to, and
 * the proxy. The runtime's WebSocket takes a proxy to this machine's own addresses too: those are taken out, and
 * where it stays, it is named.
 *
 * @module
 */

import { BlockList, isIPv4 } from "node:net";
import { parse } from "@std/dotenv";
import { redactUrl } from "../client/redact_url.ts";
import { causeOf, UsageError } from "./usage_error.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The variables of the first of these `.env` files that exists; none where there is none.
 *
 * @throws {UsageError} if there is one that cannot be read
 */
export async function readEnvFile(paths: readonly string[]): Promise<Record<string, string>> {
  for (const path of paths) {
    try {
      // Some editors put a byte order mark before the first line.
      return parse((await Deno.readTextFile(path)).replace(/^\uFEFF/, ""));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      // A folder of that name is none of ours: some keep a virtual environment there.
      if (await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) continue;
      throw new UsageError(`Cannot read ${path}: ${causeOf(error)}; accepted is a file, or none`);
    }
  }
  return {};
}

/**
 * How a run speaks to the system that it runs on, by `CI`, `TERM`, `GITHUB_ACTIONS` and `GITHUB_STEP_SUMMARY`; an empty
 * one is as good as none.
 */
export function readCiSettings(env: Env) {
  // Systems that set such a variable set it to `true`, `1` or their name.
  const isOn = (value = "") => !["", "0", "false"].includes(value.toLowerCase());
  return {
    /** No line that is redrawn, even on a terminal: a log keeps every version of it. */
    plain: isOn(env.CI) || env.TERM === "dumb",
    /** Are problems printed as GitHub's workflow commands? */
    annotates: isOn(env.GITHUB_ACTIONS),
    /** The file that GitHub shows as the summary of the step; `null`: there is none. */
    stepSummaryPath: env.GITHUB_STEP_SUMMARY || null,
  };
}

const PROXIES = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"];
/** What the runtime reads, in capitals or not. */
export const PROXY_VARIABLES = [...PROXIES, "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/** This machine's own addresses. */
const LOOPBACK = ["localhost", "127.0.0.0/8", "::1"];

function read(env: Env, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

/**
 * What NO_PROXY must be, before the first connection, for this machine's own addresses to be reached without the proxy;
 * `null`: no proxy is set.
 */
export function noProxyWithLoopback(env: Env): string | null {
  if (PROXIES.every((name) => read(env, name) === "")) return null;
  return [read(env, "NO_PROXY"), ...LOOPBACK].filter(Boolean).join(",");
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

/** Does an entry of NO_PROXY, a name, a domain, an address or a range of IPv4 addresses, hold for the host? */
function matches(entry: string, host: string): boolean {
  if (entry === "" || entry === "*" || entry === host) return entry !== "";
  if (!isIPv4(host)) return host.endsWith(entry.startsWith(".") ? entry : `.${entry}`);
  const [, network = "", bits] = /^([\d.]+)\/(\d+)$/.exec(entry) ?? [];
  if (!isIPv4(network) || Number(bits) > 32) return false;
  const range = new BlockList();
  range.addSubnet(network, Number(bits), "ipv4");
  return range.check(host, "ipv4");
}
