import type { Connection } from "../lib/client/connection.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  type Parameters,
  type RoundLength,
  type Scenario,
  type ScenarioContext,
  type ScenarioOutcome,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { describeOutcome, describeSize, SizeLimitSearch } from "../lib/run/size_limit.ts";
import { at, holdAgainstFloor, type Size } from "../lib/run/size_floor.ts";
import { runTogether } from "../lib/run/together.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import { addPayload } from "../lib/run/workload.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

/** The length is that of one size in one round. */
interface PayloadSizeParameters extends Parameters, RoundLength {
  /** This size alone; `null`: 64 B to 1 MiB, and then the server's limit. */
  payloadBytes: number | null;
  /** No request with a larger payload is sent. */
  highestBytes: number;
  /** Of all sizes together. */
  warmupMs: number;
}

type Context = ScenarioContext<PayloadSizeParameters>;

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const SIZES = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB];
/** Tried once each, to find the limit: few, as they are large. The last is over 32 MiB, a usual limit. */
const LARGER_SIZES = [4 * MIB, 16 * MIB, 33 * MIB];
const COMMON = { payloadBytes: null, highestBytes: 33 * MIB };

export const payloadSize: Scenario<PayloadSizeParameters> = {
  name: "payload-size",
  question: "What does the size of a request cost, and what becomes of one that is too large?",
  metrics: {
    "latency@N": TIMES,
    "rate@N": THROUGHPUT,
    "throughput@N": { kind: "scalar", unit: "bytes/s", better: "higher" },
    "floor@N": { ...THROUGHPUT, better: null },
    largestServed: { kind: "scalar", unit: "bytes", better: null },
    smallestRefused: { kind: "scalar", unit: "bytes", better: null },
  },
  profiles: ["thorough"],
  defaults: {
    quick: { ...COMMON, rounds: 5, warmupMs: 200, messages: null, durationMs: 50 },
    standard: { ...COMMON, rounds: 10, warmupMs: 500, messages: null, durationMs: 200 },
    thorough: { ...COMMON, rounds: 20, warmupMs: 2000, messages: null, durationMs: 300 },
    phase2: { ...COMMON, rounds: 5, warmupMs: 0, messages: 10, durationMs: null },
  },

  async run(context) {
    const { payloadBytes } = context.parameters;
    const { tool, argsJson } = addPayload(context.workload, 1)();
    const { protocol } = context.target.options;
    if (!protocol.encodeCall("0", tool, argsJson).includes(argsJson)) {
      return skipped(`a call of ${tool} carries no arguments: name another with --tool`);
    }
    if (payloadBytes === 0) return skipped("--payload 0 leaves no payload to measure");
    return payloadBytes === null
      ? await measureUpToLimit(context)
      : await measureOne(context, payloadBytes);
  },
};

function skipped(reason: string): ScenarioOutcome {
  return { status: "skipped", reason };
}

/** One size: the run's own calls have it already. */
async function measureOne(context: Context, payloadBytes: number): Promise<ScenarioOutcome> {
  await measureSizes(context, [{ payloadBytes, sized: (workload) => workload }]);
  context.notMeasured(
    "limit of a request's size",
    `--payload asks for ${describeSize(payloadBytes)} alone`,
  );
  return { status: "measured" };
}

/** The sizes that are served, and then, behind what is measured, those that may not be. */
async function measureUpToLimit(context: Context): Promise<ScenarioOutcome> {
  const isAllowed = (size: number) => size <= context.parameters.highestBytes;
  const left = [...SIZES, ...LARGER_SIZES].filter(isAllowed);
  const search = new SizeLimitSearch(context);
  const served: number[] = [];
  while (left.length > 0 && SIZES.includes(left[0]!)) {
    const size = left.shift()!;
    if (!await search.isServed(size)) break;
    served.push(size);
  }
  if (served.length === 0) {
    const outcome = search.firstRefusal;
    const said = outcome === null ? "refused for load" : describeOutcome(outcome);
    return skipped(
      `a payload of ${describeSize(SIZES[0]!)} is not served (${said}): ` +
        "name a tool that takes any argument with --tool",
    );
  }
  await measureSizes(
    context,
    served.map((payloadBytes) => ({
      payloadBytes,
      sized: (workload) => addPayload(workload, payloadBytes),
    })),
  );
  while (left.length > 0 && !search.isOver) await search.isServed(left.shift()!);
  search.record();
  return { status: "measured" };
}

interface Step extends Size {
  latency: DistributionRecorder;
  /** Calls per second, round by round. */
  rates: number[];
}

async function measureSizes(context: Context, sizes: readonly Size[]): Promise<void> {
  const steps = sizes.map((size): Step => ({
    ...size,
    latency: context.distribution(`latency@${size.payloadBytes}`, at(size)),
    rates: [],
  }));
  {
    await using connection = await context.target.connect(context.warmupLedger);
    for (const { sized } of steps) {
      await warmUp(context, {
        connections: [connection],
        durationMs: context.parameters.warmupMs / steps.length,
        workload: sized(context.workload),
      });
    }
    await context.watched(() => measureRounds(context, { steps, connection }));
  }
  await holdAgainstFloor(context, steps);
  checkAllMeasured(context, steps);
}

async function measureRounds(
  context: Context,
  { steps, connection }: { steps: readonly Step[]; connection: Connection },
): Promise<void> {
  await forEachRound(context, {
    recorders: steps.map(({ latency }) => latency),
    round: async (index) => {
      // Up in one round and down in the next, so that what drifts favours no size.
      for (const step of index % 2 === 0 ? steps : steps.toReversed()) {
        const { ratePerSecond, complete } = await runTogether(context, {
          connections: [connection],
          latency: step.latency,
          workload: step.sized(context.workload),
        });
        context.signal.throwIfAborted();
        // What was cut short has no throughput.
        if (!complete) return "stop";
        step.rates.push(ratePerSecond);
        const { payloadBytes } = step;
        context.scalar(`rate@${payloadBytes}`, ratePerSecond, at(step));
        context.scalar(`throughput@${payloadBytes}`, ratePerSecond * payloadBytes, at(step));
      }
    },
  });
}

function checkAllMeasured(context: Context, steps: readonly Step[]): void {
  const wanted = steps.length * context.parameters.rounds;
  const measured = steps.reduce((sum, { rates }) => sum + rates.length, 0);
  context.check({
    name: "every size measured in every round",
    passed: measured === wanted,
    expected: `${wanted} of ${wanted}`,
    observed: `${measured} of ${wanted}`,
  });
}
