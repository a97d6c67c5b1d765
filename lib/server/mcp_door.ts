/**
 * The MCP that the build of November speaks on a connection whose first message is `initialize`. It is a mock:
 * it lists its tools, "calls" any name with success, and sends back what it does not know as it came.
 *
 * @module
 */

import { isObject } from "./messages.ts";
import { SERVER_VERSION } from "./light_tools.ts";

/** Does this first message of a connection open the door? Never throws. */
export function opensMcpDoor(text: string): boolean {
  return parse(text)?.method === "initialize";
}

/** The answer to one JSON-RPC message. `toolsJson`: the descriptions of all tools. Never throws. */
export function answerMcp(text: string, toolsJson: string): string {
  const message = parse(text);
  switch (message?.method) {
    case "initialize":
      return result(message.id, {
        protocolVersion: "2024-11-05",
        capabilities: { tools: {} },
        serverInfo: { name: "exai-reference", version: SERVER_VERSION },
      });
    case "tools/list":
      return result(message.id, { tools: JSON.parse(toolsJson) });
    case "tools/call": {
      const name = isObject(message.params) ? message.params.name : undefined;
      return result(message.id, { content: [{ type: "text", text: `Tool ${name} called` }] });
    }
    default:
      return text;
  }
}

function result(id: unknown, value: unknown): string {
  const own = typeof id === "string" || typeof id === "number" ? id : null;
  return JSON.stringify({ jsonrpc: "2.0", id: own, result: value });
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
