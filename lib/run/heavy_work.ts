/**
 * The work of the scenario heavy-tools: every tool alone, the mix of one client, and that of all at once.
 *
 * @module
 */

import type { LoopResult } from "../load/closed.ts";
import { type Call, isFromCache } from "../client/call_book.ts";
import type { Connection } from "../client/connection.ts";
import type { DistributionRecorder } from "../stats/summary.ts";
import { createMix, runHeavyCalls, turnLength } from "./heavy_mix.ts";
import type { HeavyTool } from "./heavy_tools.ts";
import type { Parameters, ScenarioContext } from "./scenario.ts";

export interface HeavyToolsParameters extends Parameters {
  /** Clients at once, in the part that has several. */
  connections: number;
  /** Calls of the mix, for each client and round; `null`: one turn of it. */
  messages: number | null;
}

type Context = ScenarioContext<HeavyToolsParameters>;

/** In each round: every tool alone, the mix of one client, and the mix of all clients at once. */
export function plannedCalls(
  { rounds, connections, messages }: HeavyToolsParameters,
  tools: readonly HeavyTool[],
): number {
  const alone = tools.reduce((sum, { repetitions }) => sum + repetitions, 0);
  return rounds * (alone + (1 + connections) * (messages ?? turnLength(tools)));
}

/** What is recorded of one tool. */
interface ToolRecorders {
  latency: DistributionRecorder;
  firstProgress: DistributionRecorder;
  concurrent: DistributionRecorder;
  cached: DistributionRecorder;
}

/** Where the time of a computed success goes, beside the recorders of its tool. */
type Sink = (ns: number, call: Call, own: ToolRecorders) => void;

/** The three parts of the scenario heavy-tools, and what they record. */
export class HeavyWork {
  readonly #context: Context;
  readonly #tools: readonly HeavyTool[];
  readonly #connections: readonly Connection[];
  readonly #calls: number;
  /** One for each client: they go on from round to round. */
  readonly #mixes: readonly (() => HeavyTool)[];
  readonly #mixAlone: () => HeavyTool;
  readonly #own: ReadonlyMap<HeavyTool, ToolRecorders>;
  readonly #latencyAlone: DistributionRecorder;
  readonly #latency: DistributionRecorder;

  constructor(
    context: Context,
    { tools, connections }: { tools: readonly HeavyTool[]; connections: readonly Connection[] },
  ) {
    this.#context = context;
    this.#tools = tools;
    this.#connections = connections;
    this.#calls = context.parameters.messages ?? turnLength(tools);
    this.#mixAlone = createMix(tools);
    this.#mixes = connections.map((_, client) => createMix(tools, client));
    const perTool = (metric: string) =>
      tools.map(({ tool }) => context.distribution(`${metric}.${tool}`));
    const latency = perTool("latency");
    const firstProgress = perTool("firstProgress");
    const concurrent = perTool("concurrentLatency");
    const cached = perTool("cached");
    this.#own = new Map(tools.map((tool, index) => [tool, {
      latency: latency[index]!,
      firstProgress: firstProgress[index]!,
      concurrent: concurrent[index]!,
      cached: cached[index]!,
    }]));
    this.#latencyAlone = context.distribution("latencyAlone");
    this.#latency = context.distribution("latency");
  }

  get recorders(): DistributionRecorder[] {
    const own = [...this.#own.values()].flatMap((recorders) => Object.values(recorders));
    return [...own, this.#latencyAlone, this.#latency];
  }

  async measureRound(index: number): Promise<"stop" | void> {
    if (!await this.#endToEnd()) return "stop";
    // One client first in one round and all first in the next, so that what drifts favours neither.
    const order = index % 2 === 0 ? ["alone", "all"] as const : ["all", "alone"] as const;
    const rates = { alone: 0, all: 0 };
    for (const who of order) {
      const rate = await (who === "alone" ? this.#loadAlone() : this.#loadTogether());
      this.#context.signal.throwIfAborted(); // A round cut short has no throughput.
      if (rate === null) return "stop";
      rates[who] = rate;
    }
    this.#context.scalar("throughputAlone", rates.alone);
    this.#context.scalar("throughput", rates.all);
    if (rates.alone > 0) this.#context.scalar("speedup", rates.all / rates.alone);
  }

  /** Checks what was announced, and says what came from a cache or never told its progress. */
  conclude(): void {
    const context = this.#context;
    const { sent } = context.ledger;
    const planned = plannedCalls(context.parameters, this.#tools);
    context.check({
      name: "the announced calls were made",
      passed: sent === planned,
      expected: `${planned} calls of heavy tools`,
      observed: `${sent}`,
    });
    for (const [{ tool }, own] of this.#own) {
      const { count } = own.cached;
      if (count > 0) {
        context.note(
          `${tool}: ${count} replies came from a cache; they are in cached.${tool} and in no other ` +
            "number: put {unique} into its arguments",
        );
      }
      if (own.latency.count > 0 && own.firstProgress.count === 0) {
        context.notMeasured(`firstProgress.${tool}`, "no progress frame came before a result");
      }
    }
  }

  /** Each tool alone, one call after the other. `false`: one has no success, so that more would be wasted. */
  async #endToEnd(): Promise<boolean> {
    for (const tool of this.#tools) {
      const { complete, ok } = await this.#run(this.#connections[0]!, {
        next: () => tool,
        calls: tool.repetitions,
        sink: (ns, { firstProgressNs, sentNs }, own) => {
          own.latency.record(ns);
          if (firstProgressNs > 0) own.firstProgress.record(firstProgressNs - sentNs);
        },
      });
      if (!complete || ok === 0) return false;
    }
    return true;
  }

  /** The mix of one client: its successes per second, `null` if it was cut short. */
  #loadAlone(): Promise<number | null> {
    const sink: Sink = (ns) => this.#latencyAlone.record(ns);
    return this.#load([{ connection: this.#connections[0]!, next: this.#mixAlone }], sink);
  }

  /** The mixes of all clients at once. */
  #loadTogether(): Promise<number | null> {
    const clients = this.#connections.map((connection, client) => ({
      connection,
      next: this.#mixes[client]!,
    }));
    return this.#load(clients, (ns, _call, own) => {
      this.#latency.record(ns);
      own.concurrent.record(ns);
    });
  }

  async #load(
    clients: readonly { connection: Connection; next: () => HeavyTool }[],
    sink: Sink,
  ): Promise<number | null> {
    const calls = this.#calls;
    const results = await Promise.all(
      clients.map(({ connection, next }) => this.#run(connection, { next, calls, sink })),
    );
    if (!results.every(({ complete }) => complete)) return null;
    // By each client's own time: with a few long calls, the last client to end would decide the whole.
    return results.reduce(
      (sum, { computed, startNs, endNs }) =>
        endNs > startNs ? sum + computed / ((endNs - startNs) / 1e9) : sum,
      0,
    );
  }

  /** Counts the successes that were computed; those from a cache are recorded apart. */
  async #run(
    connection: Connection,
    { next, calls, sink }: { next: () => HeavyTool; calls: number; sink: Sink },
  ): Promise<
    Pick<LoopResult, "ok" | "startNs" | "endNs"> & { complete: boolean; computed: number }
  > {
    let computed = 0;
    const { end, ok, startNs, endNs } = await runHeavyCalls(this.#context, connection, {
      next,
      calls,
      onEnd: (call, tool) => {
        if (call.status !== "ok") return;
        const own = this.#own.get(tool)!;
        const ns = call.endedNs - call.sentNs;
        if (isFromCache(call, this.#context.target.observed)) return own.cached.record(ns);
        computed++;
        sink(ns, call, own);
      },
    });
    return { complete: end === "complete", computed, ok, startNs, endNs };
  }
}
