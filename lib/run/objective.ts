import type { Call } from "../client/call_book.ts";
import type { PacedResult } from "./paced.ts";

/** At most this share of the calls may take longer than the objective: its p99. */
const OVER_SHARE = 0.01;

/** What a run is held against. */
export interface ObjectiveOptions {
  /** In milliseconds, from the intended time of sending. */
  sloMs: number;
  /** How many calls the run is to send. */
  slots: number;
  /** The bound at which it drops slots. */
  maxOutstanding: number;
}

/**
 * Holds the calls of one run against an objective: none fails, and at most 1 % take longer. So at least
 * 99 % of the offered rate is achieved.
 */
export class Objective {
  readonly #options: ObjectiveOptions;
  readonly #sloNs: number;
  readonly #mayBeSlow: number;
  #failed = 0;
  #timedOut = 0;
  #slow = 0;
  /** Those of the slow that were not from when they were sent: the client was late, not the server. */
  #slowByClient = 0;
  #longestSlipNs = 0;

  constructor(options: ObjectiveOptions) {
    this.#options = options;
    this.#sloNs = options.sloMs * 1e6;
    this.#mayBeSlow = Math.floor(options.slots * OVER_SHARE);
  }

  /** Counts a call that has ended; `"stop"` where the objective is missed for sure. */
  note({ status, sentNs, endedNs }: Call, intendedNs: number): "stop" | void {
    if (status !== "ok") this.#failed++;
    if (status === "timeout") this.#timedOut++;
    this.#longestSlipNs = Math.max(this.#longestSlipNs, sentNs - intendedNs);
    if (endedNs - intendedNs > this.#sloNs) {
      this.#slow++;
      if (endedNs - sentNs <= this.#sloNs) this.#slowByClient++;
    }
    if (this.#failed > 0 || this.#slow > this.#mayBeSlow) return "stop";
  }

  /** Whether the server has gone: it closed every connection, or answered nothing. */
  isServerGone({ end, ok }: PacedResult): boolean {
    return end === "connectionLost" || end === "silent" || (ok === 0 && this.#timedOut > 0);
  }

  /** Whether it was missed only as the client sent calls too late. */
  isClientBound({ dropped }: PacedResult): boolean {
    if (dropped > 0) return this.#longestSlipNs > this.#sloNs;
    return this.#failed === 0 && this.#slow > this.#mayBeSlow &&
      this.#slow - this.#slowByClient <= this.#mayBeSlow;
  }

  /** The first thing that was wrong, in words; `null`: the objective was met. */
  miss(result: PacedResult): string | null {
    const { end, sent, ok, dropped } = result;
    const { sloMs, maxOutstanding } = this.#options;
    if (end === "connectionLost") return "the connections were lost";
    if (this.isServerGone(result)) return "the server answered nothing";
    if (this.#failed > 0) return `${this.#failed} of ${sent} calls failed, ${ok} succeeded`;
    if (dropped > 0) return `the server fell behind by ${maxOutstanding} calls`;
    if (this.#slow <= this.#mayBeSlow) return null;
    const byClient = this.#slowByClient === 0
      ? ""
      : `, ${this.#slowByClient} of them as the client sent them late`;
    return `${this.#slow} of ${sent} calls took over ${sloMs} ms${byClient}`;
  }
}
