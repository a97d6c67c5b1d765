import { wordSimilaritySort } from "@std/text/word-similarity-sort";
import type { Check, ClockOffset, WireFrame } from "../schema.ts";
import type { Call } from "../client/call.ts";
import { ConnectError } from "../client/connect_error.ts";
import { explainDial } from "../client/dial_cause.ts";
import { openLedger } from "../client/ledger.ts";
import type { Connection, Message } from "../client/connection.ts";
import type { Frame } from "../protocols/protocol.ts";
import { redactUrl } from "../client/redact_url.ts";
import type { Target } from "../client/target.ts";
import { ECHO, readServerTime } from "../protocols/json.ts";
import { connectAdvice } from "./connect_advice.ts";
import { describeFailure } from "./describe_end.ts";
import { describeRateLimit } from "./rate_limit.ts";
import { TargetUnusableError } from "./scenario.ts";
import { listTools } from "./tool_list.ts";
import type { Workload } from "./workload.ts";

/** Timeout of each page of the tool list. */
const LIST_TOOLS_WAIT_MS = 1_000;
const UNLISTED = {
  none: [],
  late: [`the server did not list its tools within ${LIST_TOOLS_WAIT_MS / 1000} s`],
  closed: ["the server closed the connection instead of listing its tools"],
};
/** How long to keep waiting once a frame names the call but does not answer it. */
const WRONG_ANSWER_WAIT_MS = 1_000;

/** Result of the preflight. */
export interface Preflight {
  checks: Check[];
  warnings: string[];
  /** `null` if the server does not send its time. */
  clockOffset: ClockOffset | null;
  /** Frames of the call. */
  transcript: WireFrame[];
}

/**
 * Connects, authenticates, lists the tools if the protocol can, and calls the tool once, so that a
 * target that cannot be measured fails here, with its cause. No ledger counts these calls.
 *
 * @param side the server, if there are two
 * @throws {TargetUnusableError} with the cause and what to do
 * @throws the signal's reason, if the run is interrupted
 */
export async function runPreflight(
  target: Target,
  workload: Workload,
  side?: "A" | "B",
): Promise<Preflight> {
  const { signal } = target.options;
  try {
    const { names, clockOffset, warnings } = await listed(target);
    const ledger = openLedger();
    await using connection = await target.connect(ledger);
    const message = workload();
    const received: string[] = [];
    connection.onFrame((text) => {
      received.push(text);
      hurryIfWrong(connection, text, target);
    });
    const call = await connection.call(message);
    connection.onFrame(null);
    signal.throwIfAborted();
    const { tool } = message;
    if (call.status !== "ok" || !isOffered(target, tool, names)) {
      const end = await describeFailure(call, connection);
      const { malformed, orphan, notification } = ledger.firstStrays;
      const instead = malformed ?? orphan ?? notification ?? null;
      throw new TargetUnusableError(whyUnusable(target, { call, tool, names, end, instead }));
    }
    return {
      clockOffset,
      checks: preflightChecks(target, tool, names),
      warnings,
      transcript: transcriptOf(target, { call, message, received }),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConnectError)) throw error;
    throw new TargetUnusableError(connectAdvice(await explainDial(error, target), target, side));
  }
}

/** Shortens the timeout of a call after a frame that names the call but does not answer it. */
function hurryIfWrong(connection: Connection, text: string, { options: { protocol } }: Target) {
  const id = connection.oldestId;
  if (id === null || !text.includes(id)) return;
  const frame = protocol.classify(text);
  if (frame.kind === "progress" || (frame.kind === "notification" && frame.id !== id)) return;
  // After the connection has handled the frame.
  queueMicrotask(() => connection.oldestId === id && connection.hurry(WRONG_ANSWER_WAIT_MS));
}

/** True if the server lists this tool, or lists none and so may serve any. */
function isOffered({ options: { protocol } }: Target, tool: string, names: string[]): boolean {
  const name = protocol.listedName(tool);
  return name === null || names.length === 0 || names.includes(name);
}

/** Reads the server's tool list; `names` is empty if there is none, or not in time. */
async function listed(
  target: Target,
): Promise<{ names: string[] } & Pick<Preflight, "clockOffset" | "warnings">> {
  const list = await listTools(target, { waitMs: LIST_TOOLS_WAIT_MS });
  if (list.status !== "listed") {
    return { names: [], clockOffset: null, warnings: UNLISTED[list.status] };
  }
  return {
    names: list.tools.map(({ name }) => name),
    clockOffset: clockOffset(readServerTime(list.first.text), list.first),
    warnings: list.tools.length === 0 ? ["the server lists no tools"] : [],
  };
}

/** Maximum characters shown of a frame. */
const SHOWN_LENGTH = 300;

/** The frames of a call, and how the ledger counts each. */
function transcriptOf(
  { options: { protocol }, foreign }: Target,
  { call, message, received }: { call: Call; message: Message; received: readonly string[] },
): WireFrame[] {
  const frame = (direction: WireFrame["direction"], text: string, countedAs: string) => ({
    ...{ direction, text: foreign(text, SHOWN_LENGTH), countedAs },
  });
  return [
    frame("sent", protocol.encodeCall(call.id, message.tool, message.argsJson), "sent"),
    ...received.map((text) => frame("received", text, COUNTED_AS[protocol.classify(text).kind])),
  ];
}

/** How the ledger counts the frames of a call. */
const COUNTED_AS: Readonly<Record<Frame["kind"], string>> = {
  result: "final, ok",
  toolError: "final, toolError",
  rateLimited: "final, rateLimited",
  progress: "progress",
  notification: "progress",
  malformed: "malformed",
};

/** Both clocks are read in whole milliseconds. */
const READING_ERROR_MS = 1;

/**
 * Estimates the clock offset by Cristian's algorithm: the server read its clock between request and
 * reply, so the midpoint is wrong by half the round trip at most (F. Cristian, Probabilistic clock
 * synchronization, 1989). `null` if the server sent no time.
 */
export function clockOffset(
  serverMs: number | null,
  { sentMs, receivedMs }: { sentMs: number; receivedMs: number },
): ClockOffset | null {
  if (serverMs === null) return null;
  return {
    offsetMs: serverMs - (sentMs + receivedMs) / 2,
    errorMs: (receivedMs - sentMs) / 2 + READING_ERROR_MS,
  };
}

/** The checks of a preflight that succeeded. */
function preflightChecks({ options: { url } }: Target, tool: string, names: string[]): Check[] {
  const count = names.length;
  const seen = [
    ["connected", "connected", "a WebSocket opens", redactUrl(url)],
    ["sessionOpened", "session opened", "the handshake is accepted", "accepted"],
    ...count === 0 ? [] : [["toolsListed", "tools listed", "at least one tool", `${count} tools`]],
    ["toolAnswers", "tool answers", `a result of ${tool}`, "a result"],
  ] as [string, string, string, string][];
  return seen.map(([kind, name, expected, observed]) => ({
    ...{ kind, name, passed: true, expected, observed },
  }));
}

/** Why the tool cannot be measured; `instead` describes a frame that came but was no answer. */
function whyUnusable(
  target: Target,
  { call, tool, names, end, instead }: {
    call: Call;
    tool: string;
    names: string[];
    end: string;
    instead: string | null;
  },
): string {
  const { observed: { rateLimit }, options: { protocol, timeoutMs } } = target;
  const { status, nth: atCall, errorCode, errorMessage: message } = call;
  if (status === "rateLimited") return describeRateLimit(rateLimit ?? { atCall, message });
  if (status === "timeout" && instead !== null) {
    const isGreeting = /^(text that is not JSON|a frame that has nothing)/.test(instead);
    const advice = instead.startsWith(ECHO)
      ? "This looks like an echo server: use --protocol echo."
      : "Is it a server of another --protocol?" +
        (isGreeting ? " A greeting can be left out with --ignore-first 1." : "");
    return `The server answered a call of ${tool}, but with ${instead}. ${advice}`;
  }
  if (status !== "toolError" && status !== "ok") {
    return status === "timeout"
      ? `The server did not answer a call of ${tool} within ${timeoutMs / 1000} s. Try another ` +
        "--tool, or a longer --timeout."
      : `The server closed the connection on a call of ${tool} (${end}). Is it a server of ` +
        "another --protocol? If not, try another --tool.";
  }
  const said = status === "ok"
    ? "although a call of it succeeds"
    : [errorCode, message].filter(Boolean).join(": ");
  if (errorCode !== "TOOL_NOT_FOUND" && isOffered(target, tool, names)) {
    return `The server answers a call of ${tool} with an error (${said}). Give arguments that it ` +
      "accepts with --tool-args, or another --tool.";
  }
  const nearest = wordSimilaritySort(tool, names).slice(0, 3).join(", ");
  const closest = nearest && `; closest of the ${names.length} that it offers: ${nearest}`;
  const advice = protocol.toolNameAdvice(tool);
  const rest = advice === null ? "." : `; ${advice}`;
  return `The server has no tool ${tool} (${said})${closest}${rest}`;
}
