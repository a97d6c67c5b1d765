import type { Call } from "./call.ts";
import { openLedger } from "./ledger.ts";

/** Initial capacity. Always a power of two. */
const FIRST_LENGTH = 16;

/**
 * A connection's calls in flight, by number. A ring of reused objects, because a Map whose entries
 * come and go is rehashed every few calls. It grows to span the oldest and the newest call. The
 * `nth` of a free object is 0.
 */
export class OutstandingCalls {
  #ring: Call[] = Array.from({ length: FIRST_LENGTH }, freeCall);
  #size = 0;
  #oldest = 1;

  get size(): number {
    return this.#size;
  }

  /** The call with the lowest number. */
  get oldest(): Call | undefined {
    return this.#size === 0 ? undefined : this.get(this.#oldest);
  }

  get(nth: number): Call | undefined {
    const call = this.#ring[nth & (this.#ring.length - 1)]!;
    return call.nth === nth && call.status === "outstanding" ? call : undefined;
  }

  /** Adds a call with a higher number than any before; the caller must set all other fields. */
  add(nth: number): Call {
    while (this.#ring[nth & (this.#ring.length - 1)]!.nth !== 0) this.#grow();
    const call = this.#ring[nth & (this.#ring.length - 1)]!;
    call.nth = nth;
    call.status = "outstanding";
    if (this.#size++ === 0) this.#oldest = nth;
    return call;
  }

  /** Ends an outstanding call. Its object is not reused until `free`. */
  end(call: Call, status: Exclude<Call["status"], "outstanding">): void {
    call.status = status;
    if (--this.#size === 0 || call.nth !== this.#oldest) return;
    while (this.get(this.#oldest) === undefined) this.#oldest++;
  }

  /** Releases the object of an ended call for reuse. */
  free(call: Call): void {
    call.nth = 0;
  }

  #grow(): void {
    const ring = Array.from({ length: this.#ring.length * 2 }, freeCall);
    for (const call of this.#ring) if (call.nth !== 0) ring[call.nth & (ring.length - 1)] = call;
    this.#ring = ring;
  }
}

const NO_LEDGER = openLedger();

function freeCall(): Call {
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
