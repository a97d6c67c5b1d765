import type { Answer, Conduct, ConductCase, ConductOptions } from "./protocol.ts";
import { isRecord, jsonText, parseJson, shortText } from "./json.ts";

/** Ids are numbers, because some gateways parse every id as one. */
const FIRST_ID = 700_000;

function idOf(_sessionId: string, nth: number): string {
  return String(FIRST_ID + nth);
}

function request(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id: FIRST_ID + 1, method, params });
}

/** Any one of the frames is a correct answer. */
function anyOf(...frames: string[]): Answer[] {
  return frames.map((frame) => ({ frames: [frame], close: null }));
}

const SILENCE: Answer = { frames: [], close: null };
const PARSE_ERROR = anyOf("no id, error -32700, …");
const INVALID_REQUEST = anyOf("no id, error -32600, …", "r1, error -32600, …");
/** The MCP specification also allows -32603 for parameters that a server cannot read. */
const INVALID_PARAMS = anyOf("r1, error -32602, …", "r1, error -32603, …", "r1, isError, …");

function cases({ argsJson }: ConductOptions): ConductCase[] {
  const args: unknown = parseJson(argsJson) ?? {};
  const rows: [name: string, send: string, expected: Answer[]][] = [
    ["a ping", request("ping", {}), anyOf("r1, result")],
    ["not JSON", '{"jsonrpc":', [...PARSE_ERROR, SILENCE]],
    ["not an object", "1", [...INVALID_REQUEST, SILENCE]],
    ["an empty batch", "[]", [...INVALID_REQUEST, SILENCE]],
    ["no method", `{"jsonrpc":"2.0","id":${FIRST_ID + 1}}`, [...INVALID_REQUEST, SILENCE]],
    ["unknown method", request("no/such/method", {}), anyOf("r1, error -32601, …")],
    [
      "unknown tool",
      request("tools/call", { name: "no-such-tool", arguments: args }),
      INVALID_PARAMS,
    ],
    ["a call without a tool", request("tools/call", { arguments: args }), INVALID_PARAMS],
    [
      "arguments not an object",
      request("tools/call", { name: "no-such-tool", arguments: "text" }),
      INVALID_PARAMS,
    ],
    [
      "a notification gets no reply",
      JSON.stringify({ jsonrpc: "2.0", method: "notifications/no-such-thing" }),
      [SILENCE],
    ],
  ];
  return rows.map(([name, send, expected]) => ({ name, inSession: true, send: [send], expected }));
}

function shorten(frame: string): string {
  const body = parseJson(frame);
  if (!isRecord(body)) return shortText(`not a JSON object: ${frame}`);
  const number = typeof body.id === "number" ? body.id - FIRST_ID : 0;
  const other = body.id == null ? "no id" : shortText(JSON.stringify(body.id));
  const id = number > 0 ? `r${number}` : other;
  if (typeof body.method === "string") return shortText(`${id}, a request: ${body.method}`);
  if (isRecord(body.error)) {
    const { code = "without a code", message = "no message" } = body.error;
    return shortText(`${id}, error ${jsonText(code)}, ${jsonText(message)}`);
  }
  if (!isRecord(body.result)) return `${id}, neither result nor error`;
  return body.result.isError === true ? `${id}, isError, …` : `${id}, result`;
}

/**
 * How an MCP server must answer bad messages: the error codes of JSON-RPC 2.0, section 5.1.
 * Gateways drop what they cannot pass on, so silence is also correct for a message that names no
 * request.
 */
export const mcpConduct: Conduct = {
  dialects: [],
  dialectOf: () => null,
  id: idOf,
  shorten,
  cases,
  leftOut: [{ name: "rate limit", reason: "see the scenario rate-limit" }],
};
