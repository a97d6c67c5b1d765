import type { Frame, HandshakeReply, Protocol, RoutingProbe } from "./protocol.ts";
import { exaiConduct } from "./exai_conduct.ts";
import { hello, rejections } from "./exai_openings.ts";
import {
  ECHO,
  errorFrame,
  fieldsOf,
  isRecord,
  jsonText,
  malformed,
  notAnObject,
  parseJson,
  readToolPage,
} from "./json.ts";

/** Endings that the server strips from a tool name. */
const TRAILING_SUFFIX = /[-_]EXAI[-_]WS$/;

/** Ops that only a client sends. */
const REQUESTS: ReadonlySet<unknown> = new Set(["hello", "call_tool", "list_tools", "ping"]);

function callResult(id: string | null, body: Record<string, unknown>): Frame {
  if (body.error != null) return errorFrame(id, body.error);
  if (body.ok === false) return { kind: "toolError", id, code: "UNKNOWN", message: "ok is false" };
  if (!Array.isArray(body.outputs)) return malformed("a call_tool_res without outputs or error");
  return { kind: "result", id, fromCache: body.from_cache === true };
}

function classify(text: string): Frame {
  const body = parseJson(text);
  if (!isRecord(body)) return notAnObject(text, body);
  // `null` is only for a missing id, which can be attributed; ids of other types were never sent.
  const id = body.request_id == null ? null : jsonText(body.request_id);
  switch (body.op) {
    case "call_tool_res":
      return callResult(id, body);
    case "stream_complete":
      return { kind: "progress", id, streamComplete: true };
    case "progress":
      return { kind: "progress", id, streamComplete: false };
    case "error":
      return errorFrame(id, body.error);
    case undefined:
      return body.error === undefined
        ? malformed("a frame with neither op nor error")
        : errorFrame(id, body.error);
    default:
      return malformed(REQUESTS.has(body.op) ? ECHO : "an op that no reply has");
  }
}

function readHelloAck(text: string): HandshakeReply {
  const body = fieldsOf(text);
  // Older servers answer hello_res.
  if (body.op !== "hello_ack" && body.op !== "hello_res") {
    return { status: "ignored", ...(body.op === "hello" ? { reason: ECHO } : {}) };
  }
  if (body.ok === true) {
    const { session_id: sessionId } = body;
    return { status: "accepted", send: [], ...typeof sessionId === "string" ? { sessionId } : {} };
  }
  return { status: "refused", error: jsonText(body.error ?? "no reason given") };
}

/** Only the November build answers `ping`; every build answers an unknown op. */
const ROUTING_PROBES: RoutingProbe[] = [
  {
    name: "ping",
    encode: (id) => `{"op":"ping","request_id":"${id}"}`,
    isAnswer(text, id) {
      const { op, request_id } = fieldsOf(text);
      return op === "pong" && (request_id ?? id) === id;
    },
  },
  {
    name: "unknown op",
    // A new op each time: the answer repeats it, and the server may drop repeated frames.
    encode: (id) => `{"op":"ping-${id}"}`,
    isAnswer(text, id) {
      const { error } = fieldsOf(text);
      return isRecord(error) && error.code === "INVALID_REQUEST" &&
        jsonText(error.message).endsWith(`ping-${id}`);
    },
  },
];

function readServerNs(text: string): number | null {
  const { from_cache, outputs } = fieldsOf(text);
  // A cached reply has the times of the call that computed it.
  if (from_cache === true) return null;
  const first: unknown = Array.isArray(outputs) ? outputs[0] : null;
  const metadata = isRecord(first) ? first.metadata : null;
  const times = isRecord(metadata) ? metadata.latency_metrics : null;
  const totalMs = isRecord(times) ? times.latency_ms : null;
  return typeof totalMs === "number" && totalMs >= 0 ? totalMs * 1e6 : null;
}

/**
 * The EXAI WebSocket protocol, in both dialects. Replies are recognised by their content, never by
 * their position in the stream.
 */
export const exai: Protocol = {
  name: "exai",
  defaultTool: "status",
  ids: "text",
  sessionsOutliveConnections: true,
  marksCached: true,
  open: ({ sessionId, token }) => ({
    send: [hello({ session_id: sessionId, ...(token === null ? {} : { token }) })],
    read: readHelloAck,
  }),
  encodeCall: (id, tool, argsJson) =>
    `{"op":"call_tool","request_id":"${id}","name":${
      JSON.stringify(tool)
    },"arguments":${argsJson}}`,
  classify,
  listedName: (tool) => tool.replace(TRAILING_SUFFIX, ""),
  encodeListTools: (id) => JSON.stringify({ op: "list_tools", request_id: id }),
  readTools(text) {
    const body = fieldsOf(text);
    return body.op === "list_tools_res" ? readToolPage(body) : null;
  },
  toolNameAdvice(tool) {
    const [, bare, ending] = /^(.*?)[-_](EXAI[-_]WS[-_].*)$/s.exec(tool) ?? [];
    return ending === undefined
      ? null
      : `the server strips a trailing -EXAI-WS, not -${ending}: try ${bare}`;
  },
  rejections,
  routingProbes: ROUTING_PROBES,
  readServerNs,
  conduct: exaiConduct,
};
