import type { Frame, Protocol } from "./protocol.ts";
import { isRecord, parseJson } from "./json.ts";

/** What a call says, and so its echo: an answer that says anything else, such as an error, is none. */
const KEYS = ["id", "tool", "arguments"];

function classify(text: string): Frame {
  const body = parseJson(text);
  const isEcho = isRecord(body) && Object.keys(body).join() === KEYS.join();
  if (!isEcho || typeof body.id !== "string" || typeof body.tool !== "string") {
    return { kind: "malformed", id: null, reason: "not an echo of a call" };
  }
  return { kind: "result", id: body.id, fromCache: false };
}

/** Any server that sends back what it gets: a call's reply is the call itself. */
export const echo: Protocol = {
  name: "echo",
  defaultTool: "echo",
  ids: "number",
  sessionsOutliveConnections: false,
  marksCached: false,
  open: () => ({ send: [], read: null }),
  encodeCall: (id, tool, argsJson) =>
    `{"id":${JSON.stringify(id)},"tool":${JSON.stringify(tool)},"arguments":${argsJson}}`,
  classify,
  encodeListTools: () => null,
  readToolNames: () => null,
  toolNameAdvice: () => null,
  rejections: () => [],
  routingProbes: [],
  readServerNs: () => null,
  conduct: null,
};
