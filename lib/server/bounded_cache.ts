/**
 * A map that keeps the newest `size` entries, and at most twice as many.
 *
 * It has two generations: when the young one is full, it replaces the old one. A write is one
 * `Map.set` with no search for a victim, which matters as every call of a fast server writes here.
 */
export class BoundedCache<V> {
  readonly #size: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(size: number) {
    this.#size = size;
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    return this.#old.size === 0 ? undefined : this.#old.get(key);
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#size && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Like {@link get}, but also makes the entry young, so that entries in use outlive idle ones. */
  refresh(key: string): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }
}
