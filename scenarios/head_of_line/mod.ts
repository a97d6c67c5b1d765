import { areRelayed, type HeavyTool } from "../../lib/run/heavy_tools.ts";
import { noteRelayed } from "../../lib/run/note_relay.ts";
import { HEAVY_CALL_MS } from "../../lib/run/planned_time.ts";
import { type Procedure, TIMES } from "../../lib/run/scenario.ts";
import { type CheapCallParameters, CheapCalls, PLACES } from "./cheap_calls.ts";

const COMMON = { ratePerSecond: 50, maxCheapCalls: 500 };

export const headOfLine: Procedure<CheapCallParameters> = {
  kind: "procedure",
  name: "head-of-line",
  title: "Head-of-line blocking",
  question: "How much longer does a cheap call take while the server works on a heavy one?",
  metrics: {
    alone: TIMES,
    cheap: TIMES,
    heavy: TIMES,
    interference: { kind: "scalar", unit: "x", better: "lower" },
  },
  headline: { metric: "interference", at: { place: "otherConnection" } },
  // Not on the same connection: that replies come in order there is the protocol's choice.
  gates: [
    { metric: "interference", at: { place: "otherConnection" } },
    { metric: "interference", at: { place: "otherAddress" } },
  ],
  profiles: ["thorough", "phase3"],
  takes: ({ durationMs }) => ({ epochMs: durationMs + HEAVY_CALL_MS / 2 }),
  defaults: {
    quick: { ...COMMON, durationMs: 500 },
    standard: { ...COMMON, durationMs: 1000 },
  },
  paced: true,
  // Each heavy call may cost money.
  warmsUp: false,
  heavyCalls: () => PLACES.length,

  begin(context) {
    const { heavyTools } = context;
    if (heavyTools.status === "refused") return { skipped: heavyTools.reason };
    const { tool: cheap } = context.workload();
    if (heavyTools.tools.some((heavy) => heavy.tool === cheap)) {
      return { skipped: `its cheap calls would be of ${cheap}, a heavy tool: name a light --tool` };
    }
    const heavy = firstOf(heavyTools.tools);
    noteRelayed(context, areRelayed(context.target, [heavy]) ? "its calls" : null);
    const calls = new CheapCalls(context, heavy);
    return {
      epoch: () => calls.measureEpoch(),
      conclude: () => Promise.resolve(calls.conclude()),
    };
  },
};

function firstOf([first]: readonly HeavyTool[]): HeavyTool {
  if (first === undefined) throw new Error("Cannot make heavy calls as no heavy tool is named");
  return first;
}
