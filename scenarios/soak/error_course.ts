import { counted } from "../../lib/run/describe_end.ts";
import type { Check } from "../../lib/schema.ts";

/** Counts failed calls by the interval of their end, to report when they came. */
export class ErrorCourse {
  readonly #startNs: number;
  readonly #intervalNs: number;
  readonly #failures = new Map<number, number>();
  #firstNs: number | null = null;

  constructor({ startNs, intervalMs }: { startNs: number; intervalMs: number }) {
    this.#startNs = startNs;
    this.#intervalNs = intervalMs * 1e6;
  }

  /** Counts one that ended at this time of the clock. */
  note(atNs: number): void {
    const interval = this.#intervalAt(atNs);
    this.#failures.set(interval, (this.#failures.get(interval) ?? 0) + 1);
    this.#firstNs ??= atNs;
  }

  /** The check that no call failed up to now. */
  check(nowNs: number): Check {
    const intervals = this.#intervalAt(nowNs) + 1;
    const failed = [...this.#failures.values()];
    const total = failed.reduce((sum, count) => sum + count, 0);
    return {
      kind: "errorsOverTime",
      name: "errors over time",
      passed: total === 0,
      expected: `none in any of ${intervals} intervals`,
      observed: this.#firstNs === null
        ? `none in any of ${intervals} intervals`
        : `${total} in ${failed.length} of ${counted(intervals, "interval")}, up to ${
          Math.max(...failed)
        } in one, the first after ${((this.#firstNs - this.#startNs) / 1e9).toFixed(1)} s`,
    };
  }

  #intervalAt(atNs: number): number {
    return Math.floor((atNs - this.#startNs) / this.#intervalNs);
  }
}
