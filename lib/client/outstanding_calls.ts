import type { Call } from "./call_book.ts";

/** As many calls in flight fit before the table grows. A power of two, as every later length is. */
const FIRST_LENGTH = 16;

/**
 * The calls of a connection that wait for their end, found by their number. A ring, since a map of which
 * entries come and go all the time is laid out anew every few calls.
 *
 * It grows to the distance between the oldest and the newest call that wait at the same time.
 */
export class OutstandingCalls {
  #slots: (Call | undefined)[] = new Array(FIRST_LENGTH).fill(undefined);
  #size = 0;
  #oldest = 1;

  get size(): number {
    return this.#size;
  }

  /** The one with the lowest number. */
  get oldest(): Call | undefined {
    return this.#size === 0 ? undefined : this.get(this.#oldest);
  }

  get(nth: number): Call | undefined {
    const call = this.#slots[nth & (this.#slots.length - 1)];
    return call?.nth === nth ? call : undefined;
  }

  /** Adds a call, whose number is higher than that of any before. */
  add(call: Call): void {
    while (this.#slots[call.nth & (this.#slots.length - 1)] !== undefined) this.#grow();
    this.#slots[call.nth & (this.#slots.length - 1)] = call;
    if (this.#size++ === 0) this.#oldest = call.nth;
  }

  /** Removes a call that is in it. */
  remove(call: Call): void {
    this.#slots[call.nth & (this.#slots.length - 1)] = undefined;
    if (--this.#size === 0) return;
    while (this.get(this.#oldest) === undefined) this.#oldest++;
  }

  /** All of them now, the oldest first. */
  all(): Call[] {
    return this.#slots.filter((call) => call !== undefined).sort((a, b) => a.nth - b.nth);
  }

  #grow(): void {
    const slots = new Array<Call | undefined>(this.#slots.length * 2).fill(undefined);
    for (const call of this.#slots) if (call) slots[call.nth & (slots.length - 1)] = call;
    this.#slots = slots;
  }
}
