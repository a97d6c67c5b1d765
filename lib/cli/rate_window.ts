/** How far back the present rate looks. */
const WINDOW_NS = 1e9;

/** The rate of a count that only grows, over about the last second. */
export class RateWindow {
  #readings: { atNs: number; count: number }[] = [];

  /**
   * Takes a reading, and gives the count per second since the first one within the window, or the last
   * one before it; `null` for the first reading.
   */
  add(atNs: number, count: number): number | null {
    this.#readings.push({ atNs, count });
    const from = this.#readings.findLastIndex((reading) => reading.atNs <= atNs - WINDOW_NS);
    if (from > 0) this.#readings.splice(0, from);
    const [first] = this.#readings;
    const elapsedNs = atNs - first!.atNs;
    return elapsedNs > 0 ? (count - first!.count) / (elapsedNs / 1e9) : null;
  }

  /** Forgets every reading. */
  reset(): void {
    this.#readings = [];
  }
}
