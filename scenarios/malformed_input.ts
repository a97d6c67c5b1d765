import type { Conduct, ConductCase, Credentials } from "../lib/contract.ts";
import { createPace } from "../lib/load/pace.ts";
import { type Exchange, exchange } from "../lib/net/exchange.ts";
import { isAuthenticationOff } from "../lib/net/rejection.ts";
import {
  answerMatches,
  describeExpected,
  describeSeen,
  isRight,
  type SeenAnswer,
} from "../lib/run/conduct.ts";
import {
  type Parameters,
  type Scenario,
  type ScenarioContext,
  TIMES,
} from "../lib/run/scenario.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

interface MalformedInputParameters extends Parameters {
  /** How long to wait for an answer that should come; the target's timeout, if that is less. */
  patienceMs: number;
  /** How long to wait for the server to give up on a silent client; 0 leaves that check out. */
  noHelloWaitMs: number;
}

type Context = ScenarioContext<MalformedInputParameters>;

/** So many cases in a row without any answer: the server has gone silent. */
const SILENCE_LIMIT = 3;
/** The numbers of the requests that belong to no case. */
const LAST_CALL = 90;
const LIST_TOOLS = 91;

const COMMON = { rounds: 1, patienceMs: 10_000, noHelloWaitMs: 20_000 };

export const malformedInput: Scenario<MalformedInputParameters> = {
  name: "malformed-input",
  question: "Does the server answer bad messages as its protocol says, and serve on?",
  metrics: {
    answer: TIMES,
  },
  profiles: ["thorough"],
  defaults: {
    quick: { rounds: 1, patienceMs: 2_000, noHelloWaitMs: 0 },
    standard: COMMON,
    thorough: COMMON,
    phase2: COMMON,
  },

  async run(context) {
    const { protocol } = context.target.options;
    const { conduct } = protocol;
    if (conduct === null) {
      return { status: "skipped", reason: `the ${protocol.name} protocol knows no bad messages` };
    }
    const server = await lookAt(context, conduct);
    noteDialect(server);
    const cases = casesFor(server, context.target.newCredentials());
    const isSilent = ({ send }: ConductCase) => send?.length === 0;
    const seen = await Promise.allSettled([
      context.watched(() => checkCases(server, cases.filter((one) => !isSilent(one)))),
      // Waited for whatever happens: its connection must not reach into the next scenario.
      ...cases.filter(isSilent).map((one) => checkSilentClient(server, one)),
    ]);
    const failed = seen.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    for (const { name, reason } of conduct.leftOut) context.notMeasured(name, reason);
    await serveOn(context);
    return { status: "measured" };
  },
};

/** What the cases are made from and judged by. */
interface Server {
  context: Context;
  conduct: Conduct;
  /** `null`: not known. */
  dialect: string | null;
  toolList: string | null;
  isOpenToAll: boolean;
}

/** Asks the server for its tools and calls one, to know which build it is. */
async function lookAt(context: Context, conduct: Conduct): Promise<Server> {
  const { target } = context;
  const { protocol } = target.options;
  const credentials = target.newCredentials();
  const request = protocol.encodeListTools(conduct.id(credentials.sessionId, LIST_TOOLS));
  const isList = (frame: string) => protocol.readToolNames(frame) !== null;
  const { frames, result } = await exchange(target, {
    credentials,
    inSession: true,
    send: request === null ? [] : [request],
    last: lastCall(context, { conduct, credentials }),
    isEnough: (soFar) => soFar.some(isList),
    patienceMs: patience(context),
  });
  context.signal.throwIfAborted();
  const rejections = protocol.rejections(credentials);
  return {
    context,
    conduct,
    dialect: result === null ? null : conduct.dialectOf(result),
    toolList: frames.find(isList) ?? null,
    isOpenToAll: rejections.length > 0 && await isAuthenticationOff(target, rejections),
  };
}

function noteDialect({ context, conduct, dialect }: Server): void {
  if (conduct.dialects.length === 0) return;
  const { dialects } = conduct;
  context.note(
    dialect === null
      ? `the server was recognised as none of the builds ${
        dialects.join(", ")
      }: what either answers is right`
      : `the server answers as the build ${dialect} does, and is held to that`,
  );
}

function casesFor({ context, conduct, dialect, toolList }: Server, credentials: Credentials) {
  return conduct.cases({ ...credentials, ...context.workload(), dialect, toolList });
}

function patience({ parameters, target }: Context): number {
  return Math.min(parameters.patienceMs, target.options.timeoutMs);
}

/** The call that is to be served behind a case. */
function lastCall(
  { target, workload }: Context,
  { conduct, credentials }: { conduct: Conduct; credentials: Credentials },
): { id: string; text: string } {
  const id = conduct.id(credentials.sessionId, LAST_CALL);
  const { tool, argsJson } = workload();
  return { id, text: target.options.protocol.encodeCall(id, tool, argsJson) };
}

/** Every case, one after the other, each on a connection of its own. */
async function checkCases(server: Server, cases: readonly ConductCase[]): Promise<void> {
  const { context } = server;
  const answer = context.distribution("answer");
  const pace = createPace(context);
  let silentInRow = 0;
  for (const [index, { name }] of cases.entries()) {
    context.progress(index, cases.length);
    if (silentInRow === SILENCE_LIMIT) {
      context.notMeasured(name, `none of the ${SILENCE_LIMIT} before was answered`);
      continue;
    }
    await pace();
    const isAnswered = await checkCase(server, { name, answer });
    if (isAnswered !== null) silentInRow = isAnswered ? 0 : silentInRow + 1;
  }
  context.progress(cases.length, cases.length);
}

/**
 * One case in every round; the first surprise counts. Tells whether the server said anything; `null`:
 * it was not asked.
 */
async function checkCase(
  server: Server,
  { name, answer }: { name: string; answer: DistributionRecorder },
): Promise<boolean | null> {
  const { context, isOpenToAll } = server;
  let last: { seen: SeenAnswer; one: ConductCase; answerNs: number | null } | null = null;
  for (let round = 0; round < context.parameters.rounds; round++) {
    const credentials = context.target.newCredentials();
    const one = casesFor(server, credentials).find((made) => made.name === name)!;
    if (one.send === null) {
      context.notMeasured(name, "the server lists no tool that it could be tried with");
      return null;
    }
    if (one.needsToken && isOpenToAll) {
      context.notMeasured(name, "authentication is off: the server accepts any token");
      return null;
    }
    const result = await say(server, { one, credentials, patienceMs: patience(context) });
    if (result.limited !== null) {
      context.notMeasured(name, `the server's rate limiter refused it: ${result.limited}`);
      return true;
    }
    if (result.answerNs !== null) answer.record(result.answerNs);
    last = { seen: result.seen, one, answerNs: result.answerNs };
    if (!isRight(one.expected, result.seen)) break;
  }
  if (last === null) return null;
  recordCheck(context, last.one, last.seen);
  return last.answerNs !== null;
}

/** A client that never says hello; beside the other cases, as it takes the server's whole patience. */
async function checkSilentClient(server: Server, one: ConductCase): Promise<void> {
  const { context } = server;
  const { noHelloWaitMs: patienceMs } = context.parameters;
  if (patienceMs === 0) {
    return context.notMeasured(
      one.name,
      "it takes the server's whole hello timeout (15 s by default): see the standard profile",
    );
  }
  const credentials = context.target.newCredentials();
  recordCheck(context, one, (await say(server, { one, credentials, patienceMs })).seen);
}

/** Makes a case and sees what the server makes of it. */
async function say(
  server: Server,
  { one, credentials, patienceMs }: {
    one: ConductCase;
    credentials: Credentials;
    patienceMs: number;
  },
): Promise<{ seen: SeenAnswer; answerNs: number | null; limited: string | null }> {
  const { context, conduct } = server;
  const { protocol } = context.target.options;
  const shown = (frames: readonly string[]) =>
    frames.filter((frame) => {
      const { kind } = protocol.classify(frame);
      return kind !== "notification" && (one.withProgress || kind !== "progress");
    }).map((frame) => conduct.shorten(frame, credentials.sessionId));
  const seen = await exchange(context.target, {
    credentials,
    inSession: one.inSession,
    send: one.send ?? [],
    last: lastCall(context, { conduct, credentials }),
    isEnough: (frames, close) =>
      one.expected.some((answer) => answerMatches(answer, { frames: shown(frames), close })),
    patienceMs,
  });
  context.signal.throwIfAborted();
  return {
    seen: { frames: shown(seen.frames), close: seen.close, served: seen.result !== null },
    answerNs: seen.answerNs,
    limited: refusalIn(seen, context),
  };
}

/** The words of a refusal for load among the frames, `null` where there is none. */
function refusalIn({ frames }: Exchange, { target }: Context): string | null {
  for (const text of frames) {
    const frame = target.options.protocol.classify(text);
    if (frame.kind === "rateLimited") return frame.message;
  }
  return null;
}

function recordCheck(context: Context, { name, expected }: ConductCase, seen: SeenAnswer): void {
  context.check({
    name,
    passed: isRight(expected, seen),
    expected: describeExpected(expected),
    observed: describeSeen(seen),
  });
}

/** A new session and its call, the only one that is in the ledger. */
async function serveOn({ target, ledger, workload }: Context): Promise<void> {
  await using connection = await target.connect(ledger);
  await connection.call(workload());
}
