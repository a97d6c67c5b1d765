/**
 * The Model Context Protocol over a WebSocket: JSON-RPC 2.0, one message a frame. The specification
 * names the methods and fields used here.
 *
 * @module
 */

import type { Frame, Handshake, HandshakeReply, Protocol } from "../contract.ts";
import { isRecord, parseJson } from "./json.ts";

/** The revision that is asked for; a server may answer with another. */
const PROTOCOL_VERSION = "2025-03-26";
const INITIALIZE_ID = "initialize";
/** JSON-RPC leaves server errors from -32000 to the implementation; some use HTTP's code. */
const LOAD_CODES: ReadonlySet<string> = new Set(["429", "-32029"]);

function request(id: string, method: string, paramsJson: string): string {
  return `{"jsonrpc":"2.0","id":"${id}","method":"${method}","params":${paramsJson}}`;
}

function open(): Handshake {
  const params = {
    protocolVersion: PROTOCOL_VERSION,
    capabilities: {},
    clientInfo: { name: "exai-ws-bench", version: "1" },
  };
  return {
    send: [request(INITIALIZE_ID, "initialize", JSON.stringify(params))],
    read: readInitialize,
  };
}

function readInitialize(text: string): HandshakeReply {
  const body = parseJson(text);
  if (!isRecord(body) || body.id !== INITIALIZE_ID) return { status: "ignored" };
  if (!isRecord(body.result)) {
    const message = isRecord(body.error) ? body.error.message : undefined;
    return { status: "refused", error: String(message ?? "no reason given") };
  }
  return { status: "accepted", send: ['{"jsonrpc":"2.0","method":"notifications/initialized"}'] };
}

function classify(text: string): Frame {
  const body = parseJson(text);
  if (!isRecord(body)) return { kind: "malformed", id: null, reason: "not a JSON object" };
  // A notification, or a request of the server's: it ends no call of ours.
  if (typeof body.method === "string") return { kind: "notification", id: null };
  const id = typeof body.id === "string" ? body.id : null;
  if (isRecord(body.error)) {
    const code = String(body.error.code ?? "UNKNOWN");
    const message = typeof body.error.message === "string" ? body.error.message : "";
    return { kind: LOAD_CODES.has(code) ? "rateLimited" : "toolError", id, code, message };
  }
  if (!isRecord(body.result)) {
    return { kind: "malformed", id: null, reason: "neither result, error nor method" };
  }
  return body.result.isError === true
    ? { kind: "toolError", id, code: "TOOL_ERROR", message: firstText(body.result.content) }
    : { kind: "result", id, fromCache: false };
}

function firstText(content: unknown): string {
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  return isRecord(first) && typeof first.text === "string" ? first.text : "";
}

/** The Model Context Protocol. The tool `ping` is the protocol's own ping, which every server answers. */
export const mcp: Protocol = {
  name: "mcp",
  defaultTool: "ping",
  open,
  encodeCall: (id, tool, argsJson) =>
    tool === "ping"
      ? request(id, "ping", "{}")
      : request(id, "tools/call", `{"name":${JSON.stringify(tool)},"arguments":${argsJson}}`),
  classify,
  encodeListTools: (id) => request(id, "tools/list", "{}"),
  readToolNames(text) {
    const body = parseJson(text);
    if (!isRecord(body) || !isRecord(body.result) || !Array.isArray(body.result.tools)) return null;
    return body.result.tools.filter(isRecord).map((tool) => tool.name)
      .filter((name) => typeof name === "string");
  },
  toolNameAdvice: () => null,
  rejections: () => [],
};
