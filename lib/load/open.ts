import type { Clock } from "../client/clock.ts";
import type { Call } from "../client/call.ts";
import type { Connection, Message } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { SILENCE_LIMIT } from "./closed.ts";
import type { Pacer } from "./pacer.ts";
import type { Schedule } from "./schedule.ts";
import { TimeBuffer } from "./time_buffer.ts";

/** The part of a connection that an open loop uses. */
export type OpenLoopConnection = Pick<Connection, "isOpen" | "send" | "useLedger">;

export interface OpenLoopOptions {
  message: () => Message;
  schedule: Schedule;
  /** Slots due within this time are sent but not measured. Default: 0. */
  leadInNs?: number;
  /** Maximum calls outstanding on all connections, at least 1; slots beyond it are dropped. */
  maxOutstanding: number;
  /** Counts measured calls; the connections keep it afterwards. */
  ledger: OpenLedger;
  /** Counts calls of the lead-in. Default: `ledger`. */
  warmupLedger?: OpenLedger;
  clock: Clock;
  pacer: Pacer;
  signal: AbortSignal;
  /** `false`: the result has no times, which take 32 bytes a call. */
  keepsTimes?: false;
  /** Called when a measured call ends; return `"stop"` to end the loop. */
  onCall?: (call: Call, intendedNs: number) => "stop" | void;
  /** Called for each measured slot that is dropped; return `"stop"` to end the loop. */
  onDropped?: (intendedNs: number) => "stop" | void;
}

/**
 * Result of an open loop, for the slots after its lead-in unless noted. `slots = sent + dropped`.
 * Times are in nanoseconds of the clock, rates in calls a second.
 */
export interface OpenLoopResult {
  /** Slots that fell due while it ran. */
  slots: number;
  sent: number;
  ok: number;
  /** Slots never sent: too many calls were outstanding, or the connection was gone. */
  dropped: number;
  /** Slots whose latency is only known to be long: timeouts, lost calls and dropped slots. */
  censored: number;
  /** From the intended time to the end, of each success, in the order they ended. */
  latencyNs: Float64Array;
  /** From send to end; parallel to `latencyNs`. */
  serviceNs: Float64Array;
  /** When each success ended; parallel to `latencyNs`. */
  endedNs: Float64Array;
  /** From the intended time to the send, of every call that ended. */
  slipNs: Float64Array;
  /** Start of the measured part of the schedule, and how much of it was run. */
  startNs: number;
  windowNs: number;
  /**
   * Successes within the window, including those of calls sent in the lead-in: a server that keeps
   * up answers as many as fall due. Later ones are backlog.
   */
  achievedPerSecond: number;
  /** Slots that fell due within the window. */
  offeredPerSecond: number;
  /** Growth of the number of outstanding calls, by least squares over the slots. */
  backlogSlopePerSecond: number;
  /** `silent`: {@linkcode SILENCE_LIMIT} calls timed out while no other was answered either. */
  end: "complete" | "stopped" | "connectionLost" | "silent" | "aborted";
}

/** The part of a result that shows whether the server and the client kept up. */
export type PacedRun = Pick<
  OpenLoopResult,
  "slots" | "sent" | "offeredPerSecond" | "achievedPerSecond" | "backlogSlopePerSecond" | "end"
>;

/**
 * Sends the calls of a schedule at their times, slot k on connection k mod K, whether or not
 * earlier calls have ended. A slot that cannot be sent in time is sent late; it is dropped only if
 * too many calls are outstanding or its connection is gone. Resolves when all calls have ended;
 * never rejects because of the server.
 *
 * @throws {Error} if the pacer is in use
 */
export async function runOpenLoop(
  connections: readonly OpenLoopConnection[],
  options: OpenLoopOptions,
): Promise<OpenLoopResult> {
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
  /** Counts slots of the lead-in too; chooses the connection. */
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
    // Of several slots due together, an earlier one may have ended the loop.
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
    if (isMeasured && onDropped?.(intendedNs) === "stop") finish("stopped");
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
    if (isMeasured && onCall?.(call, intendedNs) === "stop") finish("stopped");
    settle();
    // An interrupt ends all calls before this loop is told; no further slot must be sent then.
    if (outstanding === 0 && status !== "aborted") pacer.idle();
  }

  /** A timeout counts only if no call on any connection was answered since it was sent. */
  function listenForSilence({ status, sentNs, endedNs }: Call): void {
    if (status !== "timeout") {
      lastAnswerNs = endedNs;
      unansweredInSilence = 0;
    } else if (lastAnswerNs <= sentNs && ++unansweredInSilence >= SILENCE_LIMIT) finish("silent");
  }

  /** The end of the schedule, or when the loop ended early: no slot fell due after that. */
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
      // A slot that was due immediately may have ended it already.
      if (end !== null) stopPacing();
    }
    return await done.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    useLedger(ledger);
  }
}

/** The slope of a straight line through points by least squares, without storing the points. */
class LinearFit {
  #count = 0;
  #meanX = 0;
  #meanY = 0;
  #squares = 0;
  #products = 0;

  /**
   * Updates means and sums of deviations (B. P. Welford, Note on a Method for Calculating Corrected
   * Sums of Squares and Products, 1962): plain sums of squares would suffer from cancellation.
   */
  add(x: number, y: number): void {
    const dx = x - this.#meanX;
    this.#count++;
    this.#meanX += dx / this.#count;
    this.#meanY += (y - this.#meanY) / this.#count;
    this.#squares += dx * (x - this.#meanX);
    this.#products += dx * (y - this.#meanY);
  }

  /** 0 if all points have the same x. */
  get slope(): number {
    return this.#squares > 0 ? this.#products / this.#squares : 0;
  }
}
