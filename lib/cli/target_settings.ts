/**
 * Which server a run is told to measure, and how to speak to it.
 *
 * @module
 */

import { PROTOCOL_NAMES, type ProtocolName } from "../schema.ts";
import { maskUrl } from "../client/redact_url.ts";
import { MIN_TOKEN_LENGTH } from "../server/options.ts";
import type { Given } from "./parse.ts";
import { UsageError } from "./usage_error.ts";
import { parseName, parseNumber, parseWebSocketUrl, unacceptable } from "./values.ts";

/**
 * `--url`, or a server named by host and port; `null`: the bundled one.
 *
 * @throws {UsageError} if it is no address of a WebSocket server
 */
export function readUrl(
  given: Given | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  if (given !== undefined) return parseWebSocketUrl(given);
  const { EXAI_WS_HOST: host, EXAI_WS_PORT: portText } = env;
  if (!host && !portText) return null;
  const port = portText
    ? parseNumber({ source: "EXAI_WS_PORT", text: portText }, { min: 1, max: 65_535, whole: true })
    : 8079;
  const name = host || "127.0.0.1";
  const text = `ws://${name.includes(":") ? `[${name}]` : name}:${port}`;
  if (/[/\\?#@]/.test(name) || !URL.canParse(text)) {
    throw unacceptable(
      { source: "EXAI_WS_HOST", text: maskUrl(name) },
      "a host name or an IP address",
    );
  }
  return parseWebSocketUrl({ source: "EXAI_WS_HOST", text });
}

/**
 * The protocol to speak; the bundled server knows EXAI alone.
 *
 * @throws {UsageError} if it is none, or not the bundled server's
 */
export function readProtocol(given: Given | undefined, url: string | null): ProtocolName {
  if (given === undefined) return "exai";
  const protocol = parseName(given, PROTOCOL_NAMES);
  if (url !== null || protocol === "exai") return protocol;
  throw unacceptable(given, "exai for the bundled server, or any of them with --url");
}

/**
 * The token, `null` where none is given.
 *
 * @throws {UsageError} if it would switch the bundled server's authentication off
 */
export function readToken(given: Given | undefined, url: string | null): string | null {
  if (given === undefined) return null;
  if (url === null && given.text.length < MIN_TOKEN_LENGTH) {
    throw new UsageError(
      `Cannot use ${given.source} for the bundled server: accepted are ${MIN_TOKEN_LENGTH} characters ` +
        `or more, as a shorter token switches authentication off; this one has ${given.text.length}`,
    );
  }
  return given.text;
}

/**
 * MCP's `ping`, which is called where no tool is named, takes nothing: arguments that are not sent must
 * not stand in a report.
 *
 * @throws {UsageError} if there are some
 */
export function refuseArgumentsOfPing(
  { protocol, tool }: { protocol: ProtocolName; tool: string | null },
  given: { toolArgsJson: string; payloadBytes: number | null },
): void {
  if (protocol !== "mcp" || (tool ?? "ping") !== "ping") return;
  const hasArguments =
    Object.keys(JSON.parse(given.toolArgsJson.replaceAll("{seq}", "0"))).length > 0;
  if (!hasArguments && !given.payloadBytes) return;
  const option = hasArguments ? "--tool-args" : `--payload "${given.payloadBytes}"`;
  throw new UsageError(
    `Cannot use ${option} with mcp's ping, which takes no arguments: name a --tool that does`,
  );
}
