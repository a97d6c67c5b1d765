import { ConnectError } from "../lib/client/connect_error.ts";
import type { Connection } from "../lib/client/connection.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  type MetricSpec,
  type Parameters,
  type RoundLength,
  type Scenario,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { runTogether } from "../lib/run/together.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import { type ScalingSample, throughputAt } from "../lib/stats/scaling.ts";
import { judgeScaling, type ScalingVerdict } from "../lib/stats/scaling_verdict.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

/** The length is that of one number of clients in one round. */
interface ScalingParameters extends Parameters, RoundLength {
  /** The most clients at once, if the server does not refuse one before. */
  connections: number;
  warmupMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<ScalingParameters>;

const COMMON = { connections: 64, payloadBytes: 0 };
const COST: MetricSpec = { kind: "scalar", unit: "", better: "lower" };

export const scaling: Scenario<ScalingParameters> = {
  name: "scaling",
  question: "How does throughput grow with the number of clients, and what holds it back?",
  metrics: {
    "throughput@N": THROUGHPUT,
    "latency@N": TIMES,
    "efficiency@N": { kind: "scalar", unit: "", better: "higher" },
    "fitted@N": { ...THROUGHPUT, better: null },
    singleRate: THROUGHPUT,
    contention: COST,
    coherency: COST,
    rSquared: { kind: "scalar", unit: "", better: null },
    peakConcurrency: { kind: "scalar", unit: "connections", better: "higher" },
    peakThroughput: THROUGHPUT,
  },
  profiles: ["thorough"],
  defaults: {
    quick: { ...COMMON, rounds: 5, warmupMs: 200, messages: null, durationMs: 50 },
    standard: { ...COMMON, rounds: 10, warmupMs: 500, messages: null, durationMs: 200 },
    thorough: { ...COMMON, rounds: 20, warmupMs: 2000, messages: null, durationMs: 300 },
    phase2: { ...COMMON, rounds: 5, warmupMs: 0, messages: 10, durationMs: null },
  },

  async run(context) {
    const rounds: ScalingSample[][] = [];
    {
      await using stack = new AsyncDisposableStack();
      const connections = await openUpToLimit(context, stack);
      await warmUp(context, { connections, durationMs: context.parameters.warmupMs });
      const steps = stepsUpTo(connections.length).map((clients) => ({
        clients: connections.slice(0, clients),
        latency: context.distribution(`latency@${clients}`, { at: { connections: clients } }),
      }));
      await context.watched(() => measureRounds(context, { steps, rounds }));
      await context.measureFloor({
        connections: connections.length,
        metric: `throughput@${connections.length}`,
        round: async (floor, clients) => (await runTogether(floor, clients)).ratePerSecond,
      });
      checkAllMeasured(context, { wanted: steps.length, rounds });
    }
    recordLaw(context, rounds);
    return { status: "measured" };
  },
};

/**
 * The numbers of clients of a sweep: powers of two, the numbers in the middle between them, and the most
 * there are. 10 gives 1, 2, 3, 4, 6, 8, 10.
 */
export function stepsUpTo(most: number): number[] {
  const steps = new Set([1]);
  for (let power = 2; power <= most; power *= 2) {
    steps.add(power);
    if (power * 1.5 <= most) steps.add(power * 1.5);
  }
  return [...steps.add(most)];
}

/**
 * Opens one connection after the other, counting in the warm-up ledger; the stack closes them. A server that
 * refuses one for its limit ends the sweep there.
 *
 * @throws {ConnectError} if a connection fails in any other way, or already the first is refused
 */
async function openUpToLimit(
  context: Context,
  stack: AsyncDisposableStack,
): Promise<Connection[]> {
  const { target, warmupLedger, parameters: { connections: bound } } = context;
  const held: Connection[] = [];
  // All at once: each may have to wait for late replies, or for a server that does not answer a close.
  stack.defer(async () => {
    await Promise.allSettled(held.map((connection) => connection.close()));
  });
  while (held.length < bound) {
    try {
      held.push(await target.connect(warmupLedger));
    } catch (error) {
      context.signal.throwIfAborted();
      const isLimit = error instanceof ConnectError && error.failure === "connectionLimit";
      if (!isLimit || held.length === 0) throw error;
      context.note(`the sweep ends at ${held.length} clients at once: ${error.message}`);
      break;
    }
  }
  return held;
}

interface Step {
  clients: readonly Connection[];
  latency: DistributionRecorder;
}

async function measureRounds(
  context: Context,
  { steps, rounds }: { steps: readonly Step[]; rounds: ScalingSample[][] },
): Promise<void> {
  await forEachRound(context, {
    recorders: steps.map(({ latency }) => latency),
    round: async (index) => {
      const samples: ScalingSample[] = [];
      rounds.push(samples);
      // Up in one round and down in the next, so that what drifts favours no step.
      for (const { clients, latency } of index % 2 === 0 ? steps : steps.toReversed()) {
        const { ratePerSecond, complete } = await runTogether(context, {
          connections: clients,
          latency,
        });
        context.signal.throwIfAborted();
        // What was cut short has no throughput.
        if (!complete) return "stop";
        samples.push({ clients: clients.length, ratePerSecond });
        context.scalar(`throughput@${clients.length}`, ratePerSecond, at(clients.length));
      }
      recordEfficiency(context, samples);
    },
  });
}

/** Each client's throughput as a share of what one alone got in the same round. */
function recordEfficiency(context: Context, samples: readonly ScalingSample[]): void {
  const alone = samples.find(({ clients }) => clients === 1)?.ratePerSecond ?? 0;
  if (alone === 0) return;
  for (const { clients, ratePerSecond } of samples) {
    if (clients === 1) continue;
    context.scalar(`efficiency@${clients}`, ratePerSecond / (clients * alone), at(clients));
  }
}

function at(connections: number) {
  return { at: { connections } };
}

function checkAllMeasured(
  context: Context,
  { wanted, rounds }: { wanted: number; rounds: readonly ScalingSample[][] },
): void {
  const all = wanted * context.parameters.rounds;
  const seen = rounds.reduce((sum, { length }) => sum + length, 0);
  context.check({
    name: "every number of clients measured in every round",
    passed: seen === all,
    expected: `${all} of ${all}`,
    observed: `${seen} of ${all}`,
  });
}

const LAW = "scaling law";

/** Fits the law, and records no more than the rounds support. */
function recordLaw(context: Context, rounds: readonly ScalingSample[][]): void {
  const { maxRatePerSecond, seed } = context;
  if (maxRatePerSecond !== null) {
    return context.notMeasured(LAW, `--max-rate ${maxRatePerSecond} sets what each client sends`);
  }
  const verdict = judgeScaling(rounds, { seed });
  const { rSquared } = verdict;
  if (rSquared !== null) context.scalar("rSquared", rSquared, { ci95: null });
  if (verdict.status === "refused") context.notMeasured(LAW, verdict.reason);
  else recordFit(context, { ...verdict, steps: rounds[0]!.map(({ clients }) => clients) });
}

function recordFit(
  context: Context,
  { law, ci95, peak, steps }: Extract<ScalingVerdict, { status: "fitted" }> & { steps: number[] },
): void {
  context.scalar("singleRate", law.singleRatePerSecond, { ci95: ci95.singleRatePerSecond });
  context.scalar("contention", law.contention, { ci95: ci95.contention });
  context.scalar("coherency", law.coherency, { ci95: ci95.coherency });
  for (const clients of steps) {
    context.scalar(`fitted@${clients}`, throughputAt(law, clients), { ...at(clients), ci95: null });
  }
  if (peak.status === "beyond") return context.notMeasured("peak concurrency", peak.reason);
  context.scalar("peakConcurrency", peak.clients, { ci95: peak.ci95 });
  context.scalar("peakThroughput", peak.ratePerSecond, { ci95: null });
}
