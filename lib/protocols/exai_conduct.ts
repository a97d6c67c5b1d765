/**
 * What an EXAI server must make of bad messages, and of the rules around calls: both tables of the
 * protocol, each row with the answers of both builds.
 *
 * @module
 */

import type { Answer, Conduct, ConductCase, ConductOptions } from "./protocol.ts";
import { badArgumentCall, raisingCall } from "./exai_listed_tools.ts";
import { otherOpenings, refusedOpenings } from "./exai_openings.ts";
import { isRecord, jsonText, parseJson, shortText } from "./json.ts";

/** The endings that the server strips off a tool's name. */
const TOOL_SUFFIXES = ["-EXAI-WS", "_EXAI-WS", "_EXAI_WS", "-EXAI_WS"];

/** A row: what is sent in a session (`null`: the server lists no tool to make it from), and the frames that either build answers with. */
interface Row {
  name: string;
  send: string[] | null;
  oct: string[][];
  nov: string[][];
  withProgress?: boolean;
}

function idOf(sessionId: string, nth: number): string {
  return `${sessionId}-r${nth}`;
}

/** The frames of a success. */
function results(...nths: number[]): Pick<Row, "oct" | "nov"> {
  const outputs = nths.map((nth) => `call_tool_res, r${nth}, outputs`);
  return { oct: [outputs.map((frame) => `${frame}, ok`)], nov: [outputs] };
}

function both(...frames: string[]): Pick<Row, "oct" | "nov"> {
  return { oct: [frames], nov: [frames] };
}

const NOT_JSON = "error, no id, VALIDATION_ERROR, Invalid JSON: message could not be parsed";
const NO_OP =
  "error, no id, INVALID_REQUEST, Invalid message: missing or invalid 'op' field (must be string)";

/** The calls that a server must serve. */
function goodCalls({ sessionId, tool: given, argsJson }: ConductOptions): Row[] {
  const tool = TOOL_SUFFIXES.reduce(
    (name, ending) => name.replace(RegExp(`${ending}$`), ""),
    given,
  );
  const call = (name: string, nth = 1) =>
    `{"op":"call_tool","request_id":"${idOf(sessionId, nth)}","name":${JSON.stringify(name)},` +
    `"arguments":${argsJson}}`;
  return [
    {
      name: "a success",
      send: [call(tool)],
      oct: [["stream_complete, r1", "call_tool_res, r1, outputs, ok"]],
      // One frame from its cache.
      nov: [["stream_complete, r1", "call_tool_res, r1, outputs"], ["call_tool_res, r1, outputs"]],
      withProgress: true,
    },
    {
      name: "a call as tool_call",
      send: [
        `{"op":"tool_call","request_id":"${idOf(sessionId, 1)}",` +
        `"tool":{"name":${JSON.stringify(tool)}},"arguments":${argsJson}}`,
      ],
      ...results(1),
      oct: [...results(1).oct, ["error, no id, INVALID_REQUEST, Unknown operation: tool_call"]],
    },
    ...TOOL_SUFFIXES.map((ending) => ({
      name: `tool name with ${ending}`,
      send: [call(tool + ending)],
      ...results(1),
    })),
    {
      name: "two calls at once are answered in order",
      send: [call(tool), call(tool, 2)],
      ...results(1, 2),
    },
  ];
}

/** The messages that are answered with an error, or that only one build knows. */
function errors({ sessionId, tool, toolList }: ConductOptions): Row[] {
  const id = idOf(sessionId, 1);
  const call = (name: string, args: unknown) =>
    JSON.stringify({ op: "call_tool", request_id: id, name, arguments: args });
  const notFound = (name: string): Pick<Row, "send" | "oct" | "nov"> => ({
    send: [call(name, {})],
    oct: [[`call_tool_res, r1, TOOL_NOT_FOUND, Unknown tool: ${name}`]],
    nov: [[`no op, no id, TOOL_NOT_FOUND, Tool not found: ${name}`]],
  });
  const badArgument = badArgumentCall(toolList);
  const raising = raisingCall(toolList);
  const failed = (code: string): Pick<Row, "oct" | "nov"> => ({
    oct: [[`call_tool_res, r1, ${code}, …`]],
    nov: [["no op, no id, INTERNAL_ERROR, …"]],
  });
  const unknown = (op: string): Pick<Row, "send" | "oct" | "nov"> => ({
    send: [JSON.stringify({ op, request_id: id })],
    oct: [[`error, no id, INVALID_REQUEST, Unknown operation: ${op}`]],
    nov: [[`no op, no id, INVALID_REQUEST, Unknown operation: ${op}`]],
  });
  const INVALID = "call_tool_res, r1, INVALID_REQUEST, Invalid message";
  return [
    { name: "unknown tool", ...notFound("no-such-tool") },
    { name: "tool name with a further ending", ...notFound(`${tool}_EXAI-WS-VSCode1`) },
    {
      name: "arguments not an object",
      send: [call(tool, ["an", "array"])],
      ...both(`${INVALID}: arguments must be a JSON object`),
    },
    {
      name: "argument out of range",
      send: badArgument === null ? null : [call(badArgument.tool, badArgument.args)],
      ...failed("VALIDATION_ERROR"),
    },
    {
      name: "the tool raises",
      send: raising === null ? null : [call(raising.tool, raising.args)],
      ...failed("INTERNAL_ERROR"),
    },
    { name: "not JSON", send: ["{not JSON"], ...both(NOT_JSON) },
    {
      name: "not JSON, twice",
      send: ["{not JSON", "{not JSON"],
      oct: [[NOT_JSON]], // The second would be byte-identical: it is dropped.
      nov: [[NOT_JSON, NOT_JSON]],
    },
    { name: "op missing", send: [JSON.stringify({ request_id: id })], ...both(NO_OP) },
    { name: "op not a string", send: [JSON.stringify({ op: 1, request_id: id })], ...both(NO_OP) },
    { name: "unknown op", ...unknown("no-such-op") },
    { name: "ping", ...unknown("ping"), nov: [["pong, r1"]] },
    {
      name: "list_tools",
      send: [JSON.stringify({ op: "list_tools", request_id: id })],
      oct: [["list_tools_res, no id, tools"]],
      nov: [["list_tools_res, r1, tools"]],
    },
  ];
}

/** The alternatives of the build in question; those of both where it is not known. */
function chosen<T>(dialect: string | null, { oct, nov }: { oct: T[]; nov: T[] }): T[] {
  return dialect === "oct" ? oct : dialect === "nov" ? nov : [...oct, ...nov];
}

function cases(options: ConductOptions): ConductCase[] {
  const { dialect, sessionId, token } = options;
  const credentials = { sessionId, token };
  const openings = [...otherOpenings(credentials), ...refusedOpenings(credentials)];
  const rows = [...goodCalls(options), ...errors(options)];
  return [
    ...openings.map(({ name, first, needsToken, oct, nov }): ConductCase => ({
      name,
      inSession: false,
      send: first === null ? [] : [first],
      expected: chosen(dialect, { oct: [oct], nov: [nov] }),
      needsToken,
    })),
    ...rows.map(({ name, send, oct, nov, withProgress = false }): ConductCase => ({
      name,
      inSession: true,
      send,
      expected: chosen<string[]>(dialect, { oct, nov }).map((frames): Answer => ({
        frames,
        close: null,
      })),
      withProgress,
    })),
  ];
}

function shorten(frame: string, sessionId: string): string {
  const body = parseJson(frame);
  if (!isRecord(body)) return shortText(`not a JSON object: ${frame}`);
  const id = jsonText(body.request_id ?? "no id").replace(`${sessionId}-r`, "r");
  const op = jsonText(body.op ?? "no op");
  if (op === "hello_ack" || op === "hello_res") { // The latter is that of older servers.
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

/** What the tables say beside, and where it is looked at. */
const LEFT_OUT: Conduct["leftOut"] = [
  {
    name: "JWT required and missing",
    reason: "a server that wants one lets this suite in nowhere",
  },
  { name: "one connection too many", reason: "see the scenario connection-limit" },
  { name: "rate limit", reason: "see the scenario rate-limit" },
  {
    name: "identical call already in flight",
    reason: "it needs a tool that runs for long, which may cost money",
  },
  { name: "request over 10 MiB, frame over 32 MiB", reason: "see the scenario payload-size" },
];

/** The EXAI protocol's conduct. */
export const exaiConduct: Conduct = {
  dialects: ["oct", "nov"],
  dialectOf(frame) {
    const body = parseJson(frame);
    if (!isRecord(body) || body.op !== "call_tool_res" || !Array.isArray(body.outputs)) return null;
    return body.ok === true ? "oct" : "nov";
  },
  id: idOf,
  shorten,
  cases,
  leftOut: LEFT_OUT,
};
