/** Enough for a slice of 0.1 s at the highest rate that one client reaches. */
const FIRST_LENGTH = 2 ** 15;

/** Unused buffers, kept so that the next slice need not allocate or grow one. */
const spare: TimeBuffer[] = [];

/** Collects times while calls are made, with as little work per call as possible. */
export class TimeBuffer {
  #times = new Float64Array(FIRST_LENGTH);
  #count = 0;

  /** An empty buffer for exclusive use until it is released. */
  static take(): TimeBuffer {
    return spare.pop() ?? new TimeBuffer();
  }

  push(ns: number): void {
    if (this.#count === this.#times.length) this.#grow();
    this.#times[this.#count++] = ns;
  }

  /** The times so far, as a view. */
  view(): Float64Array {
    return this.#times.subarray(0, this.#count);
  }

  /** Returns a copy of the times, and the buffer to the pool. Call it after the window. */
  release(): Float64Array {
    const times = this.view().slice();
    this.#count = 0;
    spare.push(this);
    return times;
  }

  #grow(): void {
    const longer = new Float64Array(2 * this.#times.length);
    longer.set(this.#times);
    this.#times = longer;
  }
}
