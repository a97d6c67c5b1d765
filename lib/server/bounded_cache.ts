/**
 * A map that forgets its oldest entries: it keeps the newest `size`, and at most twice as many.
 *
 * Two generations instead of one ordered map: a full young one becomes the old one, whose entries go
 * all at once. So a write costs one `Map.set` and never a search for a victim, which matters where
 * every call of a fast server writes here.
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

  /** Like {@link get}, and makes the entry young again: for entries that must outlive idle ones. */
  refresh(key: string): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }
}
