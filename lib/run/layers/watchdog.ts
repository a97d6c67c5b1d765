import type { Clock } from "../../client/clock.ts";

/** What a watchdog watches by. */
export interface WatchdogOptions {
  clock: Clock;
  /** How long an answer may take, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Called at most once. */
  giveUp: () => void;
}

/** Gives up on a question that is not answered in time, or when the run is interrupted. Dispose of it. */
export class Watchdog implements Disposable {
  readonly #options: WatchdogOptions;
  #askedNs: number | null = null;
  #cancel: () => void = () => {};

  constructor(options: WatchdogOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", this.#bite, { once: true });
    if (options.signal.aborted) this.#bite();
    else this.#wakeIn(options.timeoutMs);
  }

  /** A question is asked, at this time of the clock. */
  begin(nowNs: number): void {
    this.#askedNs = nowNs;
  }

  /** It is answered. */
  end(): void {
    this.#askedNs = null;
  }

  [Symbol.dispose](): void {
    this.#cancel();
    this.#options.signal.removeEventListener("abort", this.#bite);
  }

  /** One timer for all questions: it looks how long the one that waits has waited. */
  #wakeIn(delayMs: number): void {
    const { clock, timeoutMs } = this.#options;
    this.#cancel = clock.after(delayMs, () => {
      const waitedMs = this.#askedNs === null ? 0 : (clock.nowNs() - this.#askedNs) / 1e6;
      if (waitedMs >= timeoutMs) this.#bite();
      else this.#wakeIn(Math.ceil(timeoutMs - waitedMs));
    });
  }

  readonly #bite = (): void => {
    this[Symbol.dispose]();
    this.#options.giveUp();
  };
}
