import { type CaseScenario, lengths, ONE_CLIENT, THROUGHPUT, TIMES } from "../lib/run/scenario.ts";

const DEPTHS = [1, 2, 4, 8, 16, 32, 64];
const COMMON = {
  /** Measures only this depth; `null`: 1, 2, 4 … 64. */
  inFlight: null as number | null,
  payloadBytes: 0,
};

const depthsOf = ({ inFlight }: typeof COMMON) => inFlight === null ? DEPTHS : [inFlight];

export const pipelining: CaseScenario<typeof COMMON> = {
  kind: "cases",
  name: "pipelining",
  question: "What does one client gain by sending calls before earlier ones are answered?",
  metrics: { throughput: THROUGHPUT, latency: TIMES },
  headline: (parameters) => ({
    metric: "throughput",
    at: { inFlight: depthsOf(parameters).at(-1)! },
  }),
  gates: [{ metric: "throughput" }, { metric: "latency", statistics: ["p50"] }],
  profiles: ["thorough"],
  takes: (parameters) => ({ slices: depthsOf(parameters).length }),
  defaults: lengths(COMMON, { quick: 50, standard: 100, thorough: 100, phase2: 100 }),

  begin({ parameters, target }) {
    const cases = depthsOf(parameters).map((inFlight) => ({ ...ONE_CLIENT, inFlight }));
    const { name: protocol } = target.options.protocol;
    return {
      cases,
      floors: [cases.at(-1)!],
      derive(derivation) {
        const results = cases.flatMap((one) =>
          derivation.calls(one, { inFlight: one.inFlight }) ?? []
        );
        const answered = results.reduce((sum, one) => sum + one.answered, 0);
        const outOfOrder = results.reduce((sum, one) => sum + one.outOfOrder, 0);
        const inOrder = `${answered} of ${answered} in order`;
        const observed = outOfOrder === 0 ? inOrder : `${outOfOrder} of ${answered} out of order`;
        const kind = "replyOrder";
        if (protocol === "exai") {
          const name = "replies keep the order of their calls";
          const passed = outOfOrder === 0;
          return derivation.check({ kind, name, passed, expected: inOrder, observed });
        }
        const message = `replies on one connection: ${observed}; the ${protocol} protocol ` +
          "guarantees no order";
        derivation.note({ kind, message, answered, outOfOrder });
      },
    };
  },
};
