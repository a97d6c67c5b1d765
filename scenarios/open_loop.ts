import { type Arrivals } from "../lib/load/schedule.ts";
import {
  type Case,
  type CaseLength,
  type CaseScenario,
  ONE_CLIENT,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { judgeSchedule, scheduleOf } from "../lib/run/schedule_checks.ts";

/** The length is that of one epoch; a count is of each connection. */
interface OpenLoopParameters extends CaseLength {
  /** Of all connections together. */
  ratePerSecond: number;
  connections: number;
  arrivals: Arrivals;
  /** `null`: rate x timeout. */
  maxOutstanding: number | null;
  /** Ramps of the rate, in its place; `null`: it stays. */
  stages: string | null;
  payloadBytes: number;
}

const COMMON = {
  ratePerSecond: 500,
  connections: 5,
  arrivals: "constant",
  maxOutstanding: null,
  stages: null,
  messages: null,
  payloadBytes: 0,
} as const;

export const openLoop: CaseScenario<OpenLoopParameters> = {
  kind: "cases",
  name: "open-loop",
  title: "Open loop",
  question: "How long do calls take that come at a given rate, whether or not the server keeps up?",
  metrics: { latency: TIMES, serviceTime: TIMES, slip: TIMES, throughput: THROUGHPUT },
  headline: { metric: "latency" },
  gates: [{ metric: "latency", statistics: ["p50", "p95", "p99"] }],
  profiles: ["thorough"],
  takes: () => ({ slices: 1 }),
  sharding: "rate",
  paced: true,
  defaults: {
    quick: { ...COMMON, durationMs: 300 },
    standard: { ...COMMON, durationMs: 500 },
    thorough: { ...COMMON, durationMs: 1000 },
    phase2: { ...COMMON, durationMs: null, messages: 100 },
  },

  begin({ parameters: { connections: clients, ratePerSecond, arrivals, maxOutstanding, stages } }) {
    const one: Case = { ...ONE_CLIENT, clients, ratePerSecond, arrivals, maxOutstanding, stages };
    return {
      cases: [one],
      derive(derivation) {
        const result = derivation.calls(one);
        if (result === null) return;
        derivation.adopt("serviceTime", result.serviceTime!);
        derivation.adopt("slip", result.slip!);
        judgeSchedule(derivation, scheduleOf(result));
      },
    };
  },
};
