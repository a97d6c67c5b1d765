import type { Clock } from "../client/clock.ts";
import type { Call } from "../client/call_book.ts";
import type { Connection, Message } from "../client/connection.ts";
import { slotAfter } from "./pace.ts";

/** What a closed loop needs of a connection. */
export type Caller = Pick<Connection, "isOpen" | "send" | "timedOutInRow">;

/** How one connection is kept busy. */
export interface ClosedLoopOptions {
  message: () => Message;
  /** How many calls are in flight at once. */
  inFlight: number;
  /** Ends after this many calls; `null`: no such bound. */
  messages: number | null;
  /** Sends nothing new after this time; `null`: no such bound. */
  durationMs: number | null;
  /** At most this many calls a second; `null`: as many as go. */
  maxRatePerSecond: number | null;
  clock: Clock;
  signal: AbortSignal;
  /** Hears of the end of each call; `"stop"` ends the loop. */
  onCall: (call: Call) => "stop" | void;
}

/** What a closed loop did. */
export interface LoopResult {
  /** Calls that were sent. */
  sent: number;
  /** Successes. */
  ok: number;
  /** From its start to the end of the last call, or of the wait for its pace, in nanoseconds of the clock. */
  startNs: number;
  endNs: number;
  /** `silent`: three calls in a row got no answer. */
  end: "complete" | "stopped" | "connectionLost" | "silent" | "aborted";
}

/** After this many unanswered calls in a row the server is taken to have gone silent. */
export const SILENCE_LIMIT = 3;

/**
 * Keeps a window of calls in flight: a new one is sent when one ends. Resolves when all have ended;
 * never rejects for what the server does.
 *
 * @throws {RangeError} if neither messages nor duration bounds it
 */
export function runClosedLoop(
  connection: Caller,
  options: ClosedLoopOptions,
): Promise<LoopResult> {
  if (options.messages === null && options.durationMs === null) {
    throw new RangeError("Cannot run a closed loop as neither messages nor durationMs bounds it");
  }
  return new ClosedLoop(connection, options).run();
}

/** The state of one loop. */
class ClosedLoop {
  readonly #connection: Caller;
  readonly #options: ClosedLoopOptions;
  readonly #done = Promise.withResolvers<LoopResult>();
  readonly #intervalNs: number;
  readonly #startNs: number;
  #lastNs: number;
  #nextSendNs: number;
  /** When the last timer ended that waited for a slot. */
  #wokenNs = -Infinity;
  #sent = 0;
  #ok = 0;
  #inFlight = 0;
  /** Those before this loop count too: a server that went silent in the last round still is. */
  #unansweredInRow: number;
  #end: LoopResult["end"] | null = null;
  #cancelWait: (() => void) | null = null;
  readonly #onEnd = (call: Call) => this.#ended(call);

  constructor(connection: Caller, options: ClosedLoopOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#intervalNs = options.maxRatePerSecond === null ? 0 : 1e9 / options.maxRatePerSecond;
    this.#unansweredInRow = connection.timedOutInRow;
    this.#startNs = options.clock.nowNs();
    this.#lastNs = this.#startNs;
    this.#nextSendNs = this.#startNs;
  }

  run(): Promise<LoopResult> {
    const { signal } = this.#options;
    const onAbort = () => this.#finish("aborted");
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#fill();
    return this.#done.promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  /** Sends until the window is full or the loop is over. */
  #fill(): void {
    const { inFlight, message } = this.#options;
    while (this.#end === null && this.#inFlight < inFlight) {
      if (this.#isComplete()) return this.#finish("complete");
      if (!this.#connection.isOpen) return this.#finish("connectionLost");
      if (this.#intervalNs > 0 && !this.#mayPaceOn()) return;
      this.#sent++;
      this.#inFlight++;
      // A call's time begins when the one before it has ended; a pace puts a wait in between.
      this.#connection.send(
        message(),
        this.#onEnd,
        this.#intervalNs > 0 ? undefined : this.#lastNs,
      );
    }
  }

  #isComplete(): boolean {
    const { messages, durationMs } = this.#options;
    if (messages !== null) return this.#sent >= messages;
    return durationMs !== null && this.#lastNs - this.#startNs >= durationMs * 1e6;
  }

  /** Takes the next slot of the pace, or waits for it. */
  #mayPaceOn(): boolean {
    const { clock } = this.#options;
    const nowNs = clock.nowNs();
    const waitNs = this.#nextSendNs - nowNs;
    if (waitNs <= 0) {
      this.#nextSendNs = slotAfter(this.#nextSendNs, {
        nowNs,
        intervalNs: this.#intervalNs,
        wokenNs: this.#wokenNs,
      });
      return true;
    }
    this.#cancelWait ??= clock.after(Math.ceil(waitNs / 1e6), () => {
      this.#cancelWait = null;
      this.#lastNs = this.#wokenNs = clock.nowNs();
      this.#fill();
    });
    return false;
  }

  #ended(call: Call): void {
    this.#inFlight--;
    this.#lastNs = call.endedNs;
    if (call.status === "ok") this.#ok++;
    this.#unansweredInRow = call.status === "timeout" ? this.#unansweredInRow + 1 : 0;
    if (this.#options.onCall(call) === "stop") this.#finish("stopped");
    if (this.#unansweredInRow >= SILENCE_LIMIT) this.#finish("silent");
    this.#fill();
    this.#settle();
  }

  #finish(end: LoopResult["end"]): void {
    this.#end ??= this.#options.signal.aborted ? "aborted" : end;
    this.#cancelWait?.();
    this.#settle();
  }

  #settle(): void {
    if (this.#end === null || this.#inFlight > 0) return;
    this.#done.resolve({
      sent: this.#sent,
      ok: this.#ok,
      startNs: this.#startNs,
      endNs: this.#lastNs,
      end: this.#end,
    });
  }
}
