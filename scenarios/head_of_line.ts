import { type CheapCallParameters, Line, openLine, PLACES } from "../lib/run/cheap_calls.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import { type MetricSpec, type Scenario, TIMES } from "../lib/run/scenario.ts";

const RATIO: MetricSpec = { kind: "scalar", unit: "x", better: "lower" };
const COMMON = { ratePerSecond: 50, maxCheapCalls: 500 };

export const headOfLine: Scenario<CheapCallParameters> = {
  name: "head-of-line",
  question: "How much longer does a cheap call take while a heavy one is being worked on?",
  metrics: {
    alone: TIMES,
    sameConnection: TIMES,
    otherConnection: TIMES,
    otherAddress: TIMES,
    heavy: TIMES,
    // The order of a connection's replies is the protocol's, so that this one is no fault.
    "interference.sameConnection": { ...RATIO, better: null },
    "interference.otherConnection": RATIO,
    "interference.otherAddress": RATIO,
  },
  profiles: ["thorough", "phase3"],
  defaults: {
    quick: { ...COMMON, rounds: 2, durationMs: 500 },
    standard: { ...COMMON, rounds: 5, durationMs: 1000 },
  },
  heavyCalls: ({ rounds }) => rounds * PLACES.length,

  async run(context) {
    const { heavyTools } = context;
    if (heavyTools.status === "refused") return { status: "skipped", reason: heavyTools.reason };
    const { tool: cheap } = context.workload();
    if (heavyTools.tools.some((heavy) => heavy.tool === cheap)) {
      const reason = `its cheap calls would be of ${cheap}, a heavy tool: name a light --tool`;
      return { status: "skipped", reason };
    }
    await using opened = new AsyncDisposableStack();
    const tool = heavyTools.tools[0]!;
    const line = new Line(context, { tool, ...await openLine(context, { tool, opened }) });
    await context.watched(
      () =>
        forEachRound(context, {
          recorders: line.recorders,
          round: (index) => line.measureRound(index),
        }),
      { paced: true },
    );
    line.conclude();
    return { status: "measured" };
  },
};
