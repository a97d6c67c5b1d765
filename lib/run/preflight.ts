import { wordSimilaritySort } from "@std/text/word-similarity-sort";
import type { Check, ClockOffset, WireFrame } from "../schema.ts";
import type { Call } from "../client/call.ts";
import { ConnectError } from "../client/connect_error.ts";
import { explainDial } from "../client/dial_cause.ts";
import { shakeHands } from "../client/handshake.ts";
import { openLedger } from "../client/ledger.ts";
import type { Message } from "../client/connection.ts";
import type { Frame } from "../protocols/protocol.ts";
import { redactUrl } from "../client/redact_url.ts";
import type { Target } from "../client/target.ts";
import { readServerTime } from "../protocols/server_time.ts";
import { connectAdvice } from "./connect_advice.ts";
import { describeFailure } from "./describe_end.ts";
import { describeRateLimit } from "./rate_limit.ts";
import { TargetUnusableError } from "./scenario.ts";
import type { Workload } from "./workload.ts";

/** How long a server may take to list its tools; the list is only advice. */
const LIST_TOOLS_WAIT_MS = 1_000;

/** What the preflight found out, and its warnings. */
export interface Preflight {
  checks: Check[];
  warnings: string[];
  /** `null`: the server does not tell its time. */
  clockOffset: ClockOffset | null;
  /** The frames of the call. */
  transcript: WireFrame[];
}

/**
 * Connects, authenticates, lists the tools where the protocol can, and calls the tool once, so that
 * what cannot be measured ends here, with its cause. None of it is in any ledger.
 *
 * @throws {TargetUnusableError} with the cause and what to do
 * @throws the signal's reason, if the run is interrupted
 */
export async function runPreflight(target: Target, workload: Workload): Promise<Preflight> {
  const { signal } = target.options;
  try {
    const { names, clockOffset } = await listTools(target);
    await using connection = await target.connect(openLedger());
    const message = workload();
    const received: string[] = [];
    connection.onFrame((text) => received.push(text));
    const call = await connection.call(message);
    connection.onFrame(null);
    signal.throwIfAborted();
    if (call.status !== "ok") {
      const end = await describeFailure(call, connection);
      throw unusableTool(target, { call, tool: message.tool, names, end });
    }
    return {
      clockOffset,
      checks: preflightChecks(target, { tool: message.tool, names }),
      warnings: listWarnings(target, names),
      transcript: transcriptOf(target, { call, message, received }),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConnectError)) throw error;
    throw new TargetUnusableError(connectAdvice(await explainDial(error, target), target));
  }
}

/** What the server says of itself; `null` where it does not in time. */
interface Listed {
  names: string[] | null;
  clockOffset: ClockOffset | null;
}

const NOTHING_LISTED: Listed = { names: null, clockOffset: null };

/** The names of the tools, and the time that the server puts on them. */
async function listTools(target: Target): Promise<Listed> {
  const { protocol, clock, timeoutMs, signal } = target.options;
  const credentials = target.newCredentials();
  const request = protocol.encodeListTools(`${credentials.sessionId}-list`);
  const socket = await target.dial();
  try {
    await shakeHands(socket, { protocol, credentials, clock, timeoutMs, signal });
    if (request === null) return NOTHING_LISTED;
    const listed = Promise.withResolvers<Listed>();
    const sentMs = clock.date().getTime();
    socket.onText((text) => {
      const names = text === null ? null : protocol.readToolNames(text);
      if (text === null || names === null) return;
      const times = { sentMs, receivedMs: clock.date().getTime() };
      listed.resolve({ names, clockOffset: clockOffset(readServerTime(text), times) });
    });
    socket.send(request);
    const cancel = clock.after(LIST_TOOLS_WAIT_MS, () => listed.resolve(NOTHING_LISTED));
    socket.closed.then(() => listed.resolve(NOTHING_LISTED));
    return await listed.promise.finally(cancel);
  } finally {
    await socket.close();
  }
}

/** Frames are cut to so many characters. */
const SHOWN_LENGTH = 300;

/** The call and what came back, and what the ledger makes of each frame. */
function transcriptOf(
  { options: { protocol }, foreign }: Target,
  { call, message, received }: { call: Call; message: Message; received: readonly string[] },
): WireFrame[] {
  const cut = (text: string) => foreign(text, SHOWN_LENGTH);
  const sent = protocol.encodeCall(call.id, message.tool, message.argsJson);
  return [
    { direction: "sent", text: cut(sent), countedAs: "sent" },
    ...received.map((text): WireFrame => {
      const { kind } = protocol.classify(text);
      return { direction: "received", text: cut(text), countedAs: COUNTED_AS[kind] };
    }),
  ];
}

/** What the frames of one served call are in the ledger. */
const COUNTED_AS: Readonly<Record<Frame["kind"], string>> = {
  result: "final, ok",
  toolError: "final, toolError",
  rateLimited: "final, rateLimited",
  progress: "progress",
  notification: "progress",
  malformed: "malformed",
};

/** The list is only advice: a server may serve a tool that it does not list. */
function listWarnings(target: Target, names: readonly string[] | null): string[] {
  if (target.options.protocol.encodeListTools("0") === null) return [];
  if (names === null) {
    return [`the server did not list its tools within ${LIST_TOOLS_WAIT_MS / 1000} s`];
  }
  return names.length === 0 ? ["the server lists no tools"] : [];
}

/** Clocks are read to the millisecond, here and there. */
const READING_ERROR_MS = 1;

/**
 * By Cristian's rule: the server wrote its time somewhere between the sending and the reply, so that the
 * middle of the two is wrong by half of the round trip at most (F. Cristian, Probabilistic clock
 * synchronization, 1989).
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

function preflightChecks(
  target: Target,
  found: { tool: string; names: string[] | null },
): Check[] {
  const url = redactUrl(target.options.url);
  const { names, tool } = found;
  return [
    {
      kind: "connected",
      name: "connected",
      passed: true,
      expected: "a WebSocket opens",
      observed: url,
    },
    {
      kind: "sessionOpened",
      name: "session opened",
      passed: true,
      expected: "the handshake is accepted",
      observed: "accepted",
    },
    ...(names === null || names.length === 0 ? [] : [{
      kind: "toolsListed",
      name: "tools listed",
      passed: true,
      expected: "at least one tool",
      observed: `${names.length} tools`,
    }]),
    {
      kind: "toolAnswers",
      name: "tool answers",
      passed: true,
      expected: `a result of ${tool}`,
      observed: "a result",
    },
  ];
}

/** Why the tool cannot be measured. */
function unusableTool(
  target: Target,
  found: { call: Call; tool: string; names: string[] | null; end: string },
): TargetUnusableError {
  const { call, tool, names, end } = found;
  const said = [call.errorCode, call.errorMessage].filter(Boolean).join(": ");
  if (call.status === "rateLimited") {
    const limit = target.observed.rateLimit;
    return new TargetUnusableError(
      describeRateLimit(limit ?? { atCall: call.nth, message: call.errorMessage }),
    );
  }
  if (call.status !== "toolError") {
    const what = call.status === "timeout"
      ? `did not answer a call of ${tool} within ${target.options.timeoutMs / 1000} s`
      : `closed the connection on a call of ${tool} (${end})`;
    return new TargetUnusableError(
      `The server ${what}. Try another --tool, or a longer --timeout.`,
    );
  }
  // A name that the server lists, with a suffix that it may strip, is one that it knows.
  const unknown = call.errorCode === "TOOL_NOT_FOUND" ||
    (names !== null && names.length > 0 && !names.some((name) => tool.startsWith(name)));
  if (!unknown) {
    return new TargetUnusableError(
      `The server answers a call of ${tool} with an error (${said}). Give arguments that it accepts ` +
        `with --tool-args, or another --tool.`,
    );
  }
  const advice = target.options.protocol.toolNameAdvice(tool);
  const closest = names === null || names.length === 0
    ? ""
    : `; closest of the ${names.length} that it offers: ${closestNames(tool, names)}`;
  return new TargetUnusableError(
    `The server has no tool ${tool} (${said})${closest}` + (advice === null ? "." : `; ${advice}`),
  );
}

function closestNames(tool: string, names: readonly string[]): string {
  return wordSimilaritySort(tool, names).slice(0, 3).join(", ");
}
