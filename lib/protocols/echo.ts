import type { Frame, Protocol } from "../contract.ts";
import { isRecord, parseJson } from "./json.ts";

function classify(text: string): Frame {
  const body = parseJson(text);
  if (!isRecord(body) || typeof body.id !== "string") {
    return { kind: "malformed", id: null, reason: "not an echo of a call" };
  }
  return { kind: "result", id: body.id, fromCache: false };
}

/** Any server that sends back what it gets: a call's reply is the call itself. */
export const echo: Protocol = {
  name: "echo",
  defaultTool: "echo",
  open: () => ({ send: [], read: null }),
  encodeCall: (id, tool, argsJson) =>
    `{"id":"${id}","tool":${JSON.stringify(tool)},"arguments":${argsJson}}`,
  classify,
  encodeListTools: () => null,
  readToolNames: () => null,
  toolNameAdvice: () => null,
  rejections: () => [],
};
