import type { Clock } from "../client/clock.ts";
import type { Call } from "../client/call.ts";
import type { Connection, Message } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { SILENCE_LIMIT } from "./closed.ts";
import type { Pacer } from "./pacer.ts";
import type { Schedule } from "./schedule.ts";
import { TimeBuffer } from "./time_buffer.ts";

/** What an open loop sends on. */
export type OpenLoopConnection = Pick<Connection, "isOpen" | "send" | "useLedger">;

/** How calls are sent at their times. */
export interface OpenLoopOptions {
  message: () => Message;
  schedule: Schedule;
  /** Slots due before this time has passed, in nanoseconds, are sent but not measured; left out: none. */
  leadInNs?: number;
  /** With this many calls outstanding on all connections, a slot is dropped. */
  maxOutstanding: number;
  /** Where measured calls are counted; the connections keep it. */
  ledger: OpenLedger;
  /** Where calls of the lead-in are counted; left out: in `ledger`. */
  warmupLedger?: OpenLedger;
  clock: Clock;
  pacer: Pacer;
  signal: AbortSignal;
  /** Left out: the times of all calls are kept, 32 bytes a call. Else the result has none. */
  keepsTimes?: false;
  /**
   * Hears of the end of each call, when it should have been sent, and whether it counts as measured.
   * `"stop"` ends the loop.
   */
  onCall?: (call: Call, intendedNs: number, isMeasured: boolean) => "stop" | void;
  /** Hears of each dropped slot, and whether it counts as measured; `"stop"` ends the loop. */
  onDropped?: (isMeasured: boolean) => "stop" | void;
}

/**
 * What an open loop measured: of the slots after its lead-in, unless said otherwise. `slots = sent +
 * dropped`. Times are nanoseconds of the clock, rates calls a second.
 */
export interface OpenLoopResult {
  /** Slots that fell due while it ran. */
  slots: number;
  sent: number;
  ok: number;
  /** Slots never sent: too much was outstanding, or the connection was gone. */
  dropped: number;
  /** Slots whose latency is not known, only that it is long: timeouts, lost calls and dropped slots. */
  censored: number;
  /** From the intended time to the end; of successes, in the order of their ends. */
  latencyNs: Float64Array;
  /** From the sending to the end; parallel to `latencyNs`. */
  serviceNs: Float64Array;
  /** When each success came; parallel to `latencyNs`. */
  endedNs: Float64Array;
  /** From the intended time to the sending; of all calls that have ended. */
  slipNs: Float64Array;
  /** When the measured part of the schedule began, and how much of it was run. */
  startNs: number;
  windowNs: number;
  /**
   * Successes that came in within the window, those of calls sent in the lead-in too: a server that keeps
   * up answers in it as many as fall due in it. What comes in after it is backlog.
   */
  achievedPerSecond: number;
  /** Slots that fell due within the window. */
  offeredPerSecond: number;
  /** By how many calls a second the number outstanding grew, by least squares over the slots. */
  backlogSlopePerSecond: number;
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
 * @throws {Error} if the pacer is in use or has been disposed of
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
  /** When the lead-in is over, and when the schedule is. */
  readonly #measureNs: number;
  readonly #overNs: number;
  readonly #keepsTimes: boolean;
  readonly #latencyNs = new TimeBuffer();
  readonly #serviceNs = new TimeBuffer();
  readonly #endedNs = new TimeBuffer();
  readonly #slipNs = new TimeBuffer();
  readonly #backlog = new LinearFit();
  #isLeadIn = true;
  /** Of the lead-in too, for the choice of connections. */
  #nth = 0;
  #slots = 0;
  #sent = 0;
  #ok = 0;
  #unanswered = 0;
  #okInWindow = 0;
  #outstanding = 0;
  #finishedNs = Infinity;
  #lastAnswerNs: number;
  #unansweredInSilence = 0;
  #end: OpenLoopResult["end"] | null = null;
  #stopPacing = () => {};

  constructor(connections: readonly OpenLoopConnection[], options: OpenLoopOptions) {
    this.#connections = connections;
    this.#options = options;
    this.#keepsTimes = options.keepsTimes ?? true;
    this.#startNs = options.clock.nowNs();
    this.#measureNs = this.#startNs + (options.leadInNs ?? 0);
    this.#overNs = this.#startNs + options.schedule.spanNs;
    this.#lastAnswerNs = this.#startNs;
  }

  async run(): Promise<OpenLoopResult> {
    const { signal, pacer, schedule } = this.#options;
    const onAbort = () => this.#finish("aborted");
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      else {
        this.#useLedger(this.#options.warmupLedger ?? this.#options.ledger);
        this.#stopPacing = pacer.pace({
          next: () => {
            const offsetNs = schedule.next();
            return offsetNs === null ? null : this.#startNs + offsetNs;
          },
          onDue: (intendedNs) => this.#takeSlot(intendedNs),
          onEnd: () => this.#finish("complete"),
        });
        // A slot that was due at once may have ended it already.
        if (this.#end !== null) this.#stopPacing();
      }
      return await this.#done.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#useLedger(this.#options.ledger);
    }
  }

  #useLedger(ledger: OpenLedger): void {
    for (const connection of this.#connections) connection.useLedger(ledger);
  }

  #takeSlot(intendedNs: number): void {
    // Several may be due together, of which one ends the loop.
    if (this.#end !== null) return;
    const { message, maxOutstanding, ledger, warmupLedger = ledger, onDropped } = this.#options;
    const isMeasured = intendedNs >= this.#measureNs;
    if (isMeasured && this.#isLeadIn) {
      this.#isLeadIn = false;
      this.#useLedger(ledger);
    }
    const connection = this.#connections[this.#nth++ % this.#connections.length]!;
    if (isMeasured) {
      this.#slots++;
      this.#backlog.add((intendedNs - this.#measureNs) / 1e9, this.#outstanding);
    }
    if (connection.isOpen && this.#outstanding < maxOutstanding) {
      if (isMeasured) this.#sent++;
      this.#outstanding++;
      return connection.send(message(), (call) => this.#ended(call, intendedNs, isMeasured));
    }
    (isMeasured ? ledger : warmupLedger).dropped++;
    if (!this.#connections.some(({ isOpen }) => isOpen)) this.#finish("connectionLost");
    if (onDropped?.(isMeasured) === "stop") this.#finish("stopped");
  }

  #ended(call: Call, intendedNs: number, isMeasured: boolean): void {
    const { status, endedNs } = call;
    this.#outstanding--;
    const isInWindow = endedNs >= this.#measureNs && endedNs <= this.#windowEndNs;
    if (status === "ok" && isInWindow) this.#okInWindow++;
    if (isMeasured) {
      if (status === "ok") this.#ok++;
      else if (status === "timeout" || status === "connectionLost") this.#unanswered++;
      if (this.#keepsTimes) this.#keep(call, intendedNs);
    }
    this.#listenForSilence(call);
    if (this.#options.onCall?.(call, intendedNs, isMeasured) === "stop") this.#finish("stopped");
    this.#settle();
    // An interrupt ends all calls before this loop hears of it: then no slot is due any more.
    if (this.#outstanding === 0 && status !== "aborted") this.#options.pacer.idle();
  }

  #keep({ status, sentNs, endedNs }: Call, intendedNs: number): void {
    this.#slipNs.push(sentNs - intendedNs);
    if (status !== "ok") return;
    this.#latencyNs.push(endedNs - intendedNs);
    this.#serviceNs.push(endedNs - sentNs);
    this.#endedNs.push(endedNs);
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

  /** Of a loop that ended early, when it did: nothing fell due after that. */
  get #windowEndNs(): number {
    return this.#end === "complete" ? this.#overNs : Math.min(this.#overNs, this.#finishedNs);
  }

  #finish(end: OpenLoopResult["end"]): void {
    if (this.#end === null) {
      this.#end = this.#options.signal.aborted ? "aborted" : end;
      this.#finishedNs = this.#options.clock.nowNs();
    }
    this.#stopPacing();
    this.#settle();
  }

  #settle(): void {
    if (this.#end === null || this.#outstanding > 0) return;
    const windowNs = Math.max(0, this.#windowEndNs - this.#measureNs);
    const perSecond = (count: number) => windowNs > 0 ? count / (windowNs / 1e9) : 0;
    this.#done.resolve({
      slots: this.#slots,
      sent: this.#sent,
      ok: this.#ok,
      dropped: this.#slots - this.#sent,
      censored: this.#unanswered + this.#slots - this.#sent,
      latencyNs: this.#latencyNs.view(),
      serviceNs: this.#serviceNs.view(),
      endedNs: this.#endedNs.view(),
      slipNs: this.#slipNs.view(),
      startNs: this.#measureNs,
      windowNs,
      achievedPerSecond: perSecond(this.#okInWindow),
      offeredPerSecond: perSecond(this.#slots),
      backlogSlopePerSecond: this.#backlog.slope,
      end: this.#end,
    });
  }
}

/** The slope of a straight line through points by least squares; the points are not kept. */
class LinearFit {
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
