import type { ConductCase } from "../lib/protocols/protocol.ts";
import { createPace } from "../lib/load/pace.ts";
import { describeExpected, describeSeen, isRight, type SeenAnswer } from "../lib/run/conduct.ts";
import { casesFor, lookAt, say, type Server } from "../lib/run/conduct_probe.ts";
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
    const server = await lookAt(context, { conduct, patienceMs: patience(context) });
    noteDialect(context, server);
    const cases = casesFor(context, {
      server,
      credentials: context.target.newCredentials(),
    });
    const isSilent = ({ send }: ConductCase) => send?.length === 0;
    const seen = await Promise.allSettled([
      context.watched(() =>
        checkCases(context, { server, cases: cases.filter((one) => !isSilent(one)) })
      ),
      // Waited for whatever happens: its connection must not reach into the next scenario.
      ...cases.filter(isSilent).map((one) => checkSilentClient(context, { server, one })),
    ]);
    const failed = seen.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    for (const { name, reason } of conduct.leftOut) context.notMeasured(name, reason);
    await serveOn(context);
    return { status: "measured" };
  },
};

function noteDialect(context: Context, { conduct, dialect }: Server): void {
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

/** Every case, one after the other, each on a connection of its own. */
async function checkCases(
  context: Context,
  { server, cases }: { server: Server; cases: readonly ConductCase[] },
): Promise<void> {
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
    const isAnswered = await checkCase(context, { server, name, answer });
    if (isAnswered !== null) silentInRow = isAnswered ? 0 : silentInRow + 1;
  }
  context.progress(cases.length, cases.length);
}

/**
 * One case in every round; the first surprise counts. Tells whether the server gave any sign of life;
 * `null`: it was not asked.
 */
async function checkCase(
  context: Context,
  { server, name, answer }: { server: Server; name: string; answer: DistributionRecorder },
): Promise<boolean | null> {
  const { target, parameters: { rounds } } = context;
  for (let round = 1;; round++) {
    const credentials = target.newCredentials();
    const one = casesFor(context, { server, credentials }).find((made) => made.name === name)!;
    const obstacle = obstacleTo(one, server);
    if (obstacle !== null) {
      context.notMeasured(name, obstacle);
      return null;
    }
    const patienceMs = patience(context);
    const { seen, answerNs, limited } = await say(context, {
      server,
      one,
      credentials,
      patienceMs,
    });
    if (limited !== null) {
      context.notMeasured(name, `the server's rate limiter refused it: ${limited}`);
      return true;
    }
    if (answerNs !== null) answer.record(answerNs);
    if (round < rounds && isRight(one.expected, seen)) continue;
    recordCheck(context, one, seen);
    return answerNs !== null || seen.served;
  }
}

/** Why a case cannot be tried on this server, `null` where it can. */
function obstacleTo({ send, needsToken }: ConductCase, { isOpenToAll }: Server): string | null {
  if (send === null) return "the server lists no tool that it could be tried with";
  return needsToken && isOpenToAll ? "authentication is off: the server accepts any token" : null;
}

function patience({ parameters, target }: Context): number {
  return Math.min(parameters.patienceMs, target.options.timeoutMs);
}

/** A client that never says hello; beside the other cases, as it takes the server's whole patience. */
async function checkSilentClient(
  context: Context,
  { server, one }: { server: Server; one: ConductCase },
): Promise<void> {
  const { noHelloWaitMs: patienceMs } = context.parameters;
  if (patienceMs === 0) {
    return context.notMeasured(
      one.name,
      "it takes the server's whole hello timeout (15 s by default): see the standard profile",
    );
  }
  const credentials = context.target.newCredentials();
  recordCheck(context, one, (await say(context, { server, one, credentials, patienceMs })).seen);
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
