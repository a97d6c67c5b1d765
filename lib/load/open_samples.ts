/**
 * What an open loop notes while it runs: cheap to add to, evaluated afterwards.
 *
 * @module
 */

const FIRST_LENGTH = 4096;

/** Numbers in a typed array that doubles when it is full, or only their count. */
export class Samples {
  readonly #areKept: boolean;
  #values = new Float64Array(FIRST_LENGTH);
  #count = 0;

  constructor(areKept = true) {
    this.#areKept = areKept;
  }

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    if (!this.#areKept) return void this.#count++;
    if (this.#count === this.#values.length) {
      const values = new Float64Array(2 * this.#count);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#count++] = value;
  }

  /** The numbers so far, as a view; none if they are not kept. */
  all(): Float64Array {
    return this.#values.subarray(0, this.#areKept ? this.#count : 0);
  }
}

/** The slope of a straight line through points by least squares; the points are not kept. */
export class LinearFit {
  #count = 0;
  #meanX = 0;
  #meanY = 0;
  #squares = 0;
  #products = 0;

  /**
   * Adds a point. Means and sums of deviations are kept up to date (B. P. Welford, Note on a Method for
   * Calculating Corrected Sums of Squares and Products, 1962), as sums of squares would cancel out.
   */
  add(x: number, y: number): void {
    const dx = x - this.#meanX;
    this.#count++;
    this.#meanX += dx / this.#count;
    this.#meanY += (y - this.#meanY) / this.#count;
    this.#squares += dx * (x - this.#meanX);
    this.#products += dx * (y - this.#meanY);
  }

  /** Units of y for each unit of x; 0 where the points have no two different x. */
  get slope(): number {
    return this.#squares > 0 ? this.#products / this.#squares : 0;
  }
}
