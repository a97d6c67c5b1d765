import { ECHO, isRecord, malformed, notAnObject, parseJson } from "./json.ts";
import { decodeId, encodeId, errorFrame, isEcho, requestFrame } from "./mcp.ts";
import { CALLS_ALONE, type Frame, type Protocol } from "./protocol.ts";

function classify(text: string): Frame {
  const body = parseJson(text);
  if (!isRecord(body)) return notAnObject(text, body);
  if (typeof body.method === "string") return requestFrame(body);
  if (isEcho(body)) return malformed(ECHO);
  if (body.error != null) return errorFrame(body);
  if (body.result === undefined) {
    return malformed("a message with neither result, error nor method");
  }
  if (body.id == null) return malformed("a result without an id");
  return { kind: "result", id: decodeId(body.id), fromCache: false };
}

/** Plain JSON-RPC 2.0: tools are methods, arguments are parameters, and there is no handshake. */
export const jsonrpc: Protocol = {
  ...CALLS_ALONE,
  name: "jsonrpc",
  defaultTool: "ping",
  ids: "number",
  encodeCall: (id, tool, argsJson) =>
    `{"jsonrpc":"2.0","id":${encodeId(id)},"method":${JSON.stringify(tool)},"params":${argsJson}}`,
  classify,
};
