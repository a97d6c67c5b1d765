/** Room for a slice of 0.1 s at the highest rate that one client reaches, with some to spare. */
const FIRST_LENGTH = 2 ** 15;

/** Buffers that no slice uses now, so that the next one need not allocate, nor grow, again. */
const spare: TimeBuffer[] = [];

/** Takes times while calls are made, with as little work for each as there can be. */
export class TimeBuffer {
  #times = new Float64Array(FIRST_LENGTH);
  #count = 0;

  /** One that is empty and nobody else's, until it is released. */
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

  /** Gives the buffer back, and its times as an array of the caller's own: a copy, made after the window. */
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
