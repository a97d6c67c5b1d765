import { wait } from "../load/pace.ts";
import { createSchedule } from "../load/schedule.ts";
import type { Connection } from "../client/connection.ts";
import { Objective } from "./objective.ts";
import { runPaced } from "./paced.ts";
import type { ScenarioContext } from "./scenario.ts";

/** A run at a low rate lasts as long as this many calls take. */
const MINIMUM_SLOTS = 20;
/** The bound on outstanding calls never falls under this. */
const MINIMUM_OUTSTANDING = 10;

/** What runs at single rates are made with. */
export interface RateProbeOptions {
  connections: readonly Connection[];
  /** The p99 that must be met, in milliseconds. */
  sloMs: number;
  /** The usual length of a run. */
  durationMs: number;
}

/** What one run saw. */
interface Seen {
  ratePerSecond: number;
  /** The mean latency; `null` where no call succeeded. */
  meanNs: number | null;
  achievedPerSecond: number;
  /** What was wrong; `null`: the objective was met. */
  miss: string | null;
  isClientBound: boolean;
}

/**
 * Runs at one rate after another, each of which meets the objective or misses it, and records the curve.
 * A run is given up as soon as it is sure to miss, so that the latencies of such a rate are those of its
 * beginning.
 */
export class RateProbe {
  readonly #context: ScenarioContext;
  readonly #options: RateProbeOptions;
  readonly #seen: Seen[] = [];
  #isOver = false;

  constructor(context: ScenarioContext, options: RateProbeOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Whether the server has gone, so that every further rate is missed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Whether a rate meets the objective, in a run of so many times the usual length. After one that misses
   * it, the server is left alone for the usual length, so that the next run finds it at rest.
   */
  async meets(ratePerSecond: number, { lengths = 1 } = {}): Promise<boolean> {
    if (this.#isOver) return false;
    const durationMs = this.#options.durationMs * lengths;
    const slots = Math.max(MINIMUM_SLOTS, Math.ceil(ratePerSecond * durationMs / 1000));
    const seen = await this.#run(ratePerSecond, slots);
    this.#context.signal.throwIfAborted();
    this.#seen.push(seen);
    if (seen.miss === null) return true;
    if (!this.#isOver) await wait(this.#options.durationMs, this.#context);
    return false;
  }

  /** What was wrong in the last run that missed: at this rate, or at any where this was not tried. */
  missAt(ratePerSecond: number): string {
    const seen = this.#lastMiss(ratePerSecond) ?? this.#seen.findLast(({ miss }) => miss !== null);
    return seen === undefined ? "not tried" : `at ${seen.ratePerSecond} calls/s ${seen.miss}`;
  }

  /** Whether a rate was missed only as the client itself could not keep the schedule. */
  isClientBoundAt(ratePerSecond: number): boolean {
    return this.#lastMiss(ratePerSecond)?.isClientBound ?? false;
  }

  /**
   * The rate, among those met up to this one, with the most power, which is throughput over mean latency:
   * beyond it latency grows faster than throughput. L. Kleinrock, Power and Deterministic Rules of Thumb
   * for Probabilistic Problems in Computer Communications, ICC 1979.
   */
  knee(highestPerSecond: number): number | null {
    const power = ({ achievedPerSecond, meanNs }: Seen) => achievedPerSecond / (meanNs ?? Infinity);
    const met = this.#seen.filter(({ miss, ratePerSecond }) =>
      miss === null && ratePerSecond <= highestPerSecond
    );
    return met.sort((a, b) => power(b) - power(a))[0]?.ratePerSecond ?? null;
  }

  #lastMiss(ratePerSecond: number): Seen | undefined {
    return this.#seen.findLast((one) => one.ratePerSecond === ratePerSecond && one.miss !== null);
  }

  async #run(ratePerSecond: number, slots: number): Promise<Seen> {
    const context = this.#context;
    const { sloMs, connections } = this.#options;
    const at = { ratePerSecond };
    const latency = context.distribution(`latency@${ratePerSecond}`, { at });
    // By Little's law, more than half of it outstanding is a mean latency over the objective.
    const maxOutstanding = Math.max(
      MINIMUM_OUTSTANDING,
      Math.ceil(2 * ratePerSecond * sloMs / 1000),
    );
    const objective = new Objective({ sloMs, slots, maxOutstanding });
    const { seed } = context;
    const bounds = { slots, durationMs: null, seed };
    latency.startRound();
    const result = await runPaced(context, {
      connections,
      schedule: createSchedule({ ratePerSecond, arrivals: "constant", ...bounds }),
      ratePerSecond,
      maxOutstanding,
      recorders: { latency },
      onCall: (call, intendedNs) => objective.note(call, intendedNs),
      onDropped: () => "stop",
    });
    const { mean } = latency.endRound();
    context.scalar(`throughput@${ratePerSecond}`, result.achievedPerSecond, { at });
    this.#isOver = objective.isServerGone(result);
    return {
      ratePerSecond,
      meanNs: mean,
      achievedPerSecond: result.achievedPerSecond,
      miss: objective.miss(result),
      isClientBound: objective.isClientBound(result),
    };
  }
}
