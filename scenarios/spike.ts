import { openPaced } from "../lib/run/paced_load.ts";
import { type Procedure, type ScenarioContext, TIMES } from "../lib/run/scenario.ts";
import { judgeSchedule } from "../lib/run/schedule_checks.ts";

const STANDARD = {
  /** Before and after the spike, of all connections together. */
  ratePerSecond: 250,
  /** How many times that it is in the spike. */
  spikeFactor: 5,
  /** Of the spike; before it at least twice, after it at least four times as long. */
  durationMs: 2_000,
  connections: 5,
  /** `null`: the rate of the spike x timeout. */
  maxOutstanding: null as number | null,
  payloadBytes: 0,
};

type Context = ScenarioContext<typeof STANDARD>;

/** A call by when it was due; of one that failed the latency is infinite. Nanoseconds. */
interface DueCall {
  dueNs: number;
  latencyNs: number;
}

/** Counts as warm-up. */
const LEAD_IN_MS = 500;
/** Before the spike a p99 is wanted, which takes so many calls, within this time. */
const CALLS_BEFORE = 1_050;
const LONGEST_BEFORE_MS = 60_000;
const PHASES = ["before", "spike", "after"];
/** As before is what is within so many times the p99 before. */
const AS_BEFORE = 1.25;
/** So many calls in a row are as before, but for this many of them: a p99. */
const IN_A_ROW = 100;
const MAY_BE_OVER = 1;
/** Points over time. */
const INTERVALS = 120;

export const spike: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "spike",
  question: "What does a spike of load do to the latency, and how soon is it as before?",
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
  // It has a lead-in of its own.
  warmsUp: false,
  defaults: { quick: { ...STANDARD, durationMs: 500 }, standard: STANDARD },
  // Once, as the first epoch, which shards begin together.
  begin: (context) => ({ epoch: () => run(context) }),
};

/** Its parts in milliseconds. */
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
  const failed = calls.filter(({ latencyNs }) => latencyNs === Infinity).length;
  context.scalar("lost", failed + result.dropped);
  const isWhole = result.end === "complete";
  const limitNs = AS_BEFORE * p99Of(before);
  const recovered = isWhole && limitNs < Infinity ? recoveredNs(after, limitNs) : null;
  if (recovered !== null) context.scalar("recovery", Math.max(0, recovered - endNs));
  const why = !isWhole
    ? "every connection was lost, or the server fell silent"
    : limitNs === Infinity
    ? "over 1 % of the calls before it failed already"
    : `not within ${afterMs / 1e3} s did it come back to ${(limitNs / 1e6).toFixed(1)} ms`;
  context.tally({
    kind: "recovered",
    name: "the p99 is as before the spike",
    why: recovered === null ? why : null,
  });
  // Slots that were dropped are lost calls, and no failure.
  judgeSchedule({ check() {}, invalidate: context.invalidate }, {
    runs: [],
    latencyP99Ns: before.length === 0 ? null : p99Of(before),
    slipP99Ns: slip.percentile(99),
  });
  return "stop";
}

/** The p99 of so many calls, in nanoseconds, by nearest rank however few; 0 of none. */
export function p99Of(calls: readonly DueCall[]): number {
  const times = calls.map(({ latencyNs }) => latencyNs).sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.99) - 1] ?? 0;
}

/**
 * When the p99 is within a limit again: the due time of the first call from which on 100 in a row, but for one,
 * are within it, or as many as there are left where the end is near; `null`: it never is.
 *
 * @param calls in the order in which they were due
 */
export function recoveredNs(calls: readonly DueCall[], limitNs: number): number | null {
  const isOver = (nth: number) => calls[nth]!.latencyNs > limitNs ? 1 : 0;
  const length = Math.min(IN_A_ROW, calls.length);
  let over = 0;
  for (let nth = 0; nth < length; nth++) over += isOver(nth);
  for (let first = 0; first + length <= calls.length && length > 0; first++) {
    if (over <= MAY_BE_OVER && !isOver(first)) return calls[first]!.dueNs;
    over -= isOver(first);
    if (first + length < calls.length) over += isOver(first + length);
  }
  return null;
}
