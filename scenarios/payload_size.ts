import type { Connection } from "../lib/net/connection.ts";
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
import { runTogether } from "../lib/run/together.ts";
import { CLIENT_BOUND_SHARE } from "../lib/run/validity.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import { addPayload, type Workload } from "../lib/run/workload.ts";
import { median } from "../lib/stats/rounds.ts";
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
/** A server that does nothing answers in a fraction of this, if the calls get to it at once. */
const HELD_BACK_MS = 10;
/** Of such a floor, a server that waits itself comes nowhere near this share. */
const HELD_BACK_SHARE = 0.5;
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

/** One size of a sweep. */
interface Size {
  payloadBytes: number;
  /** The calls of that size. */
  sized: (workload: Workload) => Workload;
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

/** The same loop against a server that does nothing, size by size, as the client does not take all alike. */
async function holdAgainstFloor(context: Context, steps: readonly Step[]): Promise<void> {
  const bound: { size: string; floorMs: number }[] = [];
  for (const step of steps) {
    if (step.rates.length === 0) continue;
    const floor = await context.floorOf({
      connections: 1,
      round: async (loop, { connections, latency }) => {
        const workload = step.sized(loop.workload);
        return (await runTogether(loop, { connections, latency, workload })).ratePerSecond;
      },
    });
    if (floor === null) return;
    context.scalar(`floor@${step.payloadBytes}`, floor.throughput, { ...at(step), ci95: null });
    const floorMs = floor.latencyP50Ns / 1e6;
    const share = floorMs >= HELD_BACK_MS ? HELD_BACK_SHARE : CLIENT_BOUND_SHARE;
    if (median(step.rates) < floor.throughput * share) continue;
    bound.push({ size: describeSize(step.payloadBytes), floorMs });
  }
  if (bound.length === 0) return;
  const sizes = bound.map(({ size }) => size).join(", ");
  const held = bound.filter(({ floorMs }) => floorMs >= HELD_BACK_MS).map(({ size }) => size);
  context.invalidate(
    `client-bound at ${sizes}: a server that does nothing looks no faster through this client` +
      (held.length === 0
        ? ""
        : `, whose system holds back frames of ${held.join(", ")} for up to 40 ms ` +
          "(Nagle's algorithm)") +
      (bound.length === steps.length ? "" : "; the numbers of all other sizes can be used"),
  );
}

function at({ payloadBytes }: Size) {
  return { at: { payloadBytes } };
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
