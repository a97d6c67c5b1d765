import type { Conduct, ConductCase, ConductOptions } from "./protocol.ts";
import { answer, type BuildCase, otherOpenings, refusedOpenings } from "./exai_openings.ts";
import { fieldsOf, isRecord, jsonText, parseJson, readToolPage, shortText } from "./json.ts";

const BUILDS = ["oct25", "oct", "nov"] as const;
type Build = typeof BUILDS[number];

/** Each build's answers to a message. */
type Answers = Pick<BuildCase, "oct" | "nov">;

function idOf(sessionId: string, nth: number): string {
  return `${sessionId}-r${nth}`;
}

/** Frames of successful calls. */
function results(...nths: number[]): Answers {
  const outputs = nths.map((nth) => `call_tool_res, r${nth}, outputs`);
  return { oct: [answer(...outputs.map((frame) => `${frame}, ok`))], nov: [answer(...outputs)] };
}

/** Answers of one frame, the same from all builds unless `nov` differs. */
function oneFrame(oct: string, nov?: string): Answers {
  const first = [answer(oct)];
  return { oct: first, nov: nov === undefined ? first : [answer(nov)] };
}

const NOT_JSON = "error, no id, VALIDATION_ERROR, Invalid JSON: message could not be parsed";
const NO_OP =
  "error, no id, INVALID_REQUEST, Invalid message: missing or invalid 'op' field (must be string)";

const UNKNOWN_OP = "INVALID_REQUEST, Unknown operation";

/** Calls that a server must serve, then messages that get an error or that only one build knows. */
function sessionRows(
  { sessionId, tool: given, argsJson, toolList }: ConductOptions,
): Omit<BuildCase, "inSession">[] {
  const id = idOf(sessionId, 1);
  const tool = given.replace(/[-_]EXAI[-_]WS$/, "");
  const good = (name: string, nth = 1) =>
    `{"op":"call_tool","request_id":"${idOf(sessionId, nth)}","name":${JSON.stringify(name)},` +
    `"arguments":${argsJson}}`;
  const bad = (name: string, args: unknown) => [
    JSON.stringify({ op: "call_tool", request_id: id, name, arguments: args }),
  ];
  const notFound = (name: string) => ({
    send: bad(name, {}),
    ...oneFrame(
      `call_tool_res, r1, TOOL_NOT_FOUND, Unknown tool: ${name}`,
      `no op, no id, TOOL_NOT_FOUND, Tool not found: ${name}`,
    ),
  });
  const failed = (call: ListedCall | null, code: string) => ({
    send: call === null ? null : bad(call.tool, call.args),
    ...oneFrame(`call_tool_res, r1, ${code}, …`, "no op, no id, INTERNAL_ERROR, …"),
  });
  const unknown = (op: string) => ({
    send: [JSON.stringify({ op, request_id: id })],
    ...oneFrame(`error, no id, ${UNKNOWN_OP}: ${op}`, `no op, no id, ${UNKNOWN_OP}: ${op}`),
  });
  const twice = [answer(NOT_JSON, NOT_JSON)];
  return [
    {
      name: "a success",
      send: [good(tool)],
      oct: [answer("stream_complete, r1", "call_tool_res, r1, outputs, ok")],
      nov: [
        answer("stream_complete, r1", "call_tool_res, r1, outputs"),
        answer("call_tool_res, r1, outputs"), // From the cache.
      ],
      withProgress: true,
    },
    {
      name: "a call as tool_call",
      send: [
        `{"op":"tool_call","request_id":"${id}","tool":{"name":${JSON.stringify(tool)}},` +
        `"arguments":${argsJson}}`,
      ],
      oct: unknown("tool_call").oct,
      nov: results(1).nov,
      better: [results(1), unknown("tool_call")].flatMap(({ oct, nov }) => [...oct, ...nov]),
    },
    // Endings that the server strips.
    ...["-EXAI-WS", "_EXAI-WS", "_EXAI_WS", "-EXAI_WS"].map((ending) => ({
      name: `tool name with ${ending}`,
      send: [good(tool + ending)],
      ...results(1),
    })),
    {
      name: "two calls at once are answered in order",
      send: [good(tool), good(tool, 2)],
      ...results(1, 2),
    },
    { name: "unknown tool", ...notFound("no-such-tool") },
    { name: "tool name with a further ending", ...notFound(`${given}_EXAI-WS-VSCode1`) },
    {
      name: "arguments not an object",
      send: bad(given, ["an", "array"]),
      ...oneFrame(
        "call_tool_res, r1, INVALID_REQUEST, Invalid message: arguments must be a JSON object",
      ),
    },
    {
      name: "argument out of range",
      ...failed(badArgumentCall(toolList), "VALIDATION_ERROR"),
    },
    { name: "the tool raises", ...failed(raisingCall(toolList), "INTERNAL_ERROR") },
    { name: "not JSON", send: ["{not JSON"], ...oneFrame(NOT_JSON) },
    {
      name: "not JSON, twice",
      send: ["{not JSON", "{not JSON"],
      oct: [answer(NOT_JSON)], // This build drops a second, identical frame.
      oct25: twice,
      nov: twice,
      better: twice,
    },
    { name: "op missing", send: [JSON.stringify({ request_id: id })], ...oneFrame(NO_OP) },
    {
      name: "op not a string",
      send: [JSON.stringify({ op: 1, request_id: id })],
      ...oneFrame(NO_OP),
    },
    { name: "unknown op", ...unknown("no-such-op") },
    { name: "ping", ...unknown("ping"), nov: [answer("pong, r1")] },
    {
      name: "list_tools",
      ...unknown("list_tools"),
      ...oneFrame("list_tools_res, no id, tools", "list_tools_res, r1, tools"),
    },
  ];
}

interface ListedCall {
  tool: string;
  args: Record<string, unknown>;
}

/** Tools of a list_tools_res that require only text arguments, with such arguments. */
function callableTools(toolList: string | null) {
  const page = readToolPage(fieldsOf(toolList ?? ""));
  return (page?.tools ?? []).flatMap(({ name: tool, inputSchema: { properties, required } }) => {
    const known = new Map(
      Object.entries(isRecord(properties) ? properties : {})
        .flatMap(([name, value]) => isRecord(value) ? [[name, value] as const] : []),
    );
    const names = Array.isArray(required) ? required.filter((one) => typeof one === "string") : [];
    const isCallable = names.every((name) =>
      known.get(name)?.type === "string" && known.get(name)?.enum === undefined
    );
    const args = Object.fromEntries(names.map((name) => [name, "x"]));
    return isCallable ? [{ tool, properties: known, args }] : [];
  });
}

/** A valid call except for a number above the tool's maximum; `null` if no tool declares one. */
export function badArgumentCall(toolList: string | null): ListedCall | null {
  for (const { tool, properties, args } of callableTools(toolList)) {
    for (const [name, { type, maximum }] of properties) {
      const isNumber = type === "number" || type === "integer";
      if (isNumber && typeof maximum === "number" && !Object.hasOwn(args, name)) {
        return { tool, args: { ...args, [name]: maximum + 1 } };
      }
    }
  }
  return null;
}

/** A call of a tool that raises on demand, like the reference server's `debug`, if there is one. */
export function raisingCall(toolList: string | null): ListedCall | null {
  const found = callableTools(toolList).find(({ tool, properties }) =>
    tool === "debug" && properties.get("raise")?.type === "string"
  );
  return found === undefined
    ? null
    : { tool: found.tool, args: { ...found.args, raise: "raised on demand" } };
}

function cases(options: ConductOptions): ConductCase[] {
  const { dialect } = options;
  const rows = [
    ...otherOpenings(options),
    ...refusedOpenings(options),
    ...sessionRows(options).map((row) => ({ ...row, inSession: true })),
  ];
  return rows.map(({ oct, nov, oct25 = oct, ...row }) => {
    const build = BUILDS.find((name) => name === dialect);
    const all = [...new Set([...oct, ...nov, ...oct25])];
    return { ...row, expected: build === undefined ? all : { oct25, oct, nov }[build] };
  });
}

/** The builds that could have sent a frame: all of them, unless a field tells. */
function buildsOf(frame: string, sessionId: string): readonly Build[] {
  const { op, ok, outputs, request_id, session_id } = fieldsOf(frame);
  if (op === "call_tool_res" && Array.isArray(outputs)) {
    return ok === true ? ["oct25", "oct"] : ["nov"];
  }
  if (op === "list_tools_res") return request_id == null ? ["oct25", "oct"] : ["nov"];
  if (op === "hello_ack" && typeof session_id === "string") {
    return session_id === sessionId ? ["oct", "nov"] : ["oct25"];
  }
  return BUILDS;
}

function shorten(frame: string, sessionId: string): string {
  const body = parseJson(frame);
  if (!isRecord(body)) return shortText(`not a JSON object: ${frame}`);
  const id = jsonText(body.request_id ?? "no id").replace(`${sessionId}-r`, "r");
  const op = jsonText(body.op ?? "no op");
  if (op === "hello_ack" || op === "hello_res") { // Older servers send hello_res.
    if (body.ok !== true) return shortText(`hello_ack, ${jsonText(body.error ?? "refused")}`);
    return `hello_ack, ok${body.session_id === sessionId ? "" : ", another session_id"}`;
  }
  const head = [op, id];
  if (isRecord(body.error)) {
    const { code = "no code", message = "no message" } = body.error;
    return shortText([...head, jsonText(code), jsonText(message)].join(", "));
  }
  if (Array.isArray(body.outputs)) head.push("outputs");
  if (Array.isArray(body.tools)) head.push("tools");
  if (body.ok !== undefined) head.push(body.ok === true ? "ok" : "not ok");
  return shortText(head.join(", "));
}

/**
 * How an EXAI server must answer bad messages and apply the rules of calls: both tables of the
 * protocol, with the answers of each build.
 */
export const exaiConduct: Conduct = {
  dialects: BUILDS,
  dialectOf(frames, sessionId) {
    const signs = frames.map((frame) => buildsOf(frame, sessionId));
    const [build, other] = BUILDS.filter((name) => signs.every((sign) => sign.includes(name)));
    return other === undefined ? build ?? null : null;
  },
  id: idOf,
  shorten,
  cases,
  leftOut: [
    {
      name: "JWT required and missing",
      reason: "such a server rejects this suite, which sends no JWT",
    },
    { name: "one connection too many", reason: "see the scenario connection-limit" },
    { name: "rate limit", reason: "see the scenario rate-limit" },
    {
      name: "identical call already in flight",
      reason: "it needs a long-running tool, which may cost money",
    },
    { name: "request over 10 MiB, frame over 32 MiB", reason: "see the scenario payload-size" },
  ],
};
