import { type Call, isFromCache } from "../lib/client/call.ts";
import type { Connection } from "../lib/client/connection.ts";
import { runClosedSlice } from "../lib/load/closed.ts";
import { ConnectionPool } from "../lib/run/connection_pool.ts";
import { describeLoss } from "../lib/run/describe_end.ts";
import { areRelayed, type HeavyTool } from "../lib/run/heavy_tools.ts";
import { noteRelayed } from "../lib/run/note_relay.ts";
import { HEAVY_CALL_MS } from "../lib/run/planned_time.ts";
import type { Procedure, ProcedurePlan, ScenarioContext } from "../lib/run/scenario.ts";
import { THROUGHPUT, TIMES } from "../lib/run/scenario.ts";

const STANDARD = {
  /** Clients at once, in the part that has several. */
  connections: 5,
  /** Calls of the mix, for each client in an epoch; `null`: one turn of it. */
  messages: null as number | null,
};

type Context = ScenarioContext<typeof STANDARD>;

export const heavyTools: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "heavy-tools",
  question: "How long do tools take that do real work, and how many of their calls run at once?",
  metrics: {
    latency: TIMES,
    firstProgress: TIMES,
    concurrentLatency: TIMES,
    cached: { kind: "distribution", unit: "ns", better: null },
    latencyAlone: TIMES,
    throughputAlone: THROUGHPUT,
    throughput: THROUGHPUT,
    speedup: { kind: "scalar", unit: "x", better: "higher" },
  },
  headline: { metric: "throughput" },
  gates: [{ metric: "latency", statistics: ["p50"] }, { metric: "throughput" }],
  profiles: ["phase3"],
  // Three tools alone, then two turns of five calls.
  takes: () => ({ epochMs: 14 * HEAVY_CALL_MS }),
  defaults: { standard: STANDARD },
  // Each of these calls may cost money.
  warmsUp: false,
  heavyCalls: callsPerEpoch,

  begin(context) {
    const granted = context.heavyTools;
    if (granted.status === "refused") return { skipped: granted.reason };
    const { tools, uniqueSeed } = granted;
    noteRelayed(context, areRelayed(context.target, tools) ? "its calls" : null);
    if (tools.some(({ argsJson }) => argsJson.includes("{unique}"))) {
      context.note({
        kind: "uniqueSeed",
        message: `{unique} comes from --seed ${uniqueSeed}: the same seed makes the same calls`,
        seed: uniqueSeed,
      });
    }
    return planOf(context, tools);
  },
};

/** Every tool alone, the mix of one client, and the mix of all clients at once. */
function callsPerEpoch(
  { connections, messages }: typeof STANDARD,
  tools: readonly HeavyTool[],
): number {
  const alone = tools.reduce((sum, { repetitions }) => sum + repetitions, 0);
  return alone + (1 + connections) * (messages ?? turnLength(tools));
}

/** How many calls a turn of the mix has: each tool as often as its weight says, in lowest terms. */
export function turnLength(tools: readonly Pick<HeavyTool, "weight">[]): number {
  const commonDivisor = (a: number, b: number): number => b === 0 ? a : commonDivisor(b, a % b);
  const divisor = tools.map(({ weight }) => weight).reduce(commonDivisor, 0);
  return tools.reduce((sum, { weight }) => sum + weight, 0) / divisor;
}

/**
 * Gives one tool after the other, each as often as its weight says in every turn, and evenly spread:
 * the smooth weighted round-robin of nginx (ngx_http_upstream_round_robin.c).
 *
 * @param skip how far into a turn it begins, so that several clients do not march in step
 */
export function createMix<T extends Pick<HeavyTool, "weight">>(
  tools: readonly T[],
  skip = 0,
): () => T {
  const total = tools.reduce((sum, { weight }) => sum + weight, 0);
  const credits = tools.map(() => 0);
  const next = () => {
    for (const [index, { weight }] of tools.entries()) credits[index]! += weight;
    const best = credits.indexOf(Math.max(...credits));
    credits[best]! -= total;
    return tools[best]!;
  };
  for (let count = 0; count < skip; count++) next();
  return next;
}

/** Hears of the time of each computed success. */
type Sink = (ns: number, call: Call, tool: HeavyTool) => void;

function planOf(context: Context, tools: readonly HeavyTool[]): ProcedurePlan {
  const { target, parameters } = context;
  const turn = parameters.messages ?? turnLength(tools);
  const isRelayed = areRelayed(target, tools);
  // They go on from epoch to epoch.
  const mixAlone = createMix(tools);
  const mixes = Array.from({ length: parameters.connections }, (_, nth) => createMix(tools, nth));
  const timesOf = (name: string, tool: string) => context.distribution(name, { at: { tool } });
  /** How the first connection was lost. */
  let loss: string | null = null;

  /**
   * Does a part of the work on connections of its own: those that wait for another part are idle for minutes, which a
   * proxy in between may not let them. `null`: not all of them open.
   */
  async function on<T>(
    count: number,
    work: (connections: readonly Connection[]) => Promise<T>,
  ): Promise<T | null> {
    await using pool = await ConnectionPool.openAll(context, count, context.ledger, isRelayed);
    if (pool === null) return null;
    const result = await work(pool.connections);
    loss ??= describeLoss(pool.connections);
    return result;
  }

  /** Each tool alone, one call after the other. `false`: one of them has no success. */
  async function endToEnd(connection: Connection): Promise<boolean> {
    for (const one of tools) {
      const { tool, repetitions } = one;
      const result = await run(connection, () => one, repetitions, (ns, call) => {
        timesOf("latency", tool).record(ns);
        const { firstProgressNs, sentNs } = call;
        if (firstProgressNs > 0) timesOf("firstProgress", tool).record(firstProgressNs - sentNs);
      });
      if (result === null || result.ok === 0) return false;
    }
    return true;
  }

  /** The mix of one client and that of all at once. `false`: one was cut short. */
  async function mixed(): Promise<boolean> {
    const alone = () => load([mixAlone], (ns) => context.distribution("latencyAlone").record(ns));
    const together = () =>
      load(mixes, (ns, _, { tool }) => {
        context.distribution("latency").record(ns);
        timesOf("concurrentLatency", tool).record(ns);
      });
    // The order alternates, so that drift favours neither.
    const isOdd = context.epoch % 2 === 1;
    const first = await (isOdd ? alone : together)();
    const second = first === null ? null : await (isOdd ? together : alone)();
    if (first === null || second === null) return false;
    const [one, all] = isOdd ? [first, second] : [second, first];
    context.scalar("throughputAlone", one);
    context.scalar("throughput", all);
    if (one > 0) context.scalar("speedup", all / one);
    return true;
  }

  /** Computed successes a second, `null` if a client was cut short. */
  async function load(nexts: readonly (() => HeavyTool)[], sink: Sink): Promise<number | null> {
    const results = await on(
      nexts.length,
      (connections) =>
        Promise.all(connections.map((one, nth) => run(one, nexts[nth]!, turn, sink))),
    );
    let perSecond = 0;
    for (const result of results ?? [null]) {
      if (result === null) return null;
      // By each client's own time: with a few long calls, the last client to end would decide the whole.
      if (result.elapsedNs > 0) perSecond += result.computed / (result.elapsedNs / 1e9);
    }
    return perSecond;
  }

  /**
   * Calls one after the other on a connection, each with its tool's timeout. Successes from a cache are recorded apart
   * from those that were computed. `null`: not all calls were made.
   */
  async function run(connection: Connection, next: () => HeavyTool, messages: number, sink: Sink) {
    const { ledger, maxRatePerSecond, clock, signal } = context;
    let computed = 0;
    let tool: HeavyTool;
    const { end, clients: [client] } = await runClosedSlice([connection], {
      ...{ inFlight: 1, leadInNs: 0, messages, durationNs: null, maxRatePerSecond },
      ...{ warmupLedger: ledger, ledger, clock, signal },
      message() {
        tool = next();
        connection.useTimeout(tool.timeoutMs);
        return tool.message();
      },
      onCall(call) {
        if (call.status !== "ok") return;
        const ns = call.endedNs - call.sentNs;
        if (isFromCache(call, target.observed)) return timesOf("cached", tool.tool).record(ns);
        computed++;
        sink(ns, call, tool);
      },
    });
    return end === "complete" ? { ok: client!.ok, computed, elapsedNs: client!.windowNs } : null;
  }

  return {
    /** `"stop"`: not all connections or calls went well, so that further calls would be wasted. */
    async epoch() {
      const { ledger } = context;
      const before = ledger.sent;
      const isWhole = await on(1, ([one]) => endToEnd(one!)) === true && await mixed();
      context.signal.throwIfAborted();
      context.tally({
        kind: "announcedCalls",
        name: "the announced calls were made",
        seen: ledger.sent - before,
        wanted: callsPerEpoch(parameters, tools),
        why: loss,
      });
      if (!isWhole) return "stop";
    },
    conclude() {
      for (const { tool } of tools) {
        const cached = timesOf("cached", tool).count;
        if (cached > 0) {
          const message = `${tool}: of its replies ${cached} came from a cache; they count as ` +
            "cached and in no other number: put {unique} into its arguments";
          context.note({ kind: "cachedTool", message, tool, cached });
        }
        if (timesOf("latency", tool).count > 0 && timesOf("firstProgress", tool).count === 0) {
          const reason = "no progress frame came before a result";
          context.notMeasured(`firstProgress of ${tool}`, reason);
        }
      }
    },
  };
}
