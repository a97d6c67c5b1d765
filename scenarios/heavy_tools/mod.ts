import { HEAVY_CALL_MS } from "../../lib/run/planned_time.ts";
import { type Call, isFromCache } from "../../lib/client/call.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { ConnectionPool } from "../../lib/run/connection_pool.ts";
import { describeLoss } from "../../lib/run/describe_end.ts";
import { areRelayed, type HeavyTool } from "../../lib/run/heavy_tools.ts";
import { noteRelayed } from "../../lib/run/note_relay.ts";
import {
  type Parameters,
  type Procedure,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../../lib/run/scenario.ts";
import { createMix, type MixResult, runMix, turnLength } from "./heavy_mix.ts";

interface HeavyToolsParameters extends Parameters {
  /** Clients at once, in the part that has several. */
  connections: number;
  /** Calls of the mix, for each client in an epoch; `null`: one turn of it. */
  messages: number | null;
}

type Context = ScenarioContext<HeavyToolsParameters>;

export const heavyTools: Procedure<HeavyToolsParameters> = {
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
  defaults: { standard: { connections: 5, messages: null } },
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
    return {
      epoch: () => work.measureEpoch(),
      conclude: () => Promise.resolve(work.conclude()),
    };
  },
};

/** Every tool alone, the mix of one client, and the mix of all clients at once. */
function callsPerEpoch(
  { connections, messages }: HeavyToolsParameters,
  tools: readonly HeavyTool[],
): number {
  const alone = tools.reduce((sum, { repetitions }) => sum + repetitions, 0);
  return alone + (1 + connections) * (messages ?? turnLength(tools));
}

/** Records the time of a computed success. */
type Sink = (ns: number, call: Call, tool: HeavyTool) => void;

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
        this.#context.note({
          kind: "cachedTool",
          message:
            `${tool}: of its replies ${cached} came from a cache; they count as cached and in no ` +
            "other number: put {unique} into its arguments",
          tool,
          cached,
        });
      }
      if (count("latency") > 0 && count("firstProgress") === 0) {
        this.#context.notMeasured(
          `firstProgress of ${tool}`,
          "no progress frame came before a result",
        );
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
    await using pool = new ConnectionPool(target, ledger, areRelayed(target, this.#tools));
    await pool.open([{ record: this.#context, most: count, establish: null }]);
    if (pool.connections.length < count) return null;
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
      const { complete, ok } = await this.#run(connection, {
        next: () => tool,
        calls: tool.repetitions,
        sink: (ns, { firstProgressNs, sentNs }) => {
          this.#times("latency", tool.tool).record(ns);
          if (firstProgressNs === 0) return;
          this.#times("firstProgress", tool.tool).record(firstProgressNs - sentNs);
        },
      });
      if (!complete || ok === 0) return false;
    }
    return true;
  }

  /** The mix of one client and that of all at once. `false`: one was cut short. */
  async #mixed(): Promise<boolean> {
    const alone = {
      mixes: [this.#mixAlone],
      sink: (ns: number) => this.#context.distribution("latencyAlone").record(ns),
    };
    const together = {
      mixes: this.#mixes,
      sink: (ns: number, _: Call, { tool }: HeavyTool) => {
        this.#context.distribution("latency").record(ns);
        this.#times("concurrentLatency", tool).record(ns);
      },
    };
    // The order alternates, so that drift favours neither.
    const isOdd = this.#context.epoch % 2 === 1;
    const first = await this.#load(isOdd ? alone : together);
    const second = first === null ? null : await this.#load(isOdd ? together : alone);
    if (first === null || second === null) return false;
    const [one, all] = isOdd ? [first, second] : [second, first];
    this.#context.scalar("throughputAlone", one);
    this.#context.scalar("throughput", all);
    if (one > 0) this.#context.scalar("speedup", all / one);
    return true;
  }

  /** Computed successes a second, `null` if a client was cut short. */
  async #load(
    { mixes, sink }: { mixes: readonly (() => HeavyTool)[]; sink: Sink },
  ): Promise<number | null> {
    const calls = this.#context.parameters.messages ?? turnLength(this.#tools);
    const results = await this.#on(
      mixes.length,
      (connections) =>
        Promise.all(
          connections.map((one, client) => this.#run(one, { next: mixes[client]!, calls, sink })),
        ),
    );
    if (results === null || !results.every(({ complete }) => complete)) return null;
    // By each client's own time: with a few long calls, the last client to end would decide the whole.
    return results.reduce(
      (sum, { computed, elapsedNs }) => elapsedNs > 0 ? sum + computed / (elapsedNs / 1e9) : sum,
      0,
    );
  }

  /** Counts the successes that were computed; those from a cache are recorded apart. */
  async #run(
    connection: Connection,
    { next, calls, sink }: { next: () => HeavyTool; calls: number; sink: Sink },
  ): Promise<MixResult & { computed: number }> {
    let computed = 0;
    const result = await runMix(this.#context, connection, {
      next,
      calls,
      onEnd: (call, tool) => {
        if (call.status !== "ok") return;
        const ns = call.endedNs - call.sentNs;
        if (isFromCache(call, this.#context.target.observed)) {
          return this.#times("cached", tool.tool).record(ns);
        }
        computed++;
        sink(ns, call, tool);
      },
    });
    return { ...result, computed };
  }
}
