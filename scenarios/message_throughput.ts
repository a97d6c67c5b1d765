import {
  type CaseLength,
  type CaseScenario,
  LIGHT_PROFILES,
  ONE_CLIENT,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { createInProcess } from "../lib/run/in_process.ts";
import { batchedRig, UNIT_CASE, UNIT_LAYER } from "../lib/run/unit_baseline.ts";

/** The length is that of one epoch. */
interface MessageThroughputParameters extends CaseLength {
  payloadBytes: number;
}

export const messageThroughput: CaseScenario<MessageThroughputParameters> = {
  kind: "cases",
  name: "message-throughput",
  title: "Message throughput",
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
  defaults: {
    quick: { messages: null, durationMs: 100, payloadBytes: 0 },
    standard: { messages: null, durationMs: 200, payloadBytes: 0 },
    thorough: { messages: null, durationMs: 400, payloadBytes: 0 },
    phase2: { messages: 100, durationMs: null, payloadBytes: 0 },
  },

  begin(context) {
    const { bundled, target, workload, clock } = context;
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
        derivation.estimate(
          "unitFactor",
          result.medians.map((median, epoch) => ratio(median, unit.medians[epoch])),
        );
      },
    };
  },
};

function ratio(over: number | null, under: number | null | undefined): number | null {
  return over === null || !under ? null : over / under;
}
