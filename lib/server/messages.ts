/** A client's message. `idJson` is its request id as JSON, for use in a reply; "null" if none. */
export type Message =
  | { kind: "invalidJson" }
  | { kind: "missingOp" }
  | { kind: "unknownOp"; op: string; idJson: string }
  | { kind: "listTools"; idJson: string }
  | { kind: "ping"; idJson: string }
  | CallMessage;

/** A call. `tool` and `args` are as sent, of any type. */
export interface CallMessage {
  kind: "call";
  idJson: string;
  tool: unknown;
  args: unknown;
}

/** True for a JSON object; false for an array or `null`. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a message that follows the hello. Never throws. */
export function parseMessage(
  text: string,
  { knowsToolCall }: { knowsToolCall: boolean },
): Message {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "invalidJson" };
  }
  if (!isObject(value) || typeof value.op !== "string") return { kind: "missingOp" };
  const idJson = encodeId(value.request_id);
  switch (value.op) {
    case "call_tool":
      return { kind: "call", idJson, tool: value.name, args: value.arguments ?? {} };
    case "tool_call": {
      if (!knowsToolCall) return { kind: "unknownOp", op: value.op, idJson };
      const tool = isObject(value.tool) ? value.tool.name : undefined;
      return { kind: "call", idJson, tool, args: value.arguments ?? {} };
    }
    case "list_tools":
      return { kind: "listTools", idJson };
    case "ping":
      return { kind: "ping", idJson };
    default:
      return { kind: "unknownOp", op: value.op, idJson };
  }
}

/** Ids are strings or numbers. Anything else counts as no id, as it could be nested arbitrarily. */
function encodeId(id: unknown): string {
  return typeof id === "string" || typeof id === "number" ? JSON.stringify(id) : "null";
}
