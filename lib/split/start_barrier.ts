/**
 * Lets workers begin a turn together: when every one of those alive is ready for it, or for a later one.
 */
export class StartBarrier {
  readonly #onGo: (order: number) => void | Promise<void>;
  /** By worker, the turn that it is ready for; `null`: it measures, or has not come so far. */
  readonly #waits = new Map<number, number | null>();

  /** @param onGo hears of each turn that all are ready for */
  constructor(workers: readonly number[], onGo: (order: number) => void | Promise<void>) {
    for (const worker of workers) this.#waits.set(worker, null);
    this.#onGo = onGo;
  }

  ready(worker: number, order: number): void {
    this.#waits.set(worker, order);
    this.#look();
  }

  /** A worker has ended, by itself or by dying: nobody waits for it. */
  gone(worker: number): void {
    this.#waits.delete(worker);
    this.#look();
  }

  /** Turns come in order, so that a worker that waits for a later one has no use for the earliest. */
  #look(): void {
    const waits = [...this.#waits.values()];
    if (waits.length === 0 || waits.includes(null)) return;
    const earliest = Math.min(...waits as number[]);
    for (const [worker, order] of this.#waits) {
      if (order === earliest) this.#waits.set(worker, null);
    }
    void this.#onGo(earliest);
  }
}
