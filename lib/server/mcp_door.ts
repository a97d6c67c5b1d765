/**
 * The MCP of the November build, on connections whose first message is `initialize`. It is a mock:
 * it lists its tools, "calls" any tool with success, and echoes unknown messages.
 *
 * @module
 */

import { isObject } from "./messages.ts";
import { SERVER_VERSION } from "./light_tools.ts";

/** True if a connection's first message selects MCP. Never throws. */
export function opensMcpDoor(text: string): boolean {
  return parse(text)?.method === "initialize";
}

/** The answer to a JSON-RPC message; `toolsJson` describes all tools. Never throws. */
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
