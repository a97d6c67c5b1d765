import { type Call, isFromCache } from "../lib/client/call.ts";
import type { Connection } from "../lib/client/connection.ts";
import { runClosedSlice } from "../lib/load/closed.ts";
import { ConnectionPool } from "../lib/run/connection_pool.ts";
import { describeLoss } from "../lib/run/describe_end.ts";
import { areRelayed, type HeavyTool } from "../lib/run/heavy_tools.ts";
import { noteRelayed } from "../lib/run/note_relay.ts";
import { HEAVY_CALL_MS } from "../lib/run/planned_time.ts";
import { type Procedure, type ScenarioContext, THROUGHPUT, TIMES } from "../lib/run/scenario.ts";

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
  title: "Heavy tools",
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
    const work = new HeavyWork(context, tools);
    noteRelayed(context, areRelayed(context.target, tools) ? "its calls" : null);
    if (tools.some(({ argsJson }) => argsJson.includes("{unique}"))) {
      context.note({
        kind: "uniqueSeed",
        message: `{unique} comes from --seed ${uniqueSeed}: the same seed makes the same calls`,
        seed: uniqueSeed,
      });
    }
    return { epoch: () => work.measureEpoch(), conclude: () => work.conclude() };
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

/** A row of calls, and who hears of the time of each computed success. */
interface Row {
  next: () => HeavyTool;
  calls: number;
  sink: (ns: number, call: Call, tool: HeavyTool) => void;
}

class HeavyWork {
  readonly #context: Context;
  readonly #tools: readonly HeavyTool[];
  /** They go on from epoch to epoch, as do those of all clients. */
  readonly #mixAlone: () => HeavyTool;
  readonly #mixes: readonly (() => HeavyTool)[];
  /** How the first connection was lost. */
  #loss: string | null = null;

  constructor(context: Context, tools: readonly HeavyTool[]) {
    this.#context = context;
    this.#tools = tools;
    this.#mixAlone = createMix(tools);
    const { connections } = context.parameters;
    this.#mixes = Array.from({ length: connections }, (_, client) => createMix(tools, client));
  }

  /** `"stop"`: not all connections or calls went well, so that further calls would be wasted. */
  async measureEpoch(): Promise<"stop" | void> {
    const { ledger, signal } = this.#context;
    const before = ledger.sent;
    const isWhole = await this.#on(1, ([one]) => this.#endToEnd(one!)) === true &&
      await this.#mixed();
    signal.throwIfAborted();
    this.#context.tally({
      kind: "announcedCalls",
      name: "the announced calls were made",
      seen: ledger.sent - before,
      wanted: callsPerEpoch(this.#context.parameters, this.#tools),
      why: this.#loss,
    });
    if (!isWhole) return "stop";
  }

  /** Reports what came from a cache, and what never reported its progress. */
  conclude(): void {
    for (const { tool } of this.#tools) {
      const count = (name: string) => this.#times(name, tool).count;
      const cached = count("cached");
      if (cached > 0) {
        const message =
          `${tool}: of its replies ${cached} came from a cache; they count as cached ` +
          "and in no other number: put {unique} into its arguments";
        this.#context.note({ kind: "cachedTool", message, tool, cached });
      }
      if (count("latency") > 0 && count("firstProgress") === 0) {
        const reason = "no progress frame came before a result";
        this.#context.notMeasured(`firstProgress of ${tool}`, reason);
      }
    }
  }

  /**
   * Does a part of the work on connections of its own: those that wait for another part are idle for minutes, which a
   * proxy in between may not let them. `null`: not all of them open.
   */
  async #on<T>(
    count: number,
    work: (connections: readonly Connection[]) => Promise<T>,
  ): Promise<T | null> {
    const { target, ledger } = this.#context;
    const isRelayed = areRelayed(target, this.#tools);
    await using pool = await ConnectionPool.openAll(this.#context, count, ledger, isRelayed);
    if (pool === null) return null;
    const result = await work(pool.connections);
    this.#loss ??= describeLoss(pool.connections);
    return result;
  }

  #times(name: string, tool: string) {
    return this.#context.distribution(name, { at: { tool } });
  }

  /** Each tool alone, one call after the other. `false`: one of them has no success. */
  async #endToEnd(connection: Connection): Promise<boolean> {
    for (const tool of this.#tools) {
      const result = await this.#run(connection, {
        next: () => tool,
        calls: tool.repetitions,
        sink: (ns, { firstProgressNs, sentNs }) => {
          this.#times("latency", tool.tool).record(ns);
          if (firstProgressNs === 0) return;
          this.#times("firstProgress", tool.tool).record(firstProgressNs - sentNs);
        },
      });
      if (result === null || result.ok === 0) return false;
    }
    return true;
  }

  /** The mix of one client and that of all at once. `false`: one was cut short. */
  async #mixed(): Promise<boolean> {
    const context = this.#context;
    const alone = () =>
      this.#load([this.#mixAlone], (ns) => context.distribution("latencyAlone").record(ns));
    const together = () =>
      this.#load(this.#mixes, (ns, _, { tool }) => {
        context.distribution("latency").record(ns);
        this.#times("concurrentLatency", tool).record(ns);
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
  async #load(mixes: readonly (() => HeavyTool)[], sink: Row["sink"]): Promise<number | null> {
    const calls = this.#context.parameters.messages ?? turnLength(this.#tools);
    const results = await this.#on(
      mixes.length,
      (connections) =>
        Promise.all(
          connections.map((one, client) => this.#run(one, { next: mixes[client]!, calls, sink })),
        ),
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
  async #run(
    connection: Connection,
    { next, calls, sink }: Row,
  ): Promise<{ ok: number; computed: number; elapsedNs: number } | null> {
    const { ledger, maxRatePerSecond, clock, signal, target } = this.#context;
    let computed = 0;
    let tool: HeavyTool;
    const { end, clients: [client] } = await runClosedSlice([connection], {
      ...{ inFlight: 1, leadInNs: 0, messages: calls, durationNs: null, maxRatePerSecond },
      ...{ warmupLedger: ledger, ledger, clock, signal },
      message() {
        tool = next();
        connection.useTimeout(tool.timeoutMs);
        return tool.message();
      },
      onCall: (call) => {
        if (call.status !== "ok") return;
        const ns = call.endedNs - call.sentNs;
        if (isFromCache(call, target.observed)) {
          return this.#times("cached", tool.tool).record(ns);
        }
        computed++;
        sink(ns, call, tool);
      },
    });
    return end === "complete" ? { ok: client!.ok, computed, elapsedNs: client!.windowNs } : null;
  }
}
