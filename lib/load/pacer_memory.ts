/** Capacity of the ring in times; a power of two. */
const CAPACITY = 64;

/** Indices of the counters. Counts wrap around at 2^31, so only differences are meaningful. */
const [WRITTEN, READ, SKIPPED, IDLE, SIGNAL, STOPPED, FULL, LEAD_NS] = [0, 1, 2, 3, 4, 5, 6, 7];
const COUNTERS = 8;
const HEADER_BYTES = 4 * COUNTERS;

/**
 * A ring of times that a pacer's main thread writes and its worker reads, in milliseconds of the
 * worker's `performance.now()`. The worker goes from one time to the next unprompted: notifying it
 * of each one would cost the main thread about 15 us.
 */
export class PacerMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #counters: Int32Array;
  readonly #timesMs: Float64Array;

  constructor(buffer = new SharedArrayBuffer(HEADER_BYTES + 8 * CAPACITY)) {
    this.buffer = buffer;
    this.#counters = new Int32Array(buffer, 0, COUNTERS);
    this.#timesMs = new Float64Array(buffer, HEADER_BYTES, CAPACITY);
  }

  /** Number of times written so far. */
  get written(): number {
    return Atomics.load(this.#counters, WRITTEN);
  }

  /** How long before each time the worker wakes up, in nanoseconds; negative: after it. */
  set leadNs(value: number) {
    Atomics.store(this.#counters, LEAD_NS, value);
  }

  /** Adds a time. Returns false if the ring is full; the worker then reports when it is not. */
  write(timeMs: number): boolean {
    const { written } = this;
    if (((written - Atomics.load(this.#counters, READ)) | 0) >= CAPACITY) {
      Atomics.store(this.#counters, FULL, 1);
      return false;
    }
    this.#timesMs[written & (CAPACITY - 1)] = timeMs;
    Atomics.store(this.#counters, WRITTEN, (written + 1) | 0);
    if (Atomics.load(this.#counters, IDLE) === 1) this.#wake();
    return true;
  }

  /** Cancels the times up to this number that the worker has not woken for yet. */
  skip(count = this.written): void {
    Atomics.store(this.#counters, SKIPPED, count);
    if (count === this.written) this.#wake();
  }

  /** Makes `serve` return. */
  stop(): void {
    Atomics.store(this.#counters, STOPPED, 1);
    this.#wake();
  }

  /** The worker's loop: reports how many times it has woken for, until stopped. */
  serve(onWake: (count: number) => void): void {
    const counters = this.#counters;
    let read = 0;
    while (Atomics.load(counters, STOPPED) === 0) {
      const signal = Atomics.load(counters, SIGNAL);
      if (isAfter(Atomics.load(counters, SKIPPED), read)) read = Atomics.load(counters, SKIPPED);
      Atomics.store(counters, READ, read);
      if (Atomics.exchange(counters, FULL, 0) === 1) onWake(read);
      if (read === this.written) this.#idle(read, signal);
      else if (Atomics.wait(counters, SIGNAL, signal, this.#waitMs(read)) === "timed-out") {
        do read = (read + 1) | 0; while (read !== this.written && this.#waitMs(read) <= 0);
        if (isAfter(read, Atomics.load(counters, SKIPPED))) onWake(read);
      }
    }
  }

  /** Sleeps until there is something to read. The second check avoids a race with the flag. */
  #idle(read: number, signal: number): void {
    Atomics.store(this.#counters, IDLE, 1);
    if (read === this.written) Atomics.wait(this.#counters, SIGNAL, signal);
    Atomics.store(this.#counters, IDLE, 0);
  }

  #waitMs(nth: number): number {
    const leadMs = Atomics.load(this.#counters, LEAD_NS) / 1e6;
    return Math.max(0, this.#timesMs[nth & (CAPACITY - 1)]! - leadMs - performance.now());
  }

  #wake(): void {
    Atomics.add(this.#counters, SIGNAL, 1);
    Atomics.notify(this.#counters, SIGNAL);
  }
}

/** True if counter `a` is past `b`; both wrap around. */
export function isAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
