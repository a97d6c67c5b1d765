import type { Arrivals } from "../lib/load/schedule.ts";
import type { Case, CaseScenario } from "../lib/run/scenario.ts";
import { lengths, ONE_CLIENT, THROUGHPUT, TIMES } from "../lib/run/scenario.ts";
import { judgeSchedule } from "../lib/run/schedule_checks.ts";

const COMMON = {
  /** Total over all connections. */
  ratePerSecond: 500,
  connections: 5,
  arrivals: "constant" as Arrivals,
  /** `null`: rate x timeout. */
  maxOutstanding: null as number | null,
  /** Ramps of the rate; `null`: the rate is constant. */
  stages: null as string | null,
  payloadBytes: 0,
};

export const openLoop: CaseScenario<typeof COMMON> = {
  kind: "cases",
  name: "open-loop",
  question: "How long do calls at a given arrival rate take, whether or not the server keeps up?",
  metrics: { latency: TIMES, serviceTime: TIMES, slip: TIMES, throughput: THROUGHPUT },
  headline: { metric: "latency" },
  gates: [{ metric: "latency", statistics: ["p50", "p95", "p99"] }],
  profiles: ["thorough"],
  takes: () => ({ slices: 1 }),
  sharding: "rate",
  paced: true,
  defaults: lengths(COMMON, { quick: 300, standard: 500, thorough: 1000, phase2: 100 }),

  begin({ parameters: { connections: clients, ratePerSecond, arrivals, maxOutstanding, stages } }) {
    const one: Case = { ...ONE_CLIENT, clients, ratePerSecond, arrivals, maxOutstanding, stages };
    return {
      cases: [one],
      derive(derivation) {
        const result = derivation.calls(one);
        if (result === null) return;
        const slip = result.slip!;
        derivation.adopt("serviceTime", result.serviceTime!);
        derivation.adopt("slip", slip);
        judgeSchedule(derivation, { runs: result.open, latency: result.latency, slip });
      },
    };
  },
};
