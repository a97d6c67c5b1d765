import { createSchedule } from "../load/schedule.ts";
import type { Connection } from "../net/connection.ts";
import { type PacedResult, runPaced } from "./paced.ts";
import type { ScenarioContext } from "./scenario.ts";

/** At most this share of the calls may take longer than the objective: its p99. */
const OVER_SHARE = 0.01;
/** A run at a low rate lasts as long as this many calls take. */
const MINIMUM_SLOTS = 20;
/** The bound on outstanding calls never falls under this. */
const MINIMUM_OUTSTANDING = 10;

/** What runs at single rates are made with. */
export interface RateProbeOptions {
  connections: readonly Connection[];
  sloMs: number;
  durationMs: number;
}

/** What one run saw. */
interface Seen {
  ratePerSecond: number;
  meanNs: number | null;
  achievedPerSecond: number;
  /** What was wrong; `null`: the objective was met. */
  miss: string | null;
  clientBound: boolean;
}

/** What went wrong among the calls of a run. */
interface Failures {
  errors: number;
  /** Over the objective. */
  slow: number;
  /** Those of them that were within it from when they were sent: the client was late, not the server. */
  slowByClient: number;
  /** Whether a call was sent later than the objective allows for all of it. */
  sentTooLate: boolean;
}

/**
 * Runs at one rate after another, each of which meets an objective or misses it: none of the calls fails,
 * and at most 1 % take longer than the objective, by their intended time. So at least 99 % of the offered
 * rate is achieved. A run is given up as soon as it is sure to miss, so that the latencies of such a rate
 * are of its beginning.
 */
export class RateProbe {
  readonly #context: ScenarioContext;
  readonly #options: RateProbeOptions;
  readonly #seen: Seen[] = [];
  #runs = 0;
  #isOver = false;

  constructor(context: ScenarioContext, options: RateProbeOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Whether the server has gone, so that every further rate is missed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether a rate meets the objective, in a run of so many times the usual length. */
  async meets(ratePerSecond: number, { lengths = 1 } = {}): Promise<boolean> {
    if (this.#isOver) return false;
    const durationMs = this.#options.durationMs * lengths;
    const slots = Math.max(MINIMUM_SLOTS, Math.ceil(ratePerSecond * durationMs / 1000));
    const seen = await this.#run(ratePerSecond, slots);
    this.#seen.push(seen);
    return seen.miss === null;
  }

  /** What was wrong in the last run at a rate that was missed. */
  missAt(ratePerSecond: number): string {
    return this.#lastMiss(ratePerSecond)?.miss ?? "not tried";
  }

  /** Whether the client itself could not keep the schedule of a rate that was missed. */
  isClientBoundAt(ratePerSecond: number): boolean {
    return this.#lastMiss(ratePerSecond)?.clientBound ?? false;
  }

  /**
   * The rate, among those met, with the most power, which is throughput over mean latency: beyond it
   * latency grows faster than throughput. L. Kleinrock, Power and Deterministic Rules of Thumb for
   * Probabilistic Problems in Computer Communications, ICC 1979.
   */
  knee(): number | null {
    const power = ({ achievedPerSecond, meanNs }: Seen) => achievedPerSecond / (meanNs ?? Infinity);
    const met = this.#seen.filter(({ miss }) => miss === null);
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
    const sloNs = sloMs * 1e6;
    const failures: Failures = { errors: 0, slow: 0, slowByClient: 0, sentTooLate: false };
    const mayBeSlow = Math.floor(slots * OVER_SHARE);
    // By Little's law, more than half of it outstanding is a mean latency over the objective.
    const maxOutstanding = Math.max(
      MINIMUM_OUTSTANDING,
      Math.ceil(2 * ratePerSecond * sloMs / 1000),
    );
    const schedule = createSchedule({
      ratePerSecond,
      arrivals: "constant",
      slots,
      durationMs: null,
      seed: context.seed + this.#runs++,
    });
    latency.startRound();
    const result = await runPaced(context, {
      connections,
      schedule,
      ratePerSecond,
      maxOutstanding,
      recorders: { latency },
      onCall: ({ status, sentNs, endedNs }, intendedNs) => {
        if (status !== "ok") failures.errors++;
        if (sentNs - intendedNs > sloNs) failures.sentTooLate = true;
        if (endedNs - intendedNs > sloNs) {
          failures.slow++;
          if (endedNs - sentNs <= sloNs) failures.slowByClient++;
        }
        return failures.errors > 0 || failures.slow > mayBeSlow ? "stop" : undefined;
      },
      onDropped: () => "stop",
    });
    const { mean } = latency.endRound();
    context.signal.throwIfAborted();
    context.scalar(`throughput@${ratePerSecond}`, result.achievedPerSecond, { at });
    this.#isOver = result.end === "connectionLost" || result.end === "silent";
    return {
      ratePerSecond,
      meanNs: mean,
      achievedPerSecond: result.achievedPerSecond,
      miss: describeMiss(result, { failures, mayBeSlow, maxOutstanding, sloMs }),
      clientBound: result.dropped > 0
        ? failures.sentTooLate
        : failures.errors === 0 && failures.slow - failures.slowByClient <= mayBeSlow,
    };
  }
}

/** The first thing that was wrong, in words; `null` if nothing was. */
function describeMiss(
  { end, sent, ok, dropped }: PacedResult,
  { failures, mayBeSlow, maxOutstanding, sloMs }: {
    failures: Failures;
    mayBeSlow: number;
    maxOutstanding: number;
    sloMs: number;
  },
): string | null {
  if (end === "connectionLost") return "the connections were lost";
  if (end === "silent") return "the server went silent";
  if (failures.errors > 0) return `${failures.errors} of ${sent} calls failed, ${ok} succeeded`;
  if (dropped > 0) return `the server fell behind by ${maxOutstanding} calls`;
  if (failures.slow <= mayBeSlow) return null;
  const client = failures.slowByClient === 0
    ? ""
    : `, ${failures.slowByClient} of them as the client sent them late`;
  return `${failures.slow} of ${sent} calls took over ${sloMs} ms${client}`;
}
