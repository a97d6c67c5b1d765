import { isRecord, malformed, parseJson } from "./json.ts";
import { CALLS_ALONE, type Frame, type Protocol } from "./protocol.ts";

/** Keys of a call and of its echo. A reply with other keys, such as an error, is not an echo. */
const KEYS = ["id", "tool", "arguments"];

function classify(text: string): Frame {
  const body = parseJson(text);
  // A frame with nothing of a call, such as a greeting, is unsolicited.
  if (!isRecord(body) || !("id" in body || "error" in body)) {
    const reason = "a frame that has nothing of its call";
    return { kind: "notification", id: null, answer: null, reason };
  }
  const isEcho = Object.keys(body).join() === KEYS.join();
  if (!isEcho || typeof body.id !== "string" || typeof body.tool !== "string") {
    return malformed("a frame that is not an echo of its call");
  }
  return { kind: "result", id: body.id, fromCache: false };
}

/** Any server that sends back what it receives: the reply to a call is the call itself. */
export const echo: Protocol = {
  ...CALLS_ALONE,
  name: "echo",
  defaultTool: "echo",
  ids: "number",
  encodeCall: (id, tool, argsJson) =>
    `{"id":${JSON.stringify(id)},"tool":${JSON.stringify(tool)},"arguments":${argsJson}}`,
  classify,
};
