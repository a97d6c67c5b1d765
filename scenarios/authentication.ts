import type { RejectionCase } from "../lib/protocols/protocol.ts";
import { ConnectError } from "../lib/client/connect_error.ts";
import { isAuthenticationOff, probeRejection, type Rejection } from "../lib/client/rejection.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  LIGHT_PROFILES,
  type Parameters,
  type Scenario,
  type ScenarioContext,
  TIMES,
} from "../lib/run/scenario.ts";

interface AuthenticationParameters extends Parameters {
  /** Good sessions opened in each round. */
  accepts: number;
  /** How long to wait for the server to give up on a silent client; 0 leaves that check out. */
  noHelloWaitMs: number;
}

type Context = ScenarioContext<AuthenticationParameters>;

export const authentication: Scenario<AuthenticationParameters> = {
  name: "authentication",
  question: "Who is let in, who is turned away and how, and how fast is either decided?",
  metrics: {
    accept: TIMES,
    reject: TIMES,
  },
  profiles: LIGHT_PROFILES,
  defaults: {
    quick: { rounds: 5, accepts: 2, noHelloWaitMs: 0 },
    standard: { rounds: 10, accepts: 5, noHelloWaitMs: 20_000 },
    thorough: { rounds: 20, accepts: 10, noHelloWaitMs: 20_000 },
    phase2: { rounds: 5, accepts: 1, noHelloWaitMs: 20_000 },
  },

  async run(context) {
    const { target } = context;
    const cases = target.options.protocol.rejections(target.newCredentials());
    if (cases.length === 0) {
      const reason = `the ${target.options.protocol.name} protocol has no authentication`;
      return { status: "skipped", reason };
    }
    if (await isAuthenticationOff(target, cases)) {
      return { status: "skipped", reason: "authentication is off: the server accepts any token" };
    }
    const silent = cases.filter(({ first }) => first === null);
    const silence = Promise.all(silent.map((one) => checkSilentClient(context, one)));
    const [seen] = await Promise.allSettled([
      measureRounds(context, cases.filter(({ first }) => first !== null)),
      silence, // Waited for whatever happens: its connection must not reach into the next scenario.
    ]);
    if (seen.status === "rejected") throw seen.reason;
    await silence;
    for (const [{ name, expected }, rejections] of seen.value) {
      checkRejections(context, { name, expected, rejections });
    }
    return { status: "measured" };
  },
};

/** Each round: some good sessions, then every kind of bad one. */
async function measureRounds(
  context: Context,
  cases: readonly RejectionCase[],
): Promise<Map<RejectionCase, Rejection[]>> {
  const { target, workload, parameters: { rounds, accepts } } = context;
  const accept = context.distribution("accept");
  const reject = context.distribution("reject");
  const seen = new Map(cases.map((one) => [one, [] as Rejection[]]));
  const { tool, argsJson } = workload();
  const then = target.options.protocol.encodeCall(
    `${target.newCredentials().sessionId}-0`,
    tool,
    argsJson,
  );
  let accepted = 0;
  let failure = "";
  await context.watched(() =>
    forEachRound(context, {
      recorders: [accept, reject],
      round: async () => {
        for (let index = 0; index < accepts; index++) {
          try {
            await using connection = await target.connect(context.ledger);
            accept.record(connection.timing.authenticateNs);
            accepted++;
          } catch (error) {
            if (!(error instanceof ConnectError)) throw error;
            failure ||= ` (${error.message})`;
          }
        }
        for (const [{ first }, rejections] of seen) {
          const before = rejections.at(-1);
          // One that was not turned away once has failed: waiting for it again tells nothing new.
          if (before !== undefined && before.close === null) continue;
          const rejection = await turnAway(context, { first, then });
          rejections.push(rejection);
          if (rejection.close !== null) reject.record(rejection.elapsedNs);
        }
      },
    })
  );
  context.check({
    name: "valid token accepted",
    passed: accepted === rounds * accepts,
    expected: `${rounds * accepts} of ${rounds * accepts}`,
    observed: `${accepted} of ${rounds * accepts}${failure}`,
  });
  return seen;
}

/** A code that no close frame has: the connection was cut. */
const NO_CLOSE_FRAME = 0;

/**
 * Sees a bad opening turned away, with a call right behind it. A server that closes with the call unread
 * resets the TCP connection, which may take its close frame along: then it is asked again, without the call.
 */
async function turnAway(
  { target }: Context,
  { first, then }: { first: string | null; then: string },
): Promise<Rejection> {
  const rejection = await probeRejection(target, { first, then });
  if (rejection.close?.code !== NO_CLOSE_FRAME) return rejection;
  const again = await probeRejection(target, { first });
  return { ...again, results: rejection.results + again.results };
}

/** A client that never says hello; beside the other checks, as it takes the server's whole patience. */
async function checkSilentClient(context: Context, silent: RejectionCase): Promise<void> {
  const { target, parameters: { noHelloWaitMs } } = context;
  if (noHelloWaitMs === 0) {
    return context.notMeasured(
      `${silent.name} turned away`,
      "it takes the server's whole hello timeout (15 s by default): see the standard profile",
    );
  }
  const rejection = await probeRejection(target, { first: null, patienceMs: noHelloWaitMs });
  if (context.signal.aborted) return;
  checkRejections(context, { ...silent, rejections: [rejection] });
}

/** Every rejection must be one of those expected, and none may come with a result. */
function checkRejections(
  context: Context,
  { name, expected, rejections }: Omit<RejectionCase, "first"> & { rejections: Rejection[] },
): void {
  const asExpected = (rejection: Rejection) =>
    rejection.results === 0 &&
    expected.some(({ code, reasons }) =>
      rejection.close?.code === code && reasons.includes(rejection.close.reason)
    );
  const surprise = rejections.find((rejection) => !asExpected(rejection));
  context.check({
    name: `${name} turned away`,
    passed: rejections.length > 0 && surprise === undefined,
    expected: `no result, close ${
      expected.map(({ code, reasons }) => `${code} ${reasons.filter(Boolean).join(" or ")}`.trim())
        .join(", or ")
    }`,
    observed: describe(surprise ?? rejections[0]) +
      (rejections.length > 1 && surprise === undefined ? `, ${rejections.length} times` : ""),
  });
}

function describe(rejection: Rejection | undefined): string {
  if (rejection === undefined) return "never tried";
  const results = rejection.results === 0 ? "no result" : `${rejection.results} results`;
  if (rejection.accepted) return `${results}, let in`;
  if (rejection.close === null) return `${results}, not closed`;
  return `${results}, close ${rejection.close.code} ${rejection.close.reason}`.trim();
}
