import {
  type Case,
  type CaseScenario,
  lengths,
  LIGHT_PROFILES,
  ONE_CLIENT,
  ratios,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { jainIndex } from "../lib/stats/fairness.ts";

const COMMON = { connections: 5, inFlight: 1, payloadBytes: 0 };

export const concurrentConnections: CaseScenario<typeof COMMON> = {
  kind: "cases",
  name: "concurrent-connections",
  question: "How fast does the server answer several concurrent clients, compared with one?",
  metrics: {
    establish: TIMES,
    latency: TIMES,
    throughput: THROUGHPUT,
    speedup: { kind: "scalar", unit: "x", better: "higher" },
    fairness: { kind: "scalar", unit: "", better: "higher" },
  },
  headline: { metric: "throughput" },
  gates: [{ metric: "latency" }, { metric: "throughput" }],
  profiles: LIGHT_PROFILES,
  takes: () => ({ slices: 2 }),
  sharding: "connections",
  defaults: lengths(COMMON, { quick: 100, standard: 200, thorough: 400, phase2: 10 }),

  begin({ parameters: { connections: clients, inFlight }, place }) {
    const all: Case = { ...ONE_CLIENT, clients, inFlight };
    const alone: Case = { ...ONE_CLIENT, inFlight };
    const isShard = place.count > 1;
    const at = { clients, inFlight };
    return {
      cases: isShard ? [all] : [all, alone],
      floors: [all],
      establish: "establish",
      derive(derivation) {
        const result = derivation.calls(all, at);
        if (isShard) {
          derivation.notMeasured("speedup", "a shard's clients are never alone with the server");
          derivation.notMeasured("fairness", "a shard sees only the rates of its own clients");
        } else if (result !== null) {
          derivation.estimate("speedup", ratios(result.rates, derivation.of(alone)?.rates ?? []));
          const fairness = result.clientRates.map((shares) =>
            shares?.some((share) => share > 0) ? jainIndex(shares) : null
          );
          derivation.estimate("fairness", fairness, { at });
        }
      },
    };
  },
};
