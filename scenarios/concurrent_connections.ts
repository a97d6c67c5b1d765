import {
  type Case,
  type CaseLength,
  type CaseScenario,
  LIGHT_PROFILES,
  ONE_CLIENT,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { jainIndex } from "../lib/stats/fairness.ts";

/** The length is that of one epoch. */
interface ConcurrentConnectionsParameters extends CaseLength {
  connections: number;
  /** Calls in flight on each connection. */
  inFlight: number;
  payloadBytes: number;
}

const COMMON = { connections: 5, inFlight: 1, payloadBytes: 0 };

export const concurrentConnections: CaseScenario<ConcurrentConnectionsParameters> = {
  kind: "cases",
  name: "concurrent-connections",
  title: "Concurrent connections",
  question: "What do several clients at once get, and what do they gain over one?",
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
  defaults: {
    quick: { ...COMMON, messages: null, durationMs: 100 },
    standard: { ...COMMON, messages: null, durationMs: 200 },
    thorough: { ...COMMON, messages: null, durationMs: 400 },
    phase2: { ...COMMON, messages: 10, durationMs: null },
  },

  begin({ parameters: { connections: clients, inFlight }, place }) {
    const all: Case = { ...ONE_CLIENT, clients, inFlight };
    const alone: Case = { ...ONE_CLIENT, inFlight };
    // The clients of one shard are never alone with the server.
    const isShard = place.count > 1;
    const at = { clients, inFlight };
    return {
      cases: isShard ? [all] : [all, alone],
      floors: [all],
      establish: "establish",
      derive(derivation) {
        const result = derivation.calls(all, at);
        if (isShard) {
          derivation.notMeasured(
            "speedup",
            "the clients of a shard are never alone with the server",
          );
          derivation.notMeasured("fairness", "a shard sees only the rates of its own clients");
        }
        if (result === null || isShard) return;
        const rates = derivation.of(alone)?.rates ?? [];
        derivation.estimate(
          "speedup",
          result.rates.map((rate, epoch) =>
            rate === null || !rates[epoch] ? null : rate / rates[epoch]!
          ),
        );
        derivation.estimate(
          "fairness",
          result.clientRates.map((shares) =>
            shares?.some((share) => share > 0) ? jainIndex(shares) : null
          ),
          { at },
        );
      },
    };
  },
};
