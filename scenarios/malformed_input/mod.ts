import type { ForeignText } from "../../lib/client/foreign_text.ts";
import { isAuthenticationOff } from "../../lib/client/rejection.ts";
import { SILENCE_LIMIT } from "../../lib/load/closed.ts";
import { createPace } from "../../lib/load/pace.ts";
import type { Answer, Conduct, ConductCase, Credentials } from "../../lib/protocols/protocol.ts";
import { describeClose } from "../../lib/run/describe_end.ts";
import { type Procedure, type ScenarioContext, TIMES } from "../../lib/run/scenario.ts";
import { exchange, isEcho } from "./exchange.ts";

const STANDARD = {
  /** Timeout of an answer; the target's timeout if that is shorter. */
  patienceMs: 10_000,
  /** How long the server can take to drop a client that sends no hello; 0 skips that check. */
  noHelloWaitMs: 20_000,
};

type Context = ScenarioContext<typeof STANDARD>;

interface Server {
  conduct: Conduct;
  /** The build whose answers it gives; `null`: unknown. */
  dialect: string | null;
  toolList: string | null;
  isOpenToAll: boolean;
}

/** Numbers of the requests that belong to no case. */
const LAST_CALL = 90;
const LIST_TOOLS = 91;
/** Ends an expected frame that is only a prefix. */
const AND_SO_ON = "…";
const SERVED = "a call is served after it";

export const malformedInput: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "malformed-input",
  question: "Does the server answer malformed messages as specified, and keep serving?",
  metrics: { answer: TIMES },
  headline: { metric: "answer" },
  profiles: ["thorough"],
  takes: ({ noHelloWaitMs }) => ({ onceMs: Math.min(noHelloWaitMs, 15_000) + 1_000 }),
  defaults: { quick: { patienceMs: 2_000, noHelloWaitMs: 0 }, standard: STANDARD },

  begin(context) {
    const { target } = context;
    const { conduct, name } = target.options.protocol;
    if (conduct === null) {
      return { skipped: `no malformed messages are defined for the ${name} protocol` };
    }
    for (const left of conduct.leftOut) context.notMeasured(left.name, left.reason);
    return {
      async conclude() {
        const server = await lookAt(context, conduct);
        const cases = casesFor(context, server, target.newCredentials());
        const namesOf = (some: ConductCase[]) => some.map(({ name }) => name);
        const checked = await Promise.allSettled([
          checkInTurn(context, server, namesOf(cases.filter((one) => !isSilent(one)))),
          // Runs alongside: it takes the server's full hello timeout.
          ...namesOf(cases.filter(isSilent)).map((name) => checkCase(context, server, name)),
        ]);
        for (const one of checked) if (one.status === "rejected") throw one.reason;
        // The only call that a ledger counts.
        await using connection = await target.connect(context.ledger);
        await connection.call(context.workload());
      },
    };
  },
};

function patience({ parameters, target }: Context): number {
  return Math.min(parameters.patienceMs, target.options.timeoutMs);
}

/** True for the client that never says hello. */
function isSilent({ send }: ConductCase): boolean {
  return send?.length === 0;
}

/** Opens a session, lists the tools and calls one, to identify the build by its answers. */
async function lookAt(context: Context, conduct: Conduct): Promise<Server> {
  const { target } = context;
  const { protocol } = target.options;
  const { dialects } = conduct;
  const credentials = target.newCredentials();
  const { sessionId } = credentials;
  const request = protocol.encodeListTools(conduct.id(sessionId, LIST_TOOLS));
  const isList = (frame: string) => protocol.readTools(frame) !== null;
  // If builds differ, the answer to the opening counts too.
  const opening = dialects.length === 0 ? [] : protocol.open(credentials).send;
  const { frames, result } = await exchange(target, {
    credentials,
    inSession: opening.length === 0,
    send: [...opening, ...request === null ? [] : [request]],
    last: lastCall(context, conduct, sessionId),
    isEnough: (soFar) => soFar.some(isList),
    patienceMs: patience(context),
  });
  context.signal.throwIfAborted();
  const rejections = protocol.rejections(credentials);
  const isOpenToAll = rejections.length > 0 && await isAuthenticationOff(target, rejections);
  const dialect = conduct.dialectOf([...frames, ...result === null ? [] : [result]], sessionId);
  if (dialects.length > 0) {
    const message = dialect === null
      ? `the server's replies do not identify its build (${dialects.join(", ")}), so those of ` +
        "any build are accepted"
      : `the server behaves like build "${dialect}", so its replies are checked against that build`;
    context.note({ kind: "dialect", message, dialect });
  }
  return { conduct, dialect, toolList: frames.find(isList) ?? null, isOpenToAll };
}

function casesFor(
  { workload }: Context,
  { conduct, dialect, toolList }: Server,
  credentials: Credentials,
): ConductCase[] {
  return conduct.cases({ ...credentials, ...workload(), dialect, toolList });
}

/** The call that must be served after a case. */
function lastCall({ target, workload }: Context, conduct: Conduct, sessionId: string) {
  const id = conduct.id(sessionId, LAST_CALL);
  const { tool, argsJson } = workload();
  return { id, text: target.options.protocol.encodeCall(id, tool, argsJson) };
}

async function checkInTurn(
  context: Context,
  server: Server,
  names: readonly string[],
): Promise<void> {
  const pace = createPace(context);
  let silentInRow = 0;
  for (const [index, name] of names.entries()) {
    context.progress(index, names.length);
    if (silentInRow === SILENCE_LIMIT) {
      context.notMeasured(name, `the ${SILENCE_LIMIT} cases before it got no answer`);
      continue;
    }
    await pace();
    const isAnswered = await checkCase(context, server, name);
    if (isAnswered !== null) silentInRow = isAnswered ? 0 : silentInRow + 1;
  }
  context.progress(names.length, names.length);
}

/** Returns true if the server answered in any way, `null` if the case cannot be tried. */
async function checkCase(context: Context, server: Server, name: string): Promise<boolean | null> {
  const { conduct } = server;
  const { target, parameters: { noHelloWaitMs } } = context;
  const { protocol } = target.options;
  const credentials = target.newCredentials();
  const { sessionId } = credentials;
  const one = casesFor(context, server, credentials).find((made) => made.name === name)!;
  const { expected, better = [], inSession } = one;
  const send = one.send ?? [];
  const obstacle = obstacleTo(context, server, one);
  if (obstacle !== null) {
    context.notMeasured(name, obstacle);
    return null;
  }
  // Frames are judged unmasked and displayed masked.
  const shown = (frames: readonly string[], mask: (frame: string) => string = (frame) => frame) =>
    frames.filter((frame) => {
      const read = protocol.classify(frame);
      if (read.kind === "notification") return isEcho(read, send);
      return one.withProgress || read.kind !== "progress";
    }).map((frame) => conduct.shorten(mask(frame), sessionId));
  const most = Math.max(...expected.map(({ frames }) => frames.length));
  const mayClose = expected.some(({ close }) => close !== null);
  const { frames, close, result, answerNs, limited } = await exchange(target, {
    ...{ credentials, inSession, send },
    last: lastCall(context, conduct, sessionId),
    // Either right already, or so long that more frames cannot make it right.
    isEnough(soFar, end) {
      const seen = { frames: shown(soFar), close: end };
      return expected.some((answer) => answerMatches(answer, seen)) ||
        (!mayClose && most > 0 && seen.frames.length >= most);
    },
    patienceMs: isSilent(one) ? noHelloWaitMs : patience(context),
  });
  context.signal.throwIfAborted();
  if (limited !== null) {
    context.notMeasured(name, `the server's rate limiter refused it: ${limited}`);
    return true;
  }
  if (answerNs !== null && !isSilent(one)) context.distribution("answer").record(answerNs);
  const seen = { frames: shown(frames), close, served: result !== null };
  const masked = shown(frames, (frame) => maskFrame(frame, target.foreign));
  const observed = describeSeen({ ...seen, frames: masked });
  const isExpected = isRight(expected, seen);
  const isBetter = !isExpected && isRight(better, seen);
  if (isBetter) {
    const message = `${name}: differs from the server's build, but is no worse: ${observed}`;
    context.note({ kind: "betterThanBuild", message, name });
  }
  const passed = isExpected || isBetter;
  context.check({ kind: "conduct", name, passed, expected: describeExpected(expected), observed });
  return answerNs !== null || seen.served;
}

/** Why a case cannot be tried on this server; `null`: it can. */
function obstacleTo(
  { parameters: { noHelloWaitMs } }: Context,
  { isOpenToAll }: Server,
  one: ConductCase,
): string | null {
  if (one.send === null) return "the server lists no tool to try it with";
  if (isSilent(one) && noHelloWaitMs === 0) {
    return "takes the server's full hello timeout (15 s by default): use the standard profile";
  }
  return one.needsToken && isOpenToAll
    ? "authentication is off: the server accepts any token"
    : null;
}

/** Masks the strings of a frame before they are escaped as JSON. */
function maskFrame(frame: string, foreign: ForeignText): string {
  const masked = (_key: string, value: unknown) =>
    typeof value === "string" ? foreign(value, Infinity) : value;
  try {
    return JSON.stringify(JSON.parse(frame), masked);
  } catch {
    return foreign(frame, Infinity); // Not JSON, or nested too deeply.
  }
}

/** An answer that was received. */
export interface SeenAnswer extends Answer {
  /** True if the connection served a call afterwards. */
  served: boolean;
}

function frameMatches(expected: string, seen: string): boolean {
  return expected.endsWith(AND_SO_ON)
    ? seen.startsWith(expected.slice(0, -AND_SO_ON.length))
    : seen === expected;
}

/** Compares frames and close only, not the call afterwards. */
export function answerMatches(expected: Answer, seen: Answer): boolean {
  const { frames, close } = expected;
  return frames.length === seen.frames.length &&
    frames.every((frame, index) => frameMatches(frame, seen.frames[index]!)) &&
    close?.code === seen.close?.code && close?.reason === seen.close?.reason;
}

/** True for an expected answer after which the connection is closed or serves a call. */
export function isRight(expected: readonly Answer[], seen: SeenAnswer): boolean {
  return expected.some((answer) => answerMatches(answer, seen)) &&
    (seen.close !== null || seen.served);
}

/** Describes expected answers, grouped by how they end. */
export function describeExpected(expected: readonly Answer[]): string {
  const byEnd = Map.groupBy(
    expected,
    ({ close }) => close === null ? SERVED : describeClose(close),
  );
  return [...byEnd].map(([end, alike]) => {
    const frames = new Set(alike.map((answer) => describeFrames(answer.frames)));
    return `${[...frames].join(" or ")}; ${end}`;
  }).join(" — or ");
}

/** Describes a received answer in the same form. */
export function describeSeen({ frames, close, served }: SeenAnswer): string {
  const open = served ? SERVED : "a call after it is not served";
  return `${describeFrames(frames)}; ${close === null ? open : describeClose(close)}`;
}

function describeFrames(frames: readonly string[]): string {
  return frames.length === 0 ? "no frame" : frames.map((frame) => `[${frame}]`).join(" ");
}
