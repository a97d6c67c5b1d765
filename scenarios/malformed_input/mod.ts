import { createPace } from "../../lib/load/pace.ts";
import type { ConductCase } from "../../lib/protocols/protocol.ts";
import {
  type Parameters,
  type Procedure,
  type ScenarioContext,
  TIMES,
} from "../../lib/run/scenario.ts";
import { describeExpected, describeSeen, isRight } from "./answers.ts";
import { casesFor, lookAt, say, type Server } from "./probe.ts";

interface MalformedInputParameters extends Parameters {
  /** How long to wait for an answer that should come; the target's timeout, if that is less. */
  patienceMs: number;
  /** How long to wait for the server to give up on a silent client; 0 leaves that check out. */
  noHelloWaitMs: number;
}

type Context = ScenarioContext<MalformedInputParameters>;

/** After so many cases in a row without any answer, the server is taken to have gone silent. */
const SILENCE_LIMIT = 3;

const COMMON = { patienceMs: 10_000, noHelloWaitMs: 20_000 };

export const malformedInput: Procedure<MalformedInputParameters> = {
  kind: "procedure",
  name: "malformed-input",
  title: "Malformed input",
  question: "Does the server answer bad messages as its protocol says, and serve on?",
  metrics: { answer: TIMES },
  headline: { metric: "answer" },
  gates: [],
  profiles: ["thorough"],
  takes: ({ noHelloWaitMs }) => ({ onceMs: Math.min(noHelloWaitMs, 15_000) + 1_000 }),
  defaults: {
    quick: { patienceMs: 2_000, noHelloWaitMs: 0 },
    standard: COMMON,
  },

  begin(context) {
    const { target } = context;
    const { conduct, name } = target.options.protocol;
    if (conduct === null) return { skipped: `the ${name} protocol knows no bad messages` };
    for (const left of conduct.leftOut) context.notMeasured(left.name, left.reason);
    return {
      async conclude() {
        const server = await lookAt(context, { conduct, patienceMs: patience(context) });
        noteDialect(context, server);
        const cases = casesFor(context, server, target.newCredentials());
        const checked = await Promise.allSettled([
          checkInTurn(context, server, cases.filter((one) => !isSilent(one))),
          // It takes the server's whole patience.
          ...cases.filter(isSilent).map((one) => checkCase(context, server, one)),
        ]);
        for (const one of checked) if (one.status === "rejected") throw one.reason;
        await serveOn(context);
      },
    };
  },
};

function patience({ parameters, target }: Context): number {
  return Math.min(parameters.patienceMs, target.options.timeoutMs);
}

/** Is it the client that never says hello? */
function isSilent({ send }: ConductCase): boolean {
  return send?.length === 0;
}

function noteDialect(context: Context, { conduct: { dialects }, dialect }: Server): void {
  if (dialects.length === 0) return;
  const message = dialect === null
    ? `the server's answers fit no one of the builds ${dialects.join(", ")}: it may answer as any`
    : `the server answers as the build ${dialect} does, and is held to that`;
  context.note({ kind: "dialect", message, dialect });
}

/** Each on a connection of its own. */
async function checkInTurn(
  context: Context,
  server: Server,
  cases: readonly ConductCase[],
): Promise<void> {
  const pace = createPace(context);
  let silentInRow = 0;
  for (const [index, one] of cases.entries()) {
    context.progress(index, cases.length);
    if (silentInRow === SILENCE_LIMIT) {
      context.notMeasured(one.name, `none of the ${SILENCE_LIMIT} before was answered`);
      continue;
    }
    await pace();
    const isAnswered = await checkCase(context, server, one);
    if (isAnswered !== null) silentInRow = isAnswered ? 0 : silentInRow + 1;
  }
  context.progress(cases.length, cases.length);
}

/** Returns whether the server gave any sign of life; `null`: it was not asked. */
async function checkCase(
  context: Context,
  server: Server,
  one: ConductCase,
): Promise<boolean | null> {
  const { name } = one;
  const obstacle = obstacleTo(context, server, one);
  if (obstacle !== null) {
    context.notMeasured(name, obstacle);
    return null;
  }
  const patienceMs = isSilent(one) ? context.parameters.noHelloWaitMs : patience(context);
  const { expected, better, seen, masked, answerNs, limited } = await say(context, {
    ...{ server, name, patienceMs },
  });
  if (limited !== null) {
    context.notMeasured(name, `the server's rate limiter refused it: ${limited}`);
    return true;
  }
  if (answerNs !== null && !isSilent(one)) context.distribution("answer").record(answerNs);
  const isExpected = isRight(expected, seen);
  const isBetter = !isExpected && isRight(better, seen);
  if (isBetter) {
    const message = `${name}: the server does other than its build, and no worse: ` +
      describeSeen(masked);
    context.note({ kind: "betterThanBuild", message, name });
  }
  context.check({
    kind: "conduct",
    name,
    passed: isExpected || isBetter,
    expected: describeExpected(expected),
    observed: describeSeen(masked),
  });
  return answerNs !== null || seen.served;
}

/** Why a case cannot be tried on this server, `null` where it can. */
function obstacleTo(
  { parameters: { noHelloWaitMs } }: Context,
  { isOpenToAll }: Server,
  one: ConductCase,
): string | null {
  if (one.send === null) return "the server lists no tool that it could be tried with";
  if (isSilent(one) && noHelloWaitMs === 0) {
    return "it takes the server's whole hello timeout (15 s by default): see the standard profile";
  }
  return one.needsToken && isOpenToAll
    ? "authentication is off: the server accepts any token"
    : null;
}

/** A new session and its call, the only one that is in the ledger. */
async function serveOn({ target, ledger, workload }: Context): Promise<void> {
  await using connection = await target.connect(ledger);
  await connection.call(workload());
}
