import { placeOf, rateAt, searchRate } from "../lib/load/rate_search.ts";
import type { Connection } from "../lib/client/connection.ts";
import { RateProbe } from "../lib/run/rate_probe.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  type Parameters,
  type Scenario,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { openSessions } from "../lib/run/sessions.ts";
import { warmUp } from "../lib/run/warm_up.ts";

/** A round is a whole search. */
interface SaturationParameters extends Parameters {
  /** The p99 that must be met, from the intended time of sending. */
  sloMs: number;
  connections: number;
  /** Where the first search begins. */
  ratePerSecond: number;
  /** It ends here, if nothing fails before. */
  highestRatePerSecond: number;
  /** Of a run at one rate; the one that confirms the answer is three times as long. */
  durationMs: number;
  warmupMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<SaturationParameters>;

const COMMON = {
  sloMs: 50,
  connections: 5,
  ratePerSecond: 200,
  highestRatePerSecond: 100_000,
  payloadBytes: 0,
};
/** The lowest place of the series that is tried: one call a second. */
const LOWEST = 0;
/** Searches after the first begin this far below what was found: about 1.4 times. */
const HEAD_START = 7;
const CONFIRMING_LENGTH = 3;

export const saturation: Scenario<SaturationParameters> = {
  name: "saturation",
  question: "What is the highest rate of calls that the server sustains within the objective?",
  metrics: {
    sustainableRate: THROUGHPUT,
    knee: THROUGHPUT,
    "latency@N": TIMES,
    "throughput@N": THROUGHPUT,
  },
  profiles: ["thorough"],
  defaults: {
    quick: { ...COMMON, rounds: 1, durationMs: 300, warmupMs: 200 },
    standard: { ...COMMON, rounds: 3, durationMs: 1000, warmupMs: 1000 },
    thorough: { ...COMMON, rounds: 5, durationMs: 1000, warmupMs: 2000 },
    phase2: { ...COMMON, rounds: 1, durationMs: 1000, warmupMs: 0 },
  },
  overloads: true,

  async run(context) {
    const { connections: count, ratePerSecond, warmupMs } = context.parameters;
    await using stack = new AsyncDisposableStack();
    const connections = await openSessions(context, { count, stack });
    if (connections === null) return { status: "measured" };
    await warmUp(context, {
      connections,
      durationMs: warmupMs,
      maxRatePerSecond: ratePerSecond / count,
    });
    const found = await context.watched(() => searchRounds(context, connections), { paced: true });
    checkFound(context, found);
    return { status: "measured" };
  },
};

/** What one search found. */
interface Found {
  sustainedPerSecond: number | null;
  /** What was wrong at the lowest rate that was missed. */
  miss: string;
}

async function searchRounds(
  context: Context,
  connections: readonly Connection[],
): Promise<Found[]> {
  const { highestRatePerSecond, ratePerSecond } = context.parameters;
  const highest = placeOf(highestRatePerSecond);
  const found: Found[] = [];
  let first = placeOf(Math.min(ratePerSecond, highestRatePerSecond));
  await forEachRound(context, {
    recorders: [],
    round: async () => {
      const probe = new RateProbe(context, { ...context.parameters, connections });
      const { sustained, missed } = await searchRate({
        first,
        lowest: LOWEST,
        highest,
        isMet: (place) => metOnce(probe, rateAt(place), { lengths: 1 }),
        isConfirmed: (place) => metOnce(probe, rateAt(place), { lengths: CONFIRMING_LENGTH }),
      });
      found.push(record(context, { sustained, missed, probe }));
      if (sustained === null || probe.isOver) return "stop";
      first = Math.max(LOWEST, sustained - HEAD_START);
    },
  });
  return found;
}

/** A rate is missed if it is missed twice: one hiccup of the machine should not decide. */
async function metOnce(
  probe: RateProbe,
  ratePerSecond: number,
  length: { lengths: number },
): Promise<boolean> {
  return await probe.meets(ratePerSecond, length) || await probe.meets(ratePerSecond, length);
}

function record(
  context: Context,
  { sustained, missed, probe }: {
    sustained: number | null;
    missed: number | null;
    probe: RateProbe;
  },
): Found {
  const missedPerSecond = missed === null ? null : rateAt(missed);
  const miss = missedPerSecond === null ? "" : probe.missAt(missedPerSecond);
  if (sustained === null) return { sustainedPerSecond: null, miss };
  const sustainedPerSecond = rateAt(sustained);
  context.scalar("sustainableRate", sustainedPerSecond);
  context.scalar("knee", probe.knee(sustainedPerSecond) ?? sustainedPerSecond);
  if (missedPerSecond === null) {
    context.notMeasured("limit", `${sustainedPerSecond} calls/s, the highest rate tried, is met`);
  } else if (probe.isClientBoundAt(missedPerSecond)) {
    context.invalidate(`client-bound: ${miss}, so that the server may sustain more`);
  }
  return { sustainedPerSecond, miss };
}

function checkFound(context: Context, found: readonly Found[]): void {
  const { sloMs } = context.parameters;
  const none = found.find(({ sustainedPerSecond }) => sustainedPerSecond === null);
  const rates = found.flatMap(({ sustainedPerSecond }) => sustainedPerSecond ?? []);
  context.check({
    name: "a rate is sustained",
    passed: none === undefined && found.length > 0,
    expected: `p99 within ${sloMs} ms and no failed call, at some rate`,
    observed: none === undefined ? `${rates.join(", ")} calls/s` : `none; ${none.miss}`,
  });
}
