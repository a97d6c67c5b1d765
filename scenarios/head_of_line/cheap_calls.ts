/**
 * Cheap calls while a heavy one is outstanding: on its own connection, on another, and from another address.
 *
 * @module
 */

import { isFromCache } from "../../lib/client/call.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import type { Connection } from "../../lib/client/connection.ts";
import type { SessionOptions } from "../../lib/client/target.ts";
import { runOpenLoop } from "../../lib/load/open.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
import { areRelayed, type HeavyTool } from "../../lib/run/heavy_tools.ts";
import type { Parameters, ScenarioContext } from "../../lib/run/scenario.ts";

export interface CheapCallParameters extends Parameters {
  /** Of the cheap calls, whatever comes back. */
  ratePerSecond: number;
  /** How long they are measured alone in an epoch: a part of it before each place. */
  durationMs: number;
  /** The most of them during one heavy call. */
  maxCheapCalls: number;
}

type Context = ScenarioContext<CheapCallParameters>;

/** Where the cheap calls are sent while a heavy call is outstanding. */
export const PLACES = ["sameConnection", "otherConnection", "otherAddress"] as const;
type Place = typeof PLACES[number];

/** Another address of this machine, for a client of its own. */
const OTHER_ADDRESS = "127.0.0.2";
/** With fewer cheap calls during a heavy one, an epoch has no ratio. */
const FEWEST_CALLS = 10;

/** The connection of each place; a place that is missing cannot be measured. */
type Connections = ReadonlyMap<Place, Connection>;

/** The epochs of the scenario, and what they record. */
export class CheapCalls {
  readonly #context: Context;
  readonly #tool: HeavyTool;
  /** Those that had enough cheap calls in an epoch, and those that cannot be reached. */
  readonly #settled = new Set<Place>();

  constructor(context: Context, tool: HeavyTool) {
    this.#context = context;
    this.#tool = tool;
  }

  /**
   * In every place, each time after a part of the calls alone, so that drift favours neither. `"stop"`: a call
   * went wrong, so that further heavy ones would be wasted.
   */
  async measureEpoch(): Promise<"stop" | void> {
    await using stack = new AsyncDisposableStack();
    const cheap = await this.#connect(stack);
    const places = [...cheap.keys()];
    const alone: number[] = [];
    const ratios = new Map<Place, Float64Array>();
    for (const place of this.#context.epoch % 2 === 1 ? places : places.toReversed()) {
      const before = await this.#alone(cheap);
      if (before === null) return "stop";
      this.#context.distribution("alone").recordAll(before);
      alone.push(...before);
      const during = await this.#during(cheap, place);
      if (during === null) return "stop";
      this.#context.distribution("cheap", { at: { place } }).recordAll(during);
      if (during.length >= FEWEST_CALLS) ratios.set(place, during);
    }
    for (const [place, times] of ratios) {
      this.#settled.add(place);
      const ratio = lowerMean(times) / lowerMean(alone);
      this.#context.scalar("interference", ratio, { at: { place } });
    }
  }

  /** Says which places have no ratio, and why. */
  conclude(): void {
    for (const place of PLACES.filter((one) => !this.#settled.has(one))) {
      this.#context.notMeasured(
        `interference at ${place}`,
        `no heavy call was outstanding for ${FEWEST_CALLS} cheap ones: name a slower tool first in ` +
          "--heavy-tools, or raise --rate",
      );
    }
  }

  /** One connection for the heavy calls, and one for each other place; the stack closes them. */
  async #connect(stack: AsyncDisposableStack): Promise<Connections> {
    const { target, ledger } = this.#context;
    const as = { relayed: areRelayed(target, [this.#tool]) };
    const heavy = stack.use(await target.connect(ledger, as));
    const other = stack.use(await target.connect(ledger, as));
    const away = await this.#connectFromElsewhere(stack, as);
    const cheap = new Map<Place, Connection>([
      ["sameConnection", heavy],
      ["otherConnection", other],
      ...(away === null ? [] : [["otherAddress", away] as const]),
    ]);
    // A cheap call may have to wait for all of a heavy one.
    for (const connection of cheap.values()) {
      connection.useTimeout(this.#tool.timeoutMs + target.options.timeoutMs);
    }
    return cheap;
  }

  /** A session from another address; `null`: there cannot be one. */
  async #connectFromElsewhere(
    stack: AsyncDisposableStack,
    as: SessionOptions,
  ): Promise<Connection | null> {
    const { target, ledger, signal } = this.#context;
    const refuse = (reason: string) => {
      this.#settled.add("otherAddress");
      this.#context.notMeasured("interference at otherAddress", reason);
      return null;
    };
    if (!target.isLoopback) return refuse("the server is not on this machine");
    const client = target.clientFrom(OTHER_ADDRESS);
    stack.defer(() => client.close());
    try {
      return stack.use(await target.connect(ledger, { ...as, client }));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConnectError)) throw error;
      return refuse(`no connection from ${OTHER_ADDRESS}: ${error.message}`);
    }
  }

  /** One place's part of the calls alone; `null`: none succeeded, or the connection is gone. */
  async #alone(cheap: Connections): Promise<Float64Array | null> {
    const { signal, parameters: { durationMs } } = this.#context;
    const times = await this.#run(cheap.get("otherConnection")!, {
      slots: null,
      durationMs: durationMs / cheap.size,
      signal,
    });
    return times === null || times.length === 0 ? null : times;
  }

  /** Cheap calls in a place while a heavy call is outstanding, none if that came from a cache. */
  async #during(cheap: Connections, place: Place): Promise<Float64Array | null> {
    const { signal, target, parameters: { maxCheapCalls } } = this.#context;
    const [heavy, connection] = [cheap.get("sameConnection")!, cheap.get(place)!];
    if (!heavy.isOpen || !connection.isOpen) return null;
    const ended = new AbortController();
    const calling = heavy.call(this.#tool.message()).then((call) => {
      ended.abort();
      return call;
    });
    const times = await this.#run(connection, {
      slots: maxCheapCalls,
      durationMs: null,
      signal: AbortSignal.any([signal, ended.signal]),
    });
    const call = await calling;
    signal.throwIfAborted();
    if (times === null || call.status !== "ok") return null;
    if (isFromCache(call, target.observed)) return new Float64Array();
    this.#context.distribution("heavy").record(call.endedNs - call.sentNs);
    return times;
  }

  /**
   * Sends cheap calls at their rate until the signal, and waits for their ends: the times of the successes, or
   * `null` if the connection is gone. They count from the sending, as none waits for the reply before.
   */
  async #run(
    connection: Connection,
    { signal, ...bounds }: {
      slots: number | null;
      durationMs: number | null;
      signal: AbortSignal;
    },
  ): Promise<Float64Array | null> {
    const { workload, ledger, clock, maxRatePerSecond, seed, parameters } = this.#context;
    const ratePerSecond = Math.min(parameters.ratePerSecond, maxRatePerSecond ?? Infinity);
    const { end, serviceNs } = await runOpenLoop([connection], {
      message: workload,
      schedule: createSchedule({ ratePerSecond, arrivals: "constant", seed, ...bounds }),
      maxOutstanding: Infinity,
      ledger,
      clock,
      pacer: await this.#context.pacer(),
      signal,
    });
    this.#context.signal.throwIfAborted();
    return end === "connectionLost" || end === "silent" ? null : serviceNs;
  }
}

/**
 * The mean of the values without the largest tenth of them, rounded down: a one-sided trimmed mean, that
 * a few hiccups do not move, and whatever happens to more than a tenth does.
 *
 * @throws {RangeError} if there is no value
 */
export function lowerMean(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError("Cannot take a mean as there are no values");
  const count = values.length - Math.floor(values.length / 10);
  const kept = Float64Array.from(values).sort().subarray(0, count);
  return kept.reduce((sum, value) => sum + value, 0) / count;
}
