/**
 * When the measured rounds begin, so that shards measure at the same time, and when they did.
 *
 * @module
 */

import type { Measured } from "../schema.ts";
import type { Clock } from "../client/clock.ts";
import { wait } from "../load/pace.ts";

/** Tells a scenario that is ready when its first measured round begins. */
export interface StartGate {
  /**
   * In unix milliseconds; `null`: at once. Resolves when that is known, which may take as long as the other
   * shards need to be ready.
   */
  startOf(scenario: string): Promise<number | null>;
}

/** A first round that begins more than this after its time is late. */
export const LATE_START_MS = 50;
/** Between two rounds, for the last replies of one and the garbage collection before the next. */
export const ROUND_GAP_MS = 200;

/**
 * How long after the beginning of a round the next one is to begin, in milliseconds; `null` where a round
 * lasts as long as its calls take.
 */
export function roundPeriodMs(
  { messages, durationMs }: Readonly<Record<string, unknown>>,
): number | null {
  const isCounted = messages !== undefined && messages !== null;
  return isCounted || typeof durationMs !== "number" ? null : durationMs + ROUND_GAP_MS;
}

/** Where the rounds of one scenario begin, and what came of it. */
export class RoundTimes {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #startOf: () => Promise<number | null>;
  readonly #periodMs: number | null;
  readonly #rounds: Measured["rounds"] = [];
  #planned: Promise<number | null> | null = null;
  #plannedStartMs: number | null = null;

  constructor(
    options: {
      clock: Clock;
      signal: AbortSignal;
      startOf: () => Promise<number | null>;
      /** See {@linkcode roundPeriodMs}. */
      periodMs: number | null;
    },
  ) {
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#startOf = options.startOf;
    this.#periodMs = options.periodMs;
  }

  /** Whether the measured phase has begun, or waits for it. */
  get hasBegun(): boolean {
    return this.#planned !== null;
  }

  /** Resolves when the measured phase may begin; at once where it has, or where no time is planned. */
  async begin(): Promise<void> {
    this.#planned ??= this.#startOf();
    this.#plannedStartMs = await this.#planned;
    if (this.#plannedStartMs !== null) await this.#until(this.#plannedStartMs);
    this.#signal.throwIfAborted();
  }

  /** Waits for the time of a round, counted from 0, and notes its beginning. */
  async startRound(index: number): Promise<void> {
    await this.begin();
    if (this.#plannedStartMs !== null && this.#periodMs !== null) {
      await this.#until(this.#plannedStartMs + index * this.#periodMs);
    }
    const startMs = this.#unixMs();
    this.#rounds.push({ startMs, endMs: startMs });
  }

  /** Notes the end of the round that was started last. */
  endRound(): void {
    this.#rounds[this.#rounds.length - 1]!.endMs = this.#unixMs();
  }

  get measured(): Measured {
    return {
      plannedStartMs: this.#plannedStartMs,
      rounds: this.#rounds.map((round) => ({ ...round })),
    };
  }

  /** How much later than planned the first round began, in milliseconds; `null`: nothing was planned. */
  get startOffsetMs(): number | null {
    return startOffsetMs(this.measured);
  }

  #unixMs(): number {
    return this.#clock.date().getTime();
  }

  async #until(unixMs: number): Promise<void> {
    const waitMs = unixMs - this.#unixMs();
    if (waitMs > 0) await wait(waitMs, { clock: this.#clock, signal: this.#signal });
    this.#signal.throwIfAborted();
  }
}

/** How much later than planned the first round began, in milliseconds; `null`: not planned, or none began. */
export function startOffsetMs({ plannedStartMs, rounds }: Measured): number | null {
  const first = rounds[0];
  return plannedStartMs === null || first === undefined ? null : first.startMs - plannedStartMs;
}
