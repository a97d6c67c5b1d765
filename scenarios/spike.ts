import { openPaced } from "../lib/run/paced_load.ts";
import { type Procedure, type ScenarioContext, TIMES } from "../lib/run/scenario.ts";
import { judgeClient } from "../lib/run/schedule_checks.ts";

const STANDARD = {
  /** Total over all connections, before and after the spike. */
  ratePerSecond: 250,
  /** Rate in the spike as a multiple of that. */
  spikeFactor: 5,
  /** Of the spike. The time before is at least twice as long, the time after four times. */
  durationMs: 2_000,
  connections: 5,
  /** `null`: spike rate x timeout. */
  maxOutstanding: null as number | null,
  payloadBytes: 0,
};

type Context = ScenarioContext<typeof STANDARD>;

interface DueCall {
  dueNs: number;
  /** Infinite if the call failed. */
  latencyNs: number;
}

/** Warm-up. */
const LEAD_IN_MS = 500;
/** Calls before the spike that a p99 needs, and the maximum time for them. */
const CALLS_BEFORE = 1_050;
const LONGEST_BEFORE_MS = 60_000;
const PHASES = ["before", "spike", "after"];
/** Recovered means within this multiple of the p99 before the spike. */
const AS_BEFORE = 1.25;
/** Consecutive calls that must have recovered, and exceptions among them: a p99. */
const IN_A_ROW = 100;
const MAY_BE_OVER = 1;
/** Points of the curve over time. */
const INTERVALS = 120;

export const spike: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "spike",
  question: "What does a load spike do to latency, and how soon does it recover?",
  metrics: {
    recovery: { kind: "scalar", unit: "ns", better: "lower", merge: "max" },
    lost: { kind: "scalar", unit: "calls", better: "lower", merge: "sum" },
    latency: TIMES,
    latencyOverTime: TIMES,
    slip: TIMES,
  },
  headline: { metric: "recovery" },
  gates: [{ metric: "recovery" }],
  profiles: ["thorough"],
  takes(parameters) {
    const { beforeMs, afterMs } = partsOf(parameters);
    return { onceMs: LEAD_IN_MS + beforeMs + parameters.durationMs + afterMs };
  },
  sharding: "rate",
  overloads: true,
  paced: true,
  // It has its own lead-in.
  warmsUp: false,
  defaults: { quick: { ...STANDARD, durationMs: 500 }, standard: STANDARD },
  // An epoch, not `conclude`, because shards begin epochs together.
  begin: (context) => ({ epoch: () => run(context) }),
};

function partsOf({ durationMs, ratePerSecond }: typeof STANDARD) {
  const forP99Ms = Math.min(LONGEST_BEFORE_MS, CALLS_BEFORE / ratePerSecond * 1e3);
  const beforeMs = Math.max(2 * durationMs, forP99Ms);
  return { beforeMs, afterMs: Math.max(4 * durationMs, beforeMs) };
}

async function run(context: Context): Promise<"stop"> {
  const { parameters } = context;
  const { ratePerSecond, spikeFactor, durationMs } = parameters;
  const { beforeMs, afterMs } = partsOf(parameters);
  const peakPerSecond = ratePerSecond * spikeFactor;
  const steps = [
    { level: ratePerSecond, durationMs: LEAD_IN_MS + beforeMs },
    { level: peakPerSecond, durationMs },
    { level: ratePerSecond, durationMs: afterMs },
  ];
  await using load = await openPaced(context);
  if (load === null) return "stop";
  const calls: (DueCall & { isAnswered: boolean })[] = [];
  const latencies = PHASES.map((phase) => context.distribution("latency", { at: { phase } }));
  const slip = context.distribution("slip");
  const result = await load.run({
    ...{ ratePerSecond, peakPerSecond, leadInMs: LEAD_IN_MS, durationMs: null },
    stages: steps.flatMap((step) => [{ ...step, durationMs: 0 }, step]),
    onCall({ status, sentNs, endedNs }, dueNs) {
      slip.record(sentNs - dueNs);
      const latencyNs = status === "ok" ? endedNs - dueNs : Infinity;
      const isAnswered = status !== "timeout" && status !== "connectionLost";
      calls.push({ dueNs, latencyNs, isAnswered });
    },
    onDropped: (dueNs) => calls.push({ dueNs, latencyNs: Infinity, isAnswered: false }),
  });
  calls.sort((a, b) => a.dueNs - b.dueNs);
  const spikeNs = result.startNs + beforeMs * 1e6;
  const endNs = spikeNs + durationMs * 1e6;
  const before = calls.filter(({ dueNs }) => dueNs < spikeNs);
  const during = calls.filter(({ dueNs }) => dueNs >= spikeNs && dueNs < endNs);
  const after = calls.filter(({ dueNs }) => dueNs >= endNs);
  const series = {
    startNs: result.startNs,
    intervalMs: (beforeMs + durationMs + afterMs) / INTERVALS,
  };
  const timeoutNs = context.target.options.timeoutMs * 1e6;
  const recordTimes = (times: ReturnType<Context["distribution"]>, some: typeof calls) => {
    for (const { dueNs, latencyNs } of some) {
      if (latencyNs < Infinity) times.record(latencyNs, dueNs);
    }
    times.censor(some.filter(({ isAnswered }) => !isAnswered).length, timeoutNs);
  };
  for (const [nth, some] of [before, during, after].entries()) recordTimes(latencies[nth]!, some);
  recordTimes(context.distribution("latencyOverTime", { series }), calls);
  context.scalar("lost", calls.filter(({ latencyNs }) => latencyNs === Infinity).length);
  const isWhole = result.end === "complete";
  const limitNs = AS_BEFORE * p99Of(before);
  const recovered = isWhole && limitNs < Infinity ? recoveredNs(after, limitNs) : null;
  if (recovered !== null) context.scalar("recovery", Math.max(0, recovered - endNs));
  const limitMs = Number((limitNs / 1e6).toPrecision(3));
  const why = !isWhole
    ? result.end === "silent" ? "the server stopped answering" : "every connection was lost"
    : limitNs === Infinity
    ? "over 1 % of the calls before the spike failed"
    : `p99 did not return to ${limitMs} ms, ${AS_BEFORE} times its value before the spike, ` +
      `within ${afterMs / 1e3} s`;
  context.tally({
    kind: "recovered",
    name: "the p99 is as before the spike",
    why: recovered === null ? why : null,
  });
  judgeClient(context, { latency: latencies[0]!, slip });
  return "stop";
}

/** The p99 in nanoseconds by nearest rank, however few the calls; 0 if there are none. */
export function p99Of(calls: readonly DueCall[]): number {
  const times = calls.map(({ latencyNs }) => latencyNs).sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.99) - 1] ?? 0;
}

/**
 * When the p99 is within the limit again: the due time of the first call that starts 100
 * consecutive ones (or all, if there are fewer) of which at most one exceeds the limit; `null`:
 * never.
 *
 * @param calls in the order of their due times
 */
export function recoveredNs(calls: readonly DueCall[], limitNs: number): number | null {
  const isOver = ({ latencyNs }: DueCall) => latencyNs > limitNs;
  const length = Math.min(IN_A_ROW, calls.length);
  const first = calls.slice(0, calls.length - length + 1).find((call, nth) =>
    !isOver(call) && calls.slice(nth, nth + length).filter(isOver).length <= MAY_BE_OVER
  );
  return first?.dueNs ?? null;
}
