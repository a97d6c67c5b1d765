import type { Call } from "../../lib/client/call.ts";
import { CallBook } from "../../lib/client/call_book.ts";
import { type OpenLedger, openLedger } from "../../lib/client/ledger.ts";
import type { Caller } from "../../lib/load/closed.ts";
import type { FakeClock } from "./fake_clock.ts";

/** How and when a call ends; `connectionLost` ends all calls. */
export type Reply = {
  ms: number;
  end: "ok" | "toolError" | "timeout" | "connectionLost" | "never";
};

/** A connection on a fake clock with a real call book and scripted replies. */
export class FakeCaller implements Caller {
  isOpen = true;
  timedOutInRow = 0;
  readonly warmup: OpenLedger;
  readonly ledger = openLedger();
  readonly sentAtMs: number[] = [];
  mostInFlight = 0;
  readonly #clock: FakeClock;
  readonly #reply: (nth: number) => Reply;
  readonly #book: CallBook;

  constructor(clock: FakeClock, reply: (nth: number) => Reply, warmup = openLedger()) {
    this.warmup = warmup;
    this.#clock = clock;
    this.#reply = reply;
    const observed = { streamComplete: false, rateLimit: null };
    this.#book = new CallBook("f-", { ledger: this.warmup, observed });
  }

  /** The ledger that counts frames which belong to no call. */
  get ledgerInUse(): OpenLedger {
    return this.#book.ledger;
  }

  send(_message: unknown, onEnd: (call: Call) => void, fromNs?: number): void {
    if (!this.isOpen) throw new Error("closed");
    const { id, nth, sentNs } = this.#book.begin(fromNs ?? this.#clock.nowNs(), onEnd);
    this.sentAtMs.push(this.#clock.nowNs() / 1e6);
    this.mostInFlight = Math.max(this.mostInFlight, this.#book.outstanding);
    const { ms, end } = this.#reply(nth);
    if (end !== "never") this.#clock.after(ms, () => this.#end(id, sentNs, end));
  }

  useLedger(ledger: OpenLedger): void {
    this.#book.ledger = ledger;
  }

  endAll(status: "connectionLost" | "aborted"): void {
    this.isOpen = false;
    this.#book.endAll(status, this.#clock.nowNs());
  }

  #end(id: string, sentNs: number, end: Exclude<Reply["end"], "never">): void {
    const nowNs = this.#clock.nowNs();
    if (end === "timeout") this.#book.expire(sentNs, nowNs);
    else if (end === "connectionLost") this.endAll(end);
    else if (end === "ok") this.#book.receive({ kind: "result", id, fromCache: false }, nowNs);
    else this.#book.receive({ kind: "toolError", id, code: "E", message: "" }, nowNs);
  }
}
