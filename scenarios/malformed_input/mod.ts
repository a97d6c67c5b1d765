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
        await checkConduct(context, conduct);
        // The only call that a ledger counts.
        await using connection = await target.connect(context.ledger);
        await connection.call(context.workload());
      },
    };
  },
};

/** True for the client that never says hello. */
function isSilent({ send }: ConductCase): boolean {
  return send?.length === 0;
}

/** Identifies the server's build, then checks its answer in every case. */
async function checkConduct(context: Context, conduct: Conduct): Promise<void> {
  const { target, workload, parameters: { noHelloWaitMs } } = context;
  const { protocol, timeoutMs } = target.options;
  const patienceMs = Math.min(context.parameters.patienceMs, timeoutMs);
  const { dialect, toolList } = await identify();
  const rejections = protocol.rejections(target.newCredentials());
  const isOpenToAll = rejections.length > 0 && await isAuthenticationOff(target, rejections);
  const cases = casesFor(target.newCredentials());
  const checked = await Promise.allSettled([
    checkInTurn(cases.filter((one) => !isSilent(one))),
    // Runs alongside: it takes the server's full hello timeout.
    ...cases.filter(isSilent).map(checkCase),
  ]);
  for (const one of checked) if (one.status === "rejected") throw one.reason;

  function casesFor(credentials: Credentials): ConductCase[] {
    return conduct.cases({ ...credentials, ...workload(), dialect, toolList });
  }

  /** The call that must be served after a case. */
  function lastCall(sessionId: string) {
    return { id: conduct.id(sessionId, LAST_CALL), ...workload() };
  }

  /** Opens a session, lists the tools and calls one, to identify the build by its answers. */
  async function identify() {
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
      last: lastCall(sessionId),
      patienceMs,
      isEnough: (soFar) => soFar.some(isList),
    });
    const dialect = conduct.dialectOf([...frames, ...result === null ? [] : [result]], sessionId);
    if (dialects.length > 0) {
      const message = dialect === null
        ? `the server's replies do not identify its build (${dialects.join(", ")}), so those of ` +
          "any build are accepted"
        : `the server behaves like build "${dialect}", so its replies are checked against that ` +
          "build";
      context.note({ kind: "dialect", message, dialect });
    }
    return { dialect, toolList: frames.find(isList) ?? null };
  }

  async function checkInTurn(cases: readonly ConductCase[]): Promise<void> {
    const pace = createPace(context);
    let silentInRow = 0;
    for (const [index, one] of cases.entries()) {
      context.progress(index, cases.length);
      if (silentInRow === SILENCE_LIMIT) {
        context.notMeasured(one.name, `the ${SILENCE_LIMIT} cases before it got no answer`);
        continue;
      }
      await pace();
      const isAnswered = await checkCase(one);
      if (isAnswered !== null) silentInRow = isAnswered ? 0 : silentInRow + 1;
    }
    context.progress(cases.length, cases.length);
  }

  /** Returns true if the server answered in any way, `null` if the case cannot be tried. */
  async function checkCase({ name }: ConductCase): Promise<boolean | null> {
    const credentials = target.newCredentials();
    // The same case for a session of its own.
    const one = casesFor(credentials).find((made) => made.name === name)!;
    const { expected, better = [], inSession } = one;
    const send = one.send ?? [];
    const obstacle = obstacleTo(one);
    if (obstacle !== null) {
      context.notMeasured(name, obstacle);
      return null;
    }
    const isMeant = (frame: string) => {
      const read = protocol.classify(frame);
      if (read.kind === "notification") return isEcho(read, send, protocol);
      return one.withProgress || read.kind !== "progress";
    };
    const shorten = (frame: string) => conduct.shorten(frame, credentials.sessionId);
    const most = Math.max(...expected.map(({ frames }) => frames.length));
    const mayClose = expected.some(({ close }) => close !== null);
    const { frames, close, result, answerNs, limited } = await exchange(target, {
      ...{ credentials, inSession, send },
      last: lastCall(credentials.sessionId),
      // Either right already, or so long that more frames cannot make it right.
      isEnough(soFar, end) {
        const seen = { frames: soFar.filter(isMeant).map(shorten), close: end };
        return expected.some((answer) => answerMatches(answer, seen)) ||
          (!mayClose && most > 0 && seen.frames.length >= most);
      },
      patienceMs: isSilent(one) ? noHelloWaitMs : patienceMs,
    });
    if (limited !== null) {
      context.notMeasured(name, `the server's rate limiter refused it: ${limited}`);
      return true;
    }
    if (answerNs !== null && !isSilent(one)) context.distribution("answer").record(answerNs);
    // Frames are judged unmasked and displayed masked.
    const meant = frames.filter(isMeant);
    const seen = { frames: meant.map(shorten), close, served: result !== null };
    const masked = meant.map((frame) => shorten(maskFrame(frame, target.foreign)));
    const observed = describeSeen({ ...seen, frames: masked });
    const isExpected = isRight(expected, seen);
    const isBetter = !isExpected && isRight(better, seen);
    if (isBetter) {
      const message = `${name}: differs from the server's build, but is no worse: ${observed}`;
      context.note({ kind: "betterThanBuild", message, name });
    }
    const passed = isExpected || isBetter;
    context.check({
      kind: "conduct",
      name,
      passed,
      expected: describeExpected(expected),
      observed,
    });
    return answerNs !== null || seen.served;
  }

  /** Why a case cannot be tried on this server; `null`: it can. */
  function obstacleTo(one: ConductCase): string | null {
    if (one.send === null) return "the server lists no tool to try it with";
    if (isSilent(one) && noHelloWaitMs === 0) {
      return "takes the server's full hello timeout (15 s by default): use the standard profile";
    }
    return one.needsToken && isOpenToAll
      ? "authentication is off: the server accepts any token"
      : null;
  }
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
