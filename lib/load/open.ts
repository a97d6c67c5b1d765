import type { Clock } from "../client/clock.ts";
import type { Call } from "../client/call_book.ts";
import type { Connection, Message } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { SILENCE_LIMIT } from "./closed.ts";
import { nextTurn, type Soon, wakeBefore } from "./pacer.ts";
import type { Schedule } from "./schedule.ts";

/** What an open loop sends on. */
export type OpenLoopConnection = Pick<Connection, "isOpen" | "send">;

/** How calls are sent at their times. */
export interface OpenLoopOptions {
  message: () => Message;
  schedule: Schedule;
  /** With this many calls outstanding on all connections, a slot is dropped. */
  maxOutstanding: number;
  /** Where dropped slots are counted. The connections count the rest. */
  ledger: OpenLedger;
  clock: Clock;
  signal: AbortSignal;
  /** How to wait for a slot that is near. */
  soon?: Soon;
  /**
   * Hears of the end of each call and when it should have been sent; its latency counts from there.
   * `"stop"` ends the loop.
   */
  onCall: (call: Call, intendedNs: number) => "stop" | void;
  /** Hears of each dropped slot; `"stop"` ends the loop. */
  onDropped?: () => "stop" | void;
}

/** What an open loop did. `slots = sent + dropped`. */
export interface OpenLoopResult {
  /** Slots that fell due while it ran. */
  slots: number;
  sent: number;
  ok: number;
  /** Slots never sent: too much was outstanding, or the connection was gone. */
  dropped: number;
  /** What its schedule began with, and the end of its last call, in nanoseconds of the clock. */
  startNs: number;
  endNs: number;
  /**
   * Successes a second that came in while the schedule lasted. Those that came after it do not count:
   * they are the backlog of a server that fell behind.
   */
  achievedPerSecond: number;
  /** `silent`: three calls waited in vain while no other was answered either. */
  end: "complete" | "stopped" | "connectionLost" | "silent" | "aborted";
}

/**
 * Sends the calls of a schedule at their times, slot k on connection k mod K, whatever has become of
 * the calls before. A slot that cannot be sent in time is sent late, one after the other; it is
 * dropped only where too many calls are outstanding or its connection is gone. Resolves when all calls
 * have ended; never rejects for what the server does.
 *
 * @throws {RangeError} if there is no connection, or `maxOutstanding` is not from 1
 */
export function runOpenLoop(
  connections: readonly OpenLoopConnection[],
  options: OpenLoopOptions,
): Promise<OpenLoopResult> {
  if (connections.length === 0) {
    throw new RangeError("Cannot run an open loop as there is no connection");
  }
  if (!(options.maxOutstanding >= 1)) {
    throw new RangeError(
      `Cannot run an open loop as maxOutstanding must be >= 1: it is ${options.maxOutstanding}`,
    );
  }
  return new OpenLoop(connections, options).run();
}

/** The state of one loop. */
class OpenLoop {
  readonly #connections: readonly OpenLoopConnection[];
  readonly #options: OpenLoopOptions;
  readonly #done = Promise.withResolvers<OpenLoopResult>();
  readonly #startNs: number;
  /** When the next slot is due, in nanoseconds from the start; `null` after the last. */
  #nextOffsetNs: number | null;
  #slots = 0;
  #sent = 0;
  #ok = 0;
  #okInTime = 0;
  #outstanding = 0;
  #lastEndNs: number;
  #lastAnswerNs: number;
  #unansweredInSilence = 0;
  #end: OpenLoopResult["end"] | null = null;
  #cancelWait = () => {};

  constructor(connections: readonly OpenLoopConnection[], options: OpenLoopOptions) {
    this.#connections = connections;
    this.#options = options;
    this.#nextOffsetNs = options.schedule.next();
    this.#startNs = options.clock.nowNs();
    this.#lastEndNs = this.#startNs;
    this.#lastAnswerNs = this.#startNs;
  }

  run(): Promise<OpenLoopResult> {
    const { signal } = this.#options;
    const onAbort = () => this.#finish("aborted");
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else this.#pace();
    return this.#done.promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** Takes every slot that is due, then waits for the next. */
  #pace(): void {
    const { clock, soon = nextTurn } = this.#options;
    const elapsedNs = clock.nowNs() - this.#startNs;
    while (this.#end === null && this.#nextOffsetNs !== null && this.#nextOffsetNs <= elapsedNs) {
      this.#takeSlot(this.#startNs + this.#nextOffsetNs);
      this.#nextOffsetNs = this.#options.schedule.next();
    }
    if (this.#end !== null) return;
    if (this.#nextOffsetNs === null) return this.#finish("complete");
    const callback = () => this.#pace();
    this.#cancelWait = wakeBefore(this.#nextOffsetNs - elapsedNs, { clock, soon, callback });
  }

  #takeSlot(intendedNs: number): void {
    const { message, maxOutstanding, ledger, onDropped } = this.#options;
    const connection = this.#connections[this.#slots++ % this.#connections.length]!;
    if (connection.isOpen && this.#outstanding < maxOutstanding) {
      this.#sent++;
      this.#outstanding++;
      return connection.send(message(), (call) => this.#ended(call, intendedNs));
    }
    ledger.dropped++;
    if (!this.#connections.some(({ isOpen }) => isOpen)) this.#finish("connectionLost");
    if (onDropped?.() === "stop") this.#finish("stopped");
  }

  #ended(call: Call, intendedNs: number): void {
    this.#outstanding--;
    this.#lastEndNs = call.endedNs;
    if (call.status === "ok") {
      this.#ok++;
      if (call.endedNs - this.#startNs <= this.#options.schedule.spanNs) this.#okInTime++;
    }
    this.#listenForSilence(call);
    if (this.#options.onCall(call, intendedNs) === "stop") this.#finish("stopped");
    this.#settle();
  }

  /** A call that timed out says little of other connections, unless all were silent all the while. */
  #listenForSilence({ status, sentNs, endedNs }: Call): void {
    if (status !== "timeout") {
      this.#lastAnswerNs = endedNs;
      this.#unansweredInSilence = 0;
    } else if (this.#lastAnswerNs <= sentNs && ++this.#unansweredInSilence >= SILENCE_LIMIT) {
      this.#finish("silent");
    }
  }

  #finish(end: OpenLoopResult["end"]): void {
    this.#end ??= this.#options.signal.aborted ? "aborted" : end;
    this.#cancelWait();
    this.#settle();
  }

  #settle(): void {
    if (this.#end === null || this.#outstanding > 0) return;
    const { spanNs } = this.#options.schedule;
    const elapsedNs = this.#lastEndNs - this.#startNs;
    const lastedNs = this.#end === "complete" ? spanNs : Math.min(spanNs, elapsedNs);
    this.#done.resolve({
      slots: this.#slots,
      sent: this.#sent,
      ok: this.#ok,
      dropped: this.#slots - this.#sent,
      startNs: this.#startNs,
      endNs: this.#lastEndNs,
      achievedPerSecond: lastedNs > 0 ? this.#okInTime / (lastedNs / 1e9) : 0,
      end: this.#end,
    });
  }
}
