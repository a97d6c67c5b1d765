import { type Call, isFromCache } from "../lib/client/call.ts";
import type { Connection } from "../lib/client/connection.ts";
import { runClosedSlice } from "../lib/load/closed.ts";
import { ConnectionPool } from "../lib/run/connection_pool.ts";
import { describeLoss } from "../lib/run/describe_end.ts";
import { areRelayed, type HeavyTool } from "../lib/run/heavy_tools.ts";
import { noteRelayed } from "../lib/run/note_relay.ts";
import { HEAVY_CALL_MS } from "../lib/run/planned_time.ts";
import type {
  Procedure,
  ProcedurePlan,
  ScenarioContext,
  TimesRecorder,
} from "../lib/run/scenario.ts";
import { THROUGHPUT, TIMES } from "../lib/run/scenario.ts";

const STANDARD = {
  /** Clients in the concurrent part. */
  connections: 5,
  /** Calls of the mix per client and epoch; `null`: one turn of the mix. */
  messages: null as number | null,
};

type Context = ScenarioContext<typeof STANDARD>;

export const heavyTools: Procedure<typeof STANDARD> = {
  kind: "procedure",
  name: "heavy-tools",
  question: "How long do tools that do real work take, and how many calls run in parallel?",
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
  // Four calls of tools alone, then two turns of five calls.
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

/** Calls of every tool alone, of the mix with one client, and of the mix with all clients. */
function callsPerEpoch(
  { connections, messages }: typeof STANDARD,
  tools: readonly HeavyTool[],
): number {
  const alone = tools.reduce((sum, { repetitions }) => sum + repetitions, 0);
  return alone + (1 + connections) * (messages ?? turnLength(tools));
}

/** Calls in one turn of the mix: the sum of the weights in lowest terms. */
export function turnLength(tools: readonly Pick<HeavyTool, "weight">[]): number {
  const commonDivisor = (a: number, b: number): number => b === 0 ? a : commonDivisor(b, a % b);
  const divisor = tools.map(({ weight }) => weight).reduce(commonDivisor, 0);
  return tools.reduce((sum, { weight }) => sum + weight, 0) / divisor;
}

/**
 * Returns tools by weight, evenly spread: the smooth weighted round-robin of nginx
 * (ngx_http_upstream_round_robin.c).
 *
 * @param skip how far into a turn to begin, so that clients do not march in step
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

/**
 * Called for each success that did not come from a cache and each unanswered call; `record` adds it
 * to a metric.
 */
type Sink = (record: (times: TimesRecorder) => void, call: Call, tool: HeavyTool) => void;

function planOf(context: Context, tools: readonly HeavyTool[]): ProcedurePlan {
  const { target, parameters } = context;
  const turn = parameters.messages ?? turnLength(tools);
  const isRelayed = areRelayed(target, tools);
  // The mixes continue from epoch to epoch.
  const mixAlone = createMix(tools);
  const mixes = Array.from({ length: parameters.connections }, (_, nth) => createMix(tools, nth));
  const timesOf = (name: string, tool: string) => context.distribution(name, { at: { tool } });
  let loss: string | null = null;

  /**
   * Each part has its own connections, because connections that wait for another part are idle for
   * minutes and a proxy may close them.
   */
  const open = (count: number) => ConnectionPool.openAll(context, count, context.ledger, isRelayed);

  /** Measures each tool alone, one call at a time. Returns `false` if a tool has no success. */
  async function endToEnd(): Promise<boolean> {
    await using pool = await open(1);
    if (pool === null) return false;
    const connection = pool.connections[0]!;
    for (const one of tools) {
      const { tool, repetitions } = one;
      const result = await run(connection, () => one, repetitions, (record, call) => {
        record(timesOf("latency", tool));
        const { status, firstProgressNs, sentNs } = call;
        if (status !== "ok" || firstProgressNs === 0) return;
        timesOf("firstProgress", tool).record(firstProgressNs - sentNs);
      });
      if (result === null || result.ok === 0) return false;
    }
    return true;
  }

  /** Measures the mix with one client and with all. Returns `false` if either was cut short. */
  async function mixed(): Promise<boolean> {
    const alone = () => load([mixAlone], (record) => record(context.distribution("latencyAlone")));
    const together = () =>
      load(mixes, (record, _, { tool }) => {
        record(context.distribution("latency"));
        record(timesOf("concurrentLatency", tool));
      });
    // The order alternates so that drift favours neither.
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

  /** Returns computed successes a second, `null` if a client was cut short. */
  async function load(nexts: readonly (() => HeavyTool)[], sink: Sink): Promise<number | null> {
    await using pool = await open(nexts.length);
    if (pool === null) return null;
    const results = await Promise.all(
      pool.connections.map((one, nth) => run(one, nexts[nth]!, turn, sink)),
    );
    if (!results.every((one) => one !== null)) return null;
    // Each client's own time: with few long calls, the slowest client would dominate the total.
    const rates = results.map(({ computed, elapsedNs }) => computed / Math.max(1, elapsedNs) * 1e9);
    return rates.reduce((sum, rate) => sum + rate, 0);
  }

  /**
   * Makes calls one at a time, each with its tool's timeout. Successes from a cache are recorded
   * separately. Returns `null` if not all calls were made.
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
        const { status, sentNs, endedNs } = call;
        if (status === "timeout" || status === "connectionLost") {
          return sink((times) => times.censor(1, tool.timeoutMs * 1e6), call, tool);
        }
        if (status !== "ok") return;
        const ns = endedNs - sentNs;
        if (isFromCache(call, target.observed)) return timesOf("cached", tool.tool).record(ns);
        computed++;
        sink((times) => times.record(ns), call, tool);
      },
    });
    loss ??= describeLoss([connection]);
    return end === "complete" ? { ok: client!.ok, computed, elapsedNs: client!.windowNs } : null;
  }

  return {
    async epoch() {
      const { ledger } = context;
      const before = ledger.sent;
      const isWhole = await endToEnd() && await mixed();
      context.signal.throwIfAborted();
      context.tally({
        kind: "announcedCalls",
        name: "the announced calls were made",
        seen: ledger.sent - before,
        wanted: callsPerEpoch(parameters, tools),
        why: loss,
      });
      // Further calls would be wasted, and may cost money.
      if (!isWhole) return "stop";
    },
    conclude() {
      for (const { tool } of tools) {
        const cached = timesOf("cached", tool).count;
        if (cached > 0) {
          const message = `${tool}: ${cached} of its replies came from a cache and count only in ` +
            "the metric cached: put {unique} into its arguments";
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
