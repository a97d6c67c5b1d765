import { runOpenLoop } from "../../lib/load/open.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import { shareOf } from "../../lib/load/share.ts";
import type { Stage } from "../../lib/load/stages.ts";
import { ConnectionPool } from "../../lib/run/connection_pool.ts";
import {
  type Parameters,
  type Procedure,
  type ScenarioContext,
  TIMES,
} from "../../lib/run/scenario.ts";
import { judgeSchedule } from "../../lib/run/schedule_checks.ts";
import { type DueCall, p99Of, recoveredNs } from "./recovery.ts";

interface SpikeParameters extends Parameters {
  /** Before and after the spike, of all connections together. */
  ratePerSecond: number;
  /** How many times that it is in the spike. */
  spikeFactor: number;
  /** Of the spike; before it at least twice, after it at least four times as long. */
  durationMs: number;
  connections: number;
  /** `null`: the rate of the spike x timeout. */
  maxOutstanding: number | null;
  payloadBytes: number;
}

interface SpikeCall extends DueCall {
  isAnswered: boolean;
}

type Context = ScenarioContext<SpikeParameters>;

/** Counts as warm-up. */
const LEAD_IN_MS = 500;
/** Before the spike a p99 is wanted, which takes so many calls, within this time. */
const CALLS_BEFORE = 1_050;
const LONGEST_BEFORE_MS = 60_000;
const PHASES = ["before", "spike", "after"];
/** As before is what is within so many times the p99 before. */
const AS_BEFORE = 1.25;
/** Points over time. */
const INTERVALS = 120;

const COMMON = { ratePerSecond: 250, spikeFactor: 5, connections: 5, maxOutstanding: null };

export const spike: Procedure<SpikeParameters> = {
  kind: "procedure",
  name: "spike",
  title: "Spike",
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
  defaults: {
    quick: { ...COMMON, durationMs: 500, payloadBytes: 0 },
    standard: { ...COMMON, durationMs: 2_000, payloadBytes: 0 },
  },

  begin(context) {
    // Once, as the first epoch, which shards begin together.
    return {
      async epoch() {
        await run(context);
        return "stop";
      },
    };
  },
};

/** Its parts in milliseconds. */
function partsOf({ durationMs, ratePerSecond }: SpikeParameters) {
  const forP99Ms = Math.min(LONGEST_BEFORE_MS, CALLS_BEFORE / ratePerSecond * 1e3);
  const beforeMs = Math.max(2 * durationMs, forP99Ms);
  return { beforeMs, afterMs: Math.max(4 * durationMs, beforeMs) };
}

async function run(context: Context): Promise<void> {
  const { target, clock, place, signal, parameters, ledger, warmupLedger } = context;
  const { connections: count, ratePerSecond, spikeFactor, durationMs } = parameters;
  const { beforeMs, afterMs } = partsOf(parameters);
  await using pool = new ConnectionPool(target, warmupLedger);
  const most = shareOf(count, place);
  await pool.open([{ record: context, most, establish: null }]);
  if (pool.connections.length < most) return;
  const peakPerSecond = ratePerSecond * spikeFactor;
  const maxOutstanding = parameters.maxOutstanding ??
    Math.ceil(peakPerSecond * target.options.timeoutMs / 1e3);
  const calls: SpikeCall[] = [];
  const latencies = PHASES.map((phase) => context.distribution("latency", { at: { phase } }));
  const slip = context.distribution("slip");
  const steps: [rate: number, durationMs: number][] = [
    [ratePerSecond, LEAD_IN_MS + beforeMs],
    [peakPerSecond, durationMs],
    [ratePerSecond, afterMs],
  ];
  const result = await runOpenLoop(pool.connections, {
    message: context.workload,
    schedule: createSchedule({
      stages: steps.flatMap(([level, durationMs]): Stage[] => [
        { durationMs: 0, level },
        { durationMs, level },
      ]),
      ratePerSecond,
      arrivals: "constant",
      slots: null,
      durationMs: null,
      seed: context.seed,
      share: { connections: count, place },
    }),
    leadInNs: LEAD_IN_MS * 1e6,
    maxOutstanding: Math.max(1, shareOf(maxOutstanding, place)),
    ledger,
    warmupLedger,
    clock,
    pacer: await context.pacer(),
    signal,
    keepsTimes: false,
    onCall({ status, sentNs, endedNs }, dueNs, isMeasured) {
      if (!isMeasured) return;
      slip.record(sentNs - dueNs);
      calls.push({
        dueNs,
        latencyNs: status === "ok" ? endedNs - dueNs : Infinity,
        isAnswered: status !== "timeout" && status !== "connectionLost",
      });
    },
  });
  signal.throwIfAborted();
  calls.sort((a, b) => a.dueNs - b.dueNs);
  const spikeNs = result.startNs + beforeMs * 1e6;
  const endNs = spikeNs + durationMs * 1e6;
  const between = (fromNs: number, toNs: number) =>
    calls.filter(({ dueNs }) => dueNs >= fromNs && dueNs < toNs);
  const before = between(-Infinity, spikeNs);
  const after = between(endNs, Infinity);
  for (const [nth, some] of [before, between(spikeNs, endNs), after].entries()) {
    recordTimes(context, some, latencies[nth]!);
  }
  const series = {
    startNs: result.startNs,
    intervalMs: (beforeMs + durationMs + afterMs) / INTERVALS,
  };
  recordTimes(context, calls, context.distribution("latencyOverTime", { series }));
  context.scalar(
    "lost",
    calls.filter(({ latencyNs }) => latencyNs === Infinity).length + result.dropped,
  );
  const isWhole = result.end === "complete";
  const limitNs = AS_BEFORE * p99Of(before);
  const recovered = isWhole && limitNs < Infinity ? recoveredNs(after, limitNs) : null;
  if (recovered !== null) context.scalar("recovery", Math.max(0, recovered - endNs));
  context.tally({
    kind: "recovered",
    name: "the p99 is as before the spike",
    seen: recovered === null ? 0 : 1,
    wanted: 1,
    why: recovered === null ? describeLasting({ limitNs, afterMs, isWhole }) : null,
  });
  // Slots that were dropped are lost calls, and no failure.
  judgeSchedule({ check() {}, invalidate: context.invalidate }, {
    runs: [],
    latencyP99Ns: before.length === 0 ? null : p99Of(before),
    slipP99Ns: slip.percentile(99),
  });
}

function recordTimes(
  { target }: Context,
  calls: readonly SpikeCall[],
  times: ReturnType<Context["distribution"]>,
): void {
  const served = calls.filter(({ latencyNs }) => latencyNs < Infinity);
  for (const { dueNs, latencyNs } of served) times.record(latencyNs, dueNs);
  const unanswered = calls.filter(({ isAnswered }) => !isAnswered).length;
  if (unanswered > 0) times.censor(unanswered, target.options.timeoutMs * 1e6);
}

function describeLasting(
  { limitNs, afterMs, isWhole }: { limitNs: number; afterMs: number; isWhole: boolean },
): string {
  if (!isWhole) return "every connection was lost, or the server fell silent";
  return limitNs === Infinity
    ? "over 1 % of the calls before it failed already"
    : `not within ${afterMs / 1e3} s did it come back to ${(limitNs / 1e6).toFixed(1)} ms`;
}
