import type { Call } from "./call.ts";
import { openLedger } from "./ledger.ts";

/** A call as its book writes it. A `nth` of 0 marks one that is free to be used. */
export type WritableCall = { -readonly [Key in keyof Call]: Call[Key] };

/** As many calls in flight fit before the table grows. A power of two, as every later length is. */
const FIRST_LENGTH = 16;

/**
 * The calls of a connection that wait for their end, found by their number. A ring of objects that are used
 * again, since a map of which entries come and go all the time is laid out anew every few calls.
 *
 * It grows to the distance between the oldest and the newest call that wait at the same time.
 */
export class OutstandingCalls {
  #ring: WritableCall[] = Array.from({ length: FIRST_LENGTH }, freeCall);
  #size = 0;
  #oldest = 1;

  get size(): number {
    return this.#size;
  }

  /** The one with the lowest number. */
  get oldest(): WritableCall | undefined {
    return this.#size === 0 ? undefined : this.get(this.#oldest);
  }

  get(nth: number): WritableCall | undefined {
    const call = this.#ring[nth & (this.#ring.length - 1)]!;
    return call.nth === nth && call.status === "outstanding" ? call : undefined;
  }

  /** Adds a call, whose number is higher than that of any before: what else it is, its user has to write. */
  add(nth: number): WritableCall {
    while (this.#ring[nth & (this.#ring.length - 1)]!.nth !== 0) this.#grow();
    const call = this.#ring[nth & (this.#ring.length - 1)]!;
    call.nth = nth;
    call.status = "outstanding";
    if (this.#size++ === 0) this.#oldest = nth;
    return call;
  }

  /** Ends a call that is in it. Its object is kept for it until it is freed. */
  end(call: WritableCall, status: Exclude<Call["status"], "outstanding">): void {
    call.status = status;
    if (--this.#size === 0 || call.nth !== this.#oldest) return;
    while (this.get(this.#oldest) === undefined) this.#oldest++;
  }

  /** Gives the object of a call that has ended to another call. */
  free(call: WritableCall): void {
    call.nth = 0;
  }

  #grow(): void {
    const ring = Array.from({ length: this.#ring.length * 2 }, freeCall);
    for (const call of this.#ring) if (call.nth !== 0) ring[call.nth & (ring.length - 1)] = call;
    this.#ring = ring;
  }
}

const NO_LEDGER = openLedger();

function freeCall(): WritableCall {
  return {
    id: "",
    nth: 0,
    ledger: NO_LEDGER,
    onEnd: () => {},
    tool: "",
    sentNs: 0,
    endedNs: 0,
    status: "aborted",
    streamed: false,
    firstProgressNs: 0,
    fromCache: false,
    errorCode: "",
    errorMessage: "",
  };
}
