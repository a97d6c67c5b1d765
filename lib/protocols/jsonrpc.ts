import type { Frame, Protocol } from "./protocol.ts";
import { isRecord, parseJson } from "./json.ts";
import { answerRequest, decodeId, encodeId, errorFrame, isEcho } from "./mcp.ts";
import { ECHO, malformed, notAnObject } from "./wrong_frame.ts";

function classify(text: string): Frame {
  const body = parseJson(text);
  if (!isRecord(body)) return notAnObject(text, body);
  if (typeof body.method === "string") {
    const answer = answerRequest(body);
    return { kind: "notification", id: answer === null ? null : decodeId(body.id), answer };
  }
  if (isEcho(body)) return malformed(ECHO);
  if (body.error != null) return errorFrame(body);
  if (body.result === undefined) {
    return malformed("a message with neither result, error nor method");
  }
  if (body.id == null) return malformed("a result without an id");
  return { kind: "result", id: decodeId(body.id), fromCache: false };
}

/** Plain JSON-RPC 2.0: a tool is a method, its arguments are the parameters, and nothing comes before a call. */
export const jsonrpc: Protocol = {
  name: "jsonrpc",
  defaultTool: "ping",
  ids: "number",
  sessionsOutliveConnections: false,
  marksCached: false,
  open: () => ({ send: [], read: null }),
  encodeCall: (id, tool, argsJson) =>
    `{"jsonrpc":"2.0","id":${encodeId(id)},"method":${JSON.stringify(tool)},"params":${argsJson}}`,
  classify,
  listedName: () => null,
  encodeListTools: () => null,
  readTools: () => null,
  toolNameAdvice: () => null,
  rejections: () => [],
  routingProbes: [],
  readServerNs: () => null,
  conduct: null,
};
