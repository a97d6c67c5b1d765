import type { CaseScenario } from "../../lib/run/scenario.ts";
import { ONE_CLIENT, ratios, THROUGHPUT, TIMES } from "../../lib/run/scenario.ts";

const IN_FLIGHT = [1, 2];
const caseOf = (inFlight: number) => ({ ...ONE_CLIENT, inFlight });

/** An example for docs/architecture.md. */
export const secondCall: CaseScenario = {
  kind: "cases",
  name: "second-call",
  title: "A second call in flight",
  question: "What does a client gain by not waiting for each reply?",
  metrics: {
    latency: TIMES,
    throughput: THROUGHPUT,
    gain: { kind: "scalar", unit: "x", better: "higher" },
  },
  headline: { metric: "gain" },
  gates: [{ metric: "throughput", at: { inFlight: 2 } }],
  profiles: ["thorough"],
  defaults: { standard: { messages: null, durationMs: 200 } },

  begin() {
    return {
      cases: IN_FLIGHT.map(caseOf),
      derive(derivation) {
        const [one, two] = IN_FLIGHT.map((inFlight) =>
          derivation.calls(caseOf(inFlight), { inFlight })
        );
        if (one && two) derivation.estimate("gain", ratios(two.rates, one.rates));
      },
    };
  },
};
