/**
 * Lets workers begin a scenario together: when every one of those alive is ready for it, or past it.
 */
export class StartBarrier {
  readonly #onGo: (scenario: string) => void;
  /** By worker, what it waits for; `null`: it measures, or has not come so far. */
  readonly #waits = new Map<number, string | null>();
  /** By worker, the scenarios that it has ended. */
  readonly #ended = new Map<number, ReadonlySet<string>>();

  /** @param onGo hears of each scenario that all are ready for */
  constructor(workers: readonly number[], onGo: (scenario: string) => void) {
    for (const worker of workers) this.#waits.set(worker, null);
    this.#onGo = onGo;
  }

  ready(worker: number, scenario: string): void {
    this.#waits.set(worker, scenario);
    this.#look();
  }

  /** A worker has ended these scenarios so far: it will not be ready for them any more. */
  ended(worker: number, scenarios: readonly string[]): void {
    this.#ended.set(worker, new Set(scenarios));
    this.#look();
  }

  /** A worker has ended, by itself or by dying: nobody waits for it. */
  gone(worker: number): void {
    this.#waits.delete(worker);
    this.#look();
  }

  #look(): void {
    for (const scenario of new Set(this.#waits.values())) {
      if (scenario === null) continue;
      const all = [...this.#waits].every(([worker, waitsFor]) =>
        waitsFor === scenario || this.#ended.get(worker)?.has(scenario)
      );
      if (!all) continue;
      for (const [worker, waitsFor] of this.#waits) {
        if (waitsFor === scenario) this.#waits.set(worker, null);
      }
      this.#onGo(scenario);
    }
  }
}
