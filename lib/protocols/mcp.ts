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
import { mcpConduct } from "./mcp_conduct.ts";
import { CALLS_ALONE, type Frame, type HandshakeReply, type Protocol } from "./protocol.ts";

/** Supported revisions, which do not differ in what is used here; the first is requested. */
const PROTOCOL_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/** Ids of the session's own requests: lower than that of any call. */
const INITIALIZE_ID = "1";
const LIST_TOOLS_ID = 2;
const METHOD_NOT_FOUND = -32601;
/** The only revision with batches. */
const BATCH_VERSION = "2025-03-26";
/** Methods that only a client sends. */
const CLIENT_METHODS: ReadonlySet<string> = new Set([
  "initialize",
  "notifications/initialized",
  "tools/list",
  "tools/call",
]);
/** Marks this client's answers and cancellations, so that an echo is not taken for a reply. */
const MARK = "exai-ws-bench";
/** Ids sent as numbers: digits that a double holds exactly. */
const NUMBER = /^[1-9]\d{0,14}$/;

/**
 * Encodes an id, as a number if possible. JSON-RPC allows text, but some gateways (supergateway
 * 4.0.0) parse every id as a number, and answer `"a-1"` with `null` and `"0a-1"` with 0.
 */
function encodeId(id: string): string {
  return NUMBER.test(id) ? id : JSON.stringify(id);
}

/** Reverses `encodeId`. Ids never sent, such as a number returned as text, match no call. */
function decodeId(id: unknown): string {
  if (typeof id === "string") return NUMBER.test(id) ? JSON.stringify(id) : id;
  const digits = jsonText(id);
  return typeof id === "number" && NUMBER.test(digits) ? digits : `(${typeof id})`;
}

function request(id: string, method: string, paramsJson: string): string {
  return `{"jsonrpc":"2.0","id":${encodeId(id)},"method":"${method}","params":${paramsJson}}`;
}

const INITIALIZE = request(
  INITIALIZE_ID,
  "initialize",
  JSON.stringify({
    protocolVersion: PROTOCOL_VERSIONS[0],
    capabilities: {},
    clientInfo: { name: "exai-ws-bench", version: "1" },
  }),
);

function readInitialize(text: string): HandshakeReply {
  const body = parseJson(text);
  if (!isRecord(body)) {
    const { reason } = notAnObject(text, body);
    return { status: "ignored", ...(text.includes("protocolVersion") ? { reason } : {}) };
  }
  if (isEcho(body)) return { status: "ignored", reason: ECHO };
  if (typeof body.method === "string") {
    const answer = answerRequest(body);
    return { status: "ignored", ...(answer === null ? {} : { send: [answer] }) };
  }
  // An error without an id can only be for the one request that was sent.
  const isOurs = decodeId(body.id) === INITIALIZE_ID || (body.id == null && isRecord(body.error));
  if (!isOurs) {
    const isAnswer = isRecord(body.result) && body.result.protocolVersion !== undefined;
    const reason = `another id than the ${INITIALIZE_ID} that was sent`;
    return { status: "ignored", ...(isAnswer ? { reason } : {}) };
  }
  if (!isRecord(body.result)) {
    const message = isRecord(body.error) ? body.error.message : undefined;
    return { status: "refused", error: jsonText(message ?? "no reason given") };
  }
  const version = jsonText(body.result.protocolVersion ?? "none");
  if (!PROTOCOL_VERSIONS.includes(version)) {
    const known = PROTOCOL_VERSIONS.join(", ");
    const error = `the server's protocol version is ${version}, not one of ${known}`;
    return { status: "refused", error, ours: true };
  }
  const { capabilities } = body.result;
  return {
    status: "accepted",
    send: ['{"jsonrpc":"2.0","method":"notifications/initialized"}'],
    session: {
      batches: version === BATCH_VERSION,
      tools: isRecord(capabilities) && capabilities.tools !== undefined,
    },
  };
}

/**
 * The answer to a server's request; `null` for a notification. Only ping is served: all other
 * requests need capabilities that this client does not claim.
 */
function answerRequest(body: Record<string, unknown>): string | null {
  if (typeof body.id !== "string" && typeof body.id !== "number") return null;
  const outcome = body.method === "ping"
    ? { result: { _meta: { from: MARK } } }
    : { error: { code: METHOD_NOT_FOUND, message: "Method not found", data: MARK } };
  return JSON.stringify({ jsonrpc: "2.0", id: body.id, ...outcome });
}

/**
 * True for a message that repeats one of this client's. Not for a ping, which either side can send:
 * the caller must check its id.
 */
function isEcho({ method, params, result, error }: Record<string, unknown>): boolean {
  if (typeof method === "string") {
    return CLIENT_METHODS.has(method) || (isRecord(params) && params.reason === CANCELLED);
  }
  return isRecord(result)
    ? isRecord(result._meta) && result._meta.from === MARK
    : isRecord(error) && error.data === MARK;
}

const CANCELLED = `timed out in ${MARK}`;

/**
 * Classifies frames; `readResult` reads what JSON-RPC leaves to the protocol.
 *
 * @param canBeCall true for methods of requests that both sides can send
 */
function classifier(
  readResult: (id: string, result: unknown) => Frame,
  canBeCall: (method: string) => boolean,
): Protocol["classify"] {
  return (text) => {
    const body = parseJson(text);
    if (!isRecord(body)) return notAnObject(text, body);
    const { method } = body;
    const isOfBoth = typeof method === "string" && canBeCall(method);
    if (!isOfBoth && isEcho(body)) return malformed(ECHO);
    const id = body.id == null ? null : decodeId(body.id);
    if (typeof method === "string") {
      const answer = answerRequest(body);
      if (answer === null) return { kind: "notification", id: null, answer };
      return { kind: "notification", id, answer, ...(isOfBoth ? { canBeCall: true } : {}) };
    }
    if (body.error != null) return errorFrame(id, body.error);
    if (body.result === undefined) {
      return malformed("a message with neither result, error nor method");
    }
    // An error may lack an id; a result without one belongs to no call.
    return id === null ? malformed("a result without an id") : readResult(id, body.result);
  };
}

function readToolResult(id: string, result: unknown): Frame {
  if (!isRecord(result)) return malformed("a result that is not an object");
  const { isError, content, structuredContent } = result;
  if (isError === true) {
    return { kind: "toolError", id, code: "TOOL_ERROR", message: firstText(content) };
  }
  return Array.isArray(content) || isRecord(structuredContent)
    ? { kind: "result", id, fromCache: false }
    : { kind: "result", id, fromCache: false, isBare: true };
}

/** The messages of a batch. */
function unbatch(text: string): string[] | null {
  const body = parseJson(text);
  return Array.isArray(body) && body.length > 0 ? body.map((one) => JSON.stringify(one)) : null;
}

function firstText(content: unknown): string {
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  return isRecord(first) && typeof first.text === "string" ? first.text : "";
}

/**
 * The Model Context Protocol over a WebSocket: JSON-RPC 2.0, one message per frame. The tool `ping`
 * is the protocol's own ping, which every server answers.
 */
export const mcp: Protocol = {
  ...CALLS_ALONE,
  name: "mcp",
  defaultTool: "ping",
  ids: "number",
  endsHandshakeUnanswered: true,
  open: () => ({ send: [INITIALIZE], read: readInitialize }),
  encodeCall: (id, tool, argsJson) =>
    tool === "ping"
      ? request(id, "ping", "{}")
      : request(id, "tools/call", `{"name":${JSON.stringify(tool)},"arguments":${argsJson}}`),
  classify: classifier(readToolResult, (method) => method === "ping"),
  unbatch,
  encodeCancel: (id) =>
    `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${
      encodeId(id)
    },"reason":"${CANCELLED}"}}`,
  listedName: (tool) => tool === "ping" ? null : tool,
  encodeListTools: (_, page) =>
    request(
      String(LIST_TOOLS_ID + (page?.nth ?? 0)),
      "tools/list",
      JSON.stringify({ cursor: page?.cursor }),
    ),
  readTools: (text) => readToolPage(fieldsOf(text).result),
  routingProbes: [{
    name: "ping",
    encode: (id) => request(id, "ping", "{}"),
    isAnswer(text, id) {
      const body = fieldsOf(text);
      return body.method === undefined && decodeId(body.id) === id && isRecord(body.result);
    },
  }],
  conduct: mcpConduct,
};

/** Plain JSON-RPC 2.0: tools are methods, arguments are parameters, and there is no handshake. */
export const jsonrpc: Protocol = {
  ...CALLS_ALONE,
  name: "jsonrpc",
  defaultTool: "ping",
  ids: "number",
  encodeCall: (id, tool, argsJson) =>
    `{"jsonrpc":"2.0","id":${encodeId(id)},"method":${JSON.stringify(tool)},"params":${argsJson}}`,
  classify: classifier((id) => ({ kind: "result", id, fromCache: false }), () => true),
};
