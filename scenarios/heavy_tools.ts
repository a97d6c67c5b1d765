import { type HeavyToolsParameters, HeavyWork, plannedCalls } from "../lib/run/heavy_work.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import { type Scenario, THROUGHPUT, TIMES } from "../lib/run/scenario.ts";
import { openSessions } from "../lib/run/sessions.ts";

export const heavyTools: Scenario<HeavyToolsParameters> = {
  name: "heavy-tools",
  question: "How long do tools take that do real work, and how many of their calls go at once?",
  metrics: {
    "latency.TOOL": TIMES,
    "firstProgress.TOOL": TIMES,
    "concurrentLatency.TOOL": TIMES,
    "cached.TOOL": { kind: "distribution", unit: "ns", better: null },
    latencyAlone: TIMES,
    latency: TIMES,
    throughputAlone: THROUGHPUT,
    throughput: THROUGHPUT,
    speedup: { kind: "scalar", unit: "x", better: "higher" },
  },
  profiles: ["phase3"],
  defaults: {
    quick: { rounds: 1, connections: 5, messages: null },
    standard: { rounds: 5, connections: 5, messages: null },
  },
  heavyCalls: plannedCalls,

  async run(context) {
    const granted = context.heavyTools;
    if (granted.status === "refused") return { status: "skipped", reason: granted.reason };
    const { tools, uniqueSeed } = granted;
    await using opened = new AsyncDisposableStack();
    const { connections: count } = context.parameters;
    const connections = await openSessions(context, { count, stack: opened });
    if (connections === null) return { status: "measured" };
    // No warm-up: each of these calls may cost money.
    for (const connection of connections) connection.useLedger(context.ledger);
    const work = new HeavyWork(context, { tools, connections });
    await context.watched(() =>
      forEachRound(context, {
        recorders: work.recorders,
        round: (index) => work.measureRound(index),
      })
    );
    work.conclude();
    if (tools.some(({ argsJson }) => argsJson.includes("{unique}"))) {
      context.note(`{unique} comes from --seed ${uniqueSeed}: the same seed makes the same calls`);
    }
    return { status: "measured" };
  },
};
