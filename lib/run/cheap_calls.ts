/**
 * Cheap calls beside a heavy one: on its own connection, on another, and from another address.
 *
 * @module
 */

import { runOpenLoop } from "../load/open.ts";
import { createSchedule } from "../load/schedule.ts";
import { isFromCache } from "../client/call_book.ts";
import { ConnectError } from "../client/connect_error.ts";
import type { Connection } from "../client/connection.ts";
import { lowerMean } from "../stats/lower_mean.ts";
import type { HeavyTool } from "./heavy_tools.ts";
import type { Parameters, ScenarioContext } from "./scenario.ts";

/** How cheap calls are made beside heavy ones. */
export interface CheapCallParameters extends Parameters {
  /** Of the cheap calls, whatever comes back. */
  ratePerSecond: number;
  /** How long they are measured alone, in each round: a part of it before each place. */
  durationMs: number;
  /** At most this many of them beside one heavy call. */
  maxCheapCalls: number;
}

type Context = ScenarioContext<CheapCallParameters>;

/** Where the cheap calls are sent while a heavy call is outstanding. */
export const PLACES = ["sameConnection", "otherConnection", "otherAddress"] as const;
type Place = typeof PLACES[number];

/** Another address of this machine, for a client of its own. */
const OTHER_ADDRESS = "127.0.0.2";
/** With fewer cheap calls beside a heavy one, a round has no ratio. */
const FEWEST_CALLS = 10;

/** The connections of the scenario. */
export interface Connections {
  /** The heavy calls' own. */
  heavy: Connection;
  /** What cheap calls are sent on; a place that is missing cannot be measured. */
  cheap: ReadonlyMap<Place, Connection>;
}

/** Opens one connection for the heavy calls and one for each other place. */
export async function openLine(
  context: Context,
  { tool, opened }: { tool: HeavyTool; opened: AsyncDisposableStack },
): Promise<Connections> {
  const { target, ledger } = context;
  const heavy = opened.use(await target.connect(ledger));
  const other = opened.use(await target.connect(ledger));
  const away = await connectFromElsewhere(context, opened);
  const cheap = new Map<Place, Connection>([
    ["sameConnection", heavy],
    ["otherConnection", other],
    ...(away === null ? [] : [["otherAddress", away] as const]),
  ]);
  // A cheap call may have to wait for all of a heavy one.
  for (const connection of cheap.values()) {
    connection.useTimeout(tool.timeoutMs + target.options.timeoutMs);
  }
  return { heavy, cheap };
}

/** A session from another address, or `null` and why it cannot be. */
async function connectFromElsewhere(
  context: Context,
  opened: AsyncDisposableStack,
): Promise<Connection | null> {
  const { target, ledger, signal } = context;
  const refuse = (reason: string) => {
    for (const name of ["otherAddress", "interference.otherAddress"]) {
      context.notMeasured(name, reason);
    }
    return null;
  };
  if (!target.isLoopback) return refuse("the server is not on this machine");
  const client = target.clientFrom(OTHER_ADDRESS);
  opened.defer(() => client.close());
  try {
    return opened.use(await target.connect(ledger, { client }));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConnectError)) throw error;
    return refuse(`no connection from ${OTHER_ADDRESS}: ${error.message}`);
  }
}

/** What a run of cheap calls did. */
interface CheapRun {
  /** Times of the successes, in nanoseconds. */
  times: number[];
  /** Whether the connection still answers. */
  sound: boolean;
}

/** The rounds of the scenario, and what they record. */
export class Line {
  readonly #context: Context;
  readonly #tool: HeavyTool;
  readonly #heavy: Connection;
  readonly #cheap: ReadonlyMap<Place, Connection>;

  constructor(context: Context, { tool, heavy, cheap }: { tool: HeavyTool } & Connections) {
    this.#context = context;
    this.#tool = tool;
    this.#heavy = heavy;
    this.#cheap = cheap;
  }

  get recorders() {
    return ["alone", ...this.#cheap.keys(), "heavy"].map((name) =>
      this.#context.distribution(name)
    );
  }

  /** In every place, each after a part of the calls alone, so that what drifts favours neither. */
  async measureRound(index: number): Promise<"stop" | void> {
    const places = [...this.#cheap.keys()];
    const all = new Map<Place | "alone", number[]>([["alone", []]]);
    for (const place of index % 2 === 0 ? places : places.toReversed()) {
      for (const where of ["alone", place] as const) {
        const times = where === "alone" ? await this.#alone() : await this.#beside(where);
        this.#context.signal.throwIfAborted();
        if (times === null) return "stop";
        const recorder = this.#context.distribution(where);
        for (const ns of times) recorder.record(ns);
        all.set(where, [...all.get(where) ?? [], ...times]);
      }
    }
    const alone = lowerMean(all.get("alone")!);
    for (const place of places) {
      const beside = all.get(place)!;
      if (beside.length < FEWEST_CALLS) continue;
      this.#context.scalar(`interference.${place}`, lowerMean(beside) / alone);
    }
  }

  conclude(): void {
    for (const place of this.#cheap.keys()) {
      if (this.#context.distribution(place).rounds.some(({ count }) => count >= FEWEST_CALLS)) {
        continue;
      }
      this.#context.notMeasured(
        `interference.${place}`,
        `no heavy call was outstanding for ${FEWEST_CALLS} cheap ones: name a slower tool first in ` +
          "--heavy-tools, or raise --rate",
      );
    }
  }

  /** One place's part of the calls alone. */
  async #alone(): Promise<number[] | null> {
    const { signal, parameters: { durationMs } } = this.#context;
    const connection = this.#cheap.get("otherConnection")!;
    const { times, sound } = await this.#run(connection, {
      slots: null,
      durationMs: durationMs / this.#cheap.size,
      signal,
    });
    // Without a success there is nothing to hold the others against.
    return sound && times.length > 0 ? times : null;
  }

  /** Cheap calls in a place while a heavy call is outstanding; none where that one failed or was cached. */
  async #beside(place: Place): Promise<number[] | null> {
    const { signal, target, parameters: { maxCheapCalls } } = this.#context;
    const connection = this.#cheap.get(place)!;
    if (!this.#heavy.isOpen || !connection.isOpen) return null;
    const ended = new AbortController();
    const heavy = this.#heavy.call(this.#tool.message()).then((call) => {
      ended.abort();
      return call;
    });
    const { times, sound } = await this.#run(connection, {
      slots: maxCheapCalls,
      durationMs: null,
      signal: AbortSignal.any([signal, ended.signal]),
    });
    const call = await heavy;
    if (!sound || call.status !== "ok") return null;
    if (isFromCache(call, target.observed)) return [];
    this.#context.distribution("heavy").record(call.endedNs - call.sentNs);
    return times;
  }

  /** Sends cheap calls at their rate until the signal, and waits for their ends. */
  async #run(
    connection: Connection,
    { slots, durationMs, signal }: {
      slots: number | null;
      durationMs: number | null;
      signal: AbortSignal;
    },
  ): Promise<CheapRun> {
    const { workload, ledger, clock, maxRatePerSecond, seed } = this.#context;
    const ratePerSecond = Math.min(
      this.#context.parameters.ratePerSecond,
      maxRatePerSecond ?? Infinity,
    );
    const times: number[] = [];
    const { end } = await runOpenLoop([connection], {
      message: workload,
      schedule: createSchedule({ ratePerSecond, arrivals: "constant", slots, durationMs, seed }),
      maxOutstanding: Infinity,
      ledger,
      clock,
      signal,
      onCall: ({ status, sentNs, endedNs }) => {
        // From the sending: it waits for no reply, so that none is left out by one that is slow.
        if (status === "ok") times.push(endedNs - sentNs);
      },
    });
    return { times, sound: end !== "connectionLost" && end !== "silent" };
  }
}
