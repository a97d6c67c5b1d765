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
  /** With this many calls outstanding on all connections, a slot is dropped; at least 1. */
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
  /** Hears of the end of each call, and when it should have been sent; `"stop"` ends the loop. */
  onCall?: (call: Call, intendedNs: number, isMeasured: boolean) => "stop" | void;
  /** Hears of each dropped slot; `"stop"` ends the loop. */
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
 * @throws {RangeError} if there is no connection
 * @throws {Error} if the pacer is in use or has been disposed of
 */
export function runOpenLoop(
  connections: readonly OpenLoopConnection[],
  options: OpenLoopOptions,
): Promise<OpenLoopResult> {
  if (connections.length === 0) {
    throw new RangeError("Cannot run an open loop as there is no connection");
  }
  const { clock, pacer, schedule, signal, ledger, warmupLedger = ledger } = options;
  const { message, maxOutstanding, keepsTimes = true, onCall, onDropped } = options;
  const done = Promise.withResolvers<OpenLoopResult>();
  const startNs = clock.nowNs();
  const measureNs = startNs + (options.leadInNs ?? 0);
  const overNs = startNs + schedule.spanNs;
  const times = {
    latencyNs: new TimeBuffer(),
    serviceNs: new TimeBuffer(),
    endedNs: new TimeBuffer(),
    slipNs: new TimeBuffer(),
  };
  const backlog = new LinearFit();
  let isLeadIn = true;
  /** Of the lead-in too, for the choice of connections. */
  let nth = 0;
  let [slots, sent, ok, unanswered, okInWindow, outstanding] = [0, 0, 0, 0, 0, 0];
  let lastAnswerNs = startNs;
  let unansweredInSilence = 0;
  let end: OpenLoopResult["end"] | null = null;
  let finishedNs = Infinity;
  let stopPacing = () => {};

  function useLedger(used: OpenLedger): void {
    for (const connection of connections) connection.useLedger(used);
  }

  function takeSlot(intendedNs: number): void {
    // Several may be due together, of which one ends the loop.
    if (end !== null) return;
    const isMeasured = intendedNs >= measureNs;
    if (isMeasured && isLeadIn) {
      isLeadIn = false;
      useLedger(ledger);
    }
    const connection = connections[nth++ % connections.length]!;
    if (isMeasured) {
      slots++;
      backlog.add((intendedNs - measureNs) / 1e9, outstanding);
    }
    if (connection.isOpen && outstanding < maxOutstanding) {
      if (isMeasured) sent++;
      outstanding++;
      return connection.send(message(), (call) => ended(call, intendedNs, isMeasured));
    }
    (isMeasured ? ledger : warmupLedger).dropped++;
    if (!connections.some(({ isOpen }) => isOpen)) finish("connectionLost");
    if (onDropped?.(isMeasured) === "stop") finish("stopped");
  }

  function ended(call: Call, intendedNs: number, isMeasured: boolean): void {
    const { status, sentNs, endedNs } = call;
    outstanding--;
    const isInWindow = endedNs >= measureNs && endedNs <= windowEndNs();
    if (status === "ok" && isInWindow) okInWindow++;
    if (isMeasured) {
      if (keepsTimes) times.slipNs.push(sentNs - intendedNs);
      if (status === "ok") {
        ok++;
        if (keepsTimes) {
          times.latencyNs.push(endedNs - intendedNs);
          times.serviceNs.push(endedNs - sentNs);
          times.endedNs.push(endedNs);
        }
      } else if (status === "timeout" || status === "connectionLost") unanswered++;
    }
    listenForSilence(call);
    if (onCall?.(call, intendedNs, isMeasured) === "stop") finish("stopped");
    settle();
    // An interrupt ends all calls before this loop hears of it: then no slot is due any more.
    if (outstanding === 0 && status !== "aborted") pacer.idle();
  }

  /** A call that timed out says little of other connections, unless all were silent all the while. */
  function listenForSilence({ status, sentNs, endedNs }: Call): void {
    if (status !== "timeout") {
      lastAnswerNs = endedNs;
      unansweredInSilence = 0;
    } else if (lastAnswerNs <= sentNs && ++unansweredInSilence >= SILENCE_LIMIT) finish("silent");
  }

  /** Of a loop that ended early, when it did: nothing fell due after that. */
  function windowEndNs(): number {
    return end === "complete" ? overNs : Math.min(overNs, finishedNs);
  }

  function finish(why: OpenLoopResult["end"]): void {
    if (end === null) {
      end = signal.aborted ? "aborted" : why;
      finishedNs = clock.nowNs();
    }
    stopPacing();
    settle();
  }

  function settle(): void {
    if (end === null || outstanding > 0) return;
    const windowNs = Math.max(0, windowEndNs() - measureNs);
    const perSecond = (count: number) => windowNs > 0 ? count / (windowNs / 1e9) : 0;
    const dropped = slots - sent;
    done.resolve({
      ...{ slots, sent, ok, dropped, censored: unanswered + dropped },
      latencyNs: times.latencyNs.view(),
      serviceNs: times.serviceNs.view(),
      endedNs: times.endedNs.view(),
      slipNs: times.slipNs.view(),
      ...{ startNs: measureNs, windowNs },
      achievedPerSecond: perSecond(okInWindow),
      offeredPerSecond: perSecond(slots),
      backlogSlopePerSecond: backlog.slope,
      end,
    });
  }

  async function run(): Promise<OpenLoopResult> {
    const onAbort = () => finish("aborted");
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      else {
        useLedger(warmupLedger);
        stopPacing = pacer.pace({
          next: () => {
            const offsetNs = schedule.next();
            return offsetNs === null ? null : startNs + offsetNs;
          },
          onDue: takeSlot,
          onEnd: () => finish("complete"),
        });
        // A slot that was due at once may have ended it already.
        if (end !== null) stopPacing();
      }
      return await done.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      useLedger(ledger);
    }
  }

  return run();
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
