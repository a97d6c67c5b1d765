import { isFromCache } from "../lib/client/call.ts";
import { ConnectError } from "../lib/client/connect_error.ts";
import type { Connection } from "../lib/client/connection.ts";
import { runOpenLoop } from "../lib/load/open.ts";
import { createSchedule, type ScheduleOptions } from "../lib/load/schedule.ts";
import { OTHER_ADDRESS } from "../lib/run/fresh_address.ts";
import { areRelayed, type HeavyTool } from "../lib/run/heavy_tools.ts";
import { noteRelayed } from "../lib/run/note_relay.ts";
import { HEAVY_CALL_MS } from "../lib/run/planned_time.ts";
import type { Procedure, ProcedurePlan, ScenarioContext } from "../lib/run/scenario.ts";
import { TIMES } from "../lib/run/scenario.ts";

const STANDARD = {
  /** Cheap calls a second, independent of the replies. */
  ratePerSecond: 50,
  /** Time that cheap calls are measured alone in an epoch, split evenly over the places. */
  durationMs: 1_000,
  /** Maximum cheap calls during one heavy call. */
  maxCheapCalls: 500,
};

type Context = ScenarioContext<typeof STANDARD>;

/** Where the cheap calls are sent while a heavy call is outstanding. */
const PLACES = ["sameConnection", "otherConnection", "otherAddress"] as const;
type Place = typeof PLACES[number];

/** Minimum cheap calls during a heavy one for an epoch to have a ratio. */
const FEWEST_CALLS = 10;

export const headOfLine: Procedure<typeof STANDARD> = {
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
  // Not on the same connection: a protocol can demand that replies come in order there.
  gates: [
    { metric: "interference", at: { place: "otherConnection" } },
    { metric: "interference", at: { place: "otherAddress" } },
  ],
  profiles: ["thorough", "phase3"],
  takes: ({ durationMs }) => ({ epochMs: durationMs + HEAVY_CALL_MS / 2 }),
  defaults: { quick: { ...STANDARD, durationMs: 500 }, standard: STANDARD },
  paced: true,
  // Each heavy call may cost money.
  warmsUp: false,
  heavyCalls: () => PLACES.length,

  begin(context) {
    const { heavyTools } = context;
    if (heavyTools.status === "refused") return { skipped: heavyTools.reason };
    const { tool: cheap } = context.workload();
    if (heavyTools.tools.some((heavy) => heavy.tool === cheap)) {
      return { skipped: `its cheap calls would use ${cheap}, a heavy tool: choose a light --tool` };
    }
    return planOf(context, heavyTools.tools[0]!);
  },
};

function planOf(context: Context, heavy: HeavyTool): ProcedurePlan {
  const { target, clock, parameters } = context;
  const as = { relayed: areRelayed(target, [heavy]) };
  noteRelayed(context, as.relayed ? "its calls" : null);
  /** Places that have a ratio or cannot be reached. */
  const settled = new Set<Place>();

  /** Connects to every place that can be reached. Heavy calls use `sameConnection`. The stack closes the connections. */
  async function connect(stack: AsyncDisposableStack): Promise<Map<Place, Connection>> {
    const { ledger } = context;
    const cheap = new Map<Place, Connection>();
    cheap.set("sameConnection", stack.use(await target.connect(ledger, as)));
    cheap.set("otherConnection", stack.use(await target.connect(ledger, as)));
    const cannotReach = (reason: string) => {
      settled.add("otherAddress");
      context.notMeasured("interference at otherAddress", reason);
    };
    if (target.isLoopback) {
      const client = stack.use(target.clientFrom(OTHER_ADDRESS));
      const away = await target.tryConnect(ledger, { ...as, client });
      if (!(away instanceof ConnectError)) cheap.set("otherAddress", stack.use(away));
      else cannotReach(`no connection from ${OTHER_ADDRESS}: ${away.message}`);
    } else cannotReach("the server is not on this machine");
    // A cheap call can be blocked for as long as a heavy one takes.
    for (const connection of cheap.values()) {
      connection.useTimeout(heavy.timeoutMs + target.options.timeoutMs);
    }
    return cheap;
  }

  /**
   * Sends cheap calls at their rate until the signal, then waits for the replies. Returns the times
   * of the successes from the moment of sending, or `null` if the connection was lost.
   */
  async function runCheap(
    connection: Connection,
    { signal, ...bounds }: Pick<ScheduleOptions, "slots" | "durationMs"> & { signal: AbortSignal },
  ): Promise<Float64Array | null> {
    const { workload: message, ledger, maxRatePerSecond, seed } = context;
    const ratePerSecond = Math.min(parameters.ratePerSecond, maxRatePerSecond ?? Infinity);
    const { end, serviceNs } = await runOpenLoop([connection], {
      ...{ message, ledger, clock, signal, pacer: await context.pacer() },
      schedule: createSchedule({ ratePerSecond, arrivals: "constant", seed, ...bounds }),
      maxOutstanding: Infinity,
    });
    context.signal.throwIfAborted();
    return end === "connectionLost" || end === "silent" ? null : serviceNs;
  }

  /**
   * Makes cheap calls during a heavy one and returns their times: none if the heavy reply came from
   * a cache, `null` if a call failed.
   */
  async function runBeside(heavyOn: Connection, cheapOn: Connection): Promise<Float64Array | null> {
    const { signal } = context;
    if (!heavyOn.isOpen || !cheapOn.isOpen) return null;
    const ended = new AbortController();
    const calling = heavyOn.call(heavy.message()).finally(() => ended.abort());
    const times = await runCheap(cheapOn, {
      slots: parameters.maxCheapCalls,
      durationMs: null,
      signal: AbortSignal.any([signal, ended.signal]),
    });
    const call = await calling;
    signal.throwIfAborted();
    if (times === null || call.status !== "ok") return null;
    if (isFromCache(call, target.observed)) return new Float64Array();
    context.distribution("heavy").record(call.endedNs - call.sentNs);
    return times;
  }

  return {
    /**
     * Measures every place, each directly after calls alone so that drift affects both alike. Stops
     * if a call failed, as further heavy calls would be wasted.
     */
    async epoch() {
      await using stack = new AsyncDisposableStack();
      const cheap = await connect(stack);
      const places = [...cheap.keys()];
      const alone: number[] = [];
      const enough = new Map<Place, Float64Array>();
      for (const place of context.epoch % 2 === 1 ? places : places.toReversed()) {
        const durationMs = parameters.durationMs / cheap.size;
        const bounds = { slots: null, durationMs, signal: context.signal };
        const before = await runCheap(cheap.get("otherConnection")!, bounds);
        if (before === null || before.length === 0) return "stop";
        context.distribution("alone").recordAll(before);
        alone.push(...before);
        const during = await runBeside(cheap.get("sameConnection")!, cheap.get(place)!);
        if (during === null) return "stop";
        context.distribution("cheap", { at: { place } }).recordAll(during);
        if (during.length >= FEWEST_CALLS) enough.set(place, during);
      }
      for (const [place, times] of enough) {
        settled.add(place);
        const ratio = lowerMean(times) / lowerMean(alone);
        context.scalar("interference", ratio, { at: { place } });
      }
    },
    conclude() {
      for (const place of PLACES.filter((one) => !settled.has(one))) {
        context.notMeasured(
          `interference at ${place}`,
          `no heavy call lasted long enough for ${FEWEST_CALLS} cheap calls: put a slower tool ` +
            "first in --heavy-tools, or raise --rate",
        );
      }
    },
  };
}

/**
 * The mean without the largest tenth of the values (rounded down): a one-sided trimmed mean. A few
 * hiccups do not move it, but anything that affects more than a tenth of the values does.
 */
export function lowerMean(values: ArrayLike<number>): number {
  const count = values.length - Math.floor(values.length / 10);
  const kept = Float64Array.from(values).sort().subarray(0, count);
  return kept.reduce((sum, value) => sum + value, 0) / count;
}
