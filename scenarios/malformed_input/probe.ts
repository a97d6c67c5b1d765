/**
 * Sends bad messages to a server, and describes its answers in the words of the protocol's rules.
 *
 * @module
 */

import type { ForeignText } from "../../lib/client/foreign_text.ts";
import { isAuthenticationOff } from "../../lib/client/rejection.ts";
import type { Answer, Conduct, ConductCase, Credentials } from "../../lib/protocols/protocol.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";
import { answerMatches, type SeenAnswer } from "./answers.ts";
import { exchange, isEcho } from "./exchange.ts";

/** The numbers of the requests that belong to no case. */
const LAST_CALL = 90;
const LIST_TOOLS = 91;

/** What the cases are made from and judged by. */
export interface Server {
  conduct: Conduct;
  /** `null`: not known. */
  dialect: string | null;
  toolList: string | null;
  isOpenToAll: boolean;
}

/** Opens a session, asks for the tools and calls one, to know by each answer which build it is. */
export async function lookAt(
  context: ScenarioContext,
  { conduct, patienceMs }: { conduct: Conduct; patienceMs: number },
): Promise<Server> {
  const { target } = context;
  const { protocol } = target.options;
  const credentials = target.newCredentials();
  const request = protocol.encodeListTools(conduct.id(credentials.sessionId, LIST_TOOLS));
  const isList = (frame: string) => protocol.readTools(frame) !== null;
  // Where builds differ, the answer to the opening is looked at too.
  const opening = conduct.dialects.length === 0 ? [] : protocol.open(credentials).send;
  const { frames, result } = await exchange(target, {
    credentials,
    inSession: opening.length === 0,
    send: [...opening, ...request === null ? [] : [request]],
    last: lastCall(context, { conduct, credentials }),
    isEnough: (soFar) => soFar.some(isList),
    patienceMs,
  });
  context.signal.throwIfAborted();
  const rejections = protocol.rejections(credentials);
  return {
    conduct,
    dialect: conduct.dialectOf(
      [...frames, ...result === null ? [] : [result]],
      credentials.sessionId,
    ),
    toolList: frames.find(isList) ?? null,
    isOpenToAll: rejections.length > 0 && await isAuthenticationOff(target, rejections),
  };
}

/** All cases, made for one session. */
export function casesFor(
  { workload }: ScenarioContext,
  { conduct, dialect, toolList }: Server,
  credentials: Credentials,
): ConductCase[] {
  return conduct.cases({ ...credentials, ...workload(), dialect, toolList });
}

/** The call that is to be served after a case. */
function lastCall(
  { target, workload }: ScenarioContext,
  { conduct, credentials }: { conduct: Conduct; credentials: Credentials },
): { id: string; text: string } {
  const id = conduct.id(credentials.sessionId, LAST_CALL);
  const { tool, argsJson } = workload();
  return { id, text: target.options.protocol.encodeCall(id, tool, argsJson) };
}

/** Tries the case of that name in a session of its own. */
export async function say(
  context: ScenarioContext,
  { server, name, patienceMs }: { server: Server; name: string; patienceMs: number },
): Promise<{
  expected: readonly Answer[];
  better: readonly Answer[];
  seen: SeenAnswer;
  /** The same without secrets, to be shown. */
  masked: SeenAnswer;
  answerNs: number | null;
  limited: string | null;
}> {
  const { conduct } = server;
  const { protocol } = context.target.options;
  const credentials = context.target.newCredentials();
  const one = casesFor(context, server, credentials).find((made) => made.name === name)!;
  const { foreign } = context.target;
  // Judged as they came, and shown without secrets.
  const shown = (frames: readonly string[], mask: (frame: string) => string = (frame) => frame) =>
    frames.filter((frame) => {
      const read = protocol.classify(frame);
      if (read.kind === "notification") return isEcho(read, one.send ?? []);
      return one.withProgress || read.kind !== "progress";
    }).map((frame) => conduct.shorten(mask(frame), credentials.sessionId));
  const { frames, close, result, answerNs, limited } = await exchange(context.target, {
    credentials,
    inSession: one.inSession,
    send: one.send ?? [],
    last: lastCall(context, { conduct, credentials }),
    isEnough: (soFar, end) => isEnough(one, { frames: shown(soFar), close: end }),
    patienceMs,
  });
  context.signal.throwIfAborted();
  const end = { close, served: result !== null };
  return {
    expected: one.expected,
    better: one.better ?? [],
    seen: { frames: shown(frames), ...end },
    masked: { frames: shown(frames, (frame) => maskFrame(frame, foreign)), ...end },
    answerNs,
    limited,
  };
}

/** The frame with its strings masked: as text, it has them escaped once more. */
function maskFrame(frame: string, foreign: ForeignText): string {
  const masked = (_key: string, value: unknown) =>
    typeof value === "string" ? foreign(value, Infinity) : value;
  try {
    return JSON.stringify(JSON.parse(frame), masked);
  } catch {
    return foreign(frame, Infinity); // No JSON, or too deep.
  }
}

/** Is it a right answer, or one that waiting for more cannot make right? */
function isEnough({ expected }: ConductCase, seen: Answer): boolean {
  const most = Math.max(...expected.map(({ frames }) => frames.length));
  const mayClose = expected.some(({ close }) => close !== null);
  return expected.some((answer) => answerMatches(answer, seen)) ||
    (!mayClose && most > 0 && seen.frames.length >= most);
}
