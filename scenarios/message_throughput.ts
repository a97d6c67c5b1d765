import {
  type CaseScenario,
  lengths,
  LIGHT_PROFILES,
  ONE_CLIENT,
  ratios,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { createInProcess } from "../lib/run/in_process.ts";
import { batchedRig, UNIT_CASE, UNIT_LAYER } from "../lib/run/unit_baseline.ts";

const COMMON = { payloadBytes: 0 };

export const messageThroughput: CaseScenario<typeof COMMON> = {
  kind: "cases",
  name: "message-throughput",
  question: "How fast does the server answer one client that sends one call at a time?",
  metrics: {
    latency: TIMES,
    throughput: THROUGHPUT,
    unitFactor: { kind: "scalar", unit: "x", better: "lower" },
  },
  headline: { metric: "latency" },
  gates: [{ metric: "latency", statistics: ["p5", "p50", "p99"] }],
  profiles: LIGHT_PROFILES,
  takes: () => ({ slices: 3 }),
  defaults: lengths(COMMON, { quick: 100, standard: 200, thorough: 400, phase2: 100 }),

  begin({ bundled, target, workload, clock }) {
    return {
      cases: bundled === null ? [ONE_CLIENT] : [ONE_CLIENT, UNIT_CASE],
      floors: [ONE_CLIENT],
      openRigs() {
        if (bundled === null) return Promise.resolve(new Map());
        const { protocol } = target.options;
        const { dispatch } = createInProcess(protocol, { message: workload(), reply: [] });
        return Promise.resolve(new Map([[UNIT_LAYER, batchedRig(dispatch, { clock })]]));
      },
      derive(derivation) {
        const result = derivation.calls(ONE_CLIENT);
        const unit = derivation.of(UNIT_CASE);
        if (result === null || unit === null) return;
        derivation.estimate("unitFactor", ratios(result.medians, unit.medians));
      },
    };
  },
};
