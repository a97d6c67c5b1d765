import {
  type Case,
  type CaseLength,
  type CaseScenario,
  type Derivation,
  ONE_CLIENT,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";

/** The length is that of one depth in one epoch. */
interface PipeliningParameters extends CaseLength {
  /** This depth alone; `null`: 1, 2, 4 … 64. */
  inFlight: number | null;
  payloadBytes: number;
}

const DEPTHS = [1, 2, 4, 8, 16, 32, 64];
const COMMON = { inFlight: null, payloadBytes: 0 };

export const pipelining: CaseScenario<PipeliningParameters> = {
  kind: "cases",
  name: "pipelining",
  title: "Pipelining",
  question: "What does one client gain by sending calls before earlier ones are answered?",
  metrics: { throughput: THROUGHPUT, latency: TIMES },
  headline: (parameters) => ({
    metric: "throughput",
    at: { inFlight: depthsOf(parameters).at(-1)! },
  }),
  gates: [{ metric: "throughput" }, { metric: "latency", statistics: ["p50"] }],
  profiles: ["thorough"],
  takes: (parameters) => ({ slices: depthsOf(parameters).length }),
  defaults: {
    quick: { ...COMMON, messages: null, durationMs: 50 },
    standard: { ...COMMON, messages: null, durationMs: 100 },
    thorough: { ...COMMON, messages: null, durationMs: 100 },
    phase2: { ...COMMON, messages: 100, durationMs: null },
  },

  begin({ parameters, target }) {
    const cases = depthsOf(parameters).map((inFlight): Case => ({ ...ONE_CLIENT, inFlight }));
    const { name: protocol } = target.options.protocol;
    return {
      cases,
      floors: [cases.at(-1)!],
      derive(derivation) {
        for (const one of cases) derivation.calls(one, { inFlight: one.inFlight });
        judgeOrder(derivation, cases, protocol);
      },
    };
  },
};

function depthsOf({ inFlight }: Pick<PipeliningParameters, "inFlight">): readonly number[] {
  return inFlight === null ? DEPTHS : [inFlight];
}

/** EXAI answers the calls of a connection in order; other protocols may answer as they please. */
function judgeOrder(
  derivation: Derivation,
  cases: readonly Case[],
  protocol: string,
): void {
  const results = cases.flatMap((one) => derivation.of(one) ?? []);
  const answered = results.reduce((sum, one) => sum + one.answered, 0);
  const outOfOrder = results.reduce((sum, one) => sum + one.outOfOrder, 0);
  const observed = outOfOrder === 0
    ? `${answered} of ${answered} in order`
    : `${outOfOrder} of ${answered} out of order`;
  if (protocol !== "exai") {
    return derivation.note({
      kind: "replyOrder",
      message:
        `replies to the calls of one connection: ${observed}; the ${protocol} protocol promises neither`,
      answered,
      outOfOrder,
    });
  }
  derivation.check({
    kind: "replyOrder",
    name: "replies keep the order of their calls",
    passed: outOfOrder === 0,
    expected: `${answered} of ${answered} in order`,
    observed,
  });
}
