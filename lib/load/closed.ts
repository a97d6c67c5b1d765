import type { Call } from "../client/call.ts";
import type { Clock } from "../client/clock.ts";
import type { Connection, Message, Probe } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { slotAfter } from "./pace.ts";
import { TimeBuffer } from "./time_buffer.ts";

/** The part of a connection that a closed loop uses. */
export type Caller = Pick<Connection, "isOpen" | "send" | "timedOutInRow" | "useLedger">;

/** Length of a slice: a lead-in, then a number of calls or a duration. */
export interface SliceLength {
  leadInNs: number;
  /** Calls per connection; takes precedence over the duration. One of the two must be given. */
  messages: number | null;
  durationNs: number | null;
}

export interface ClosedSliceOptions extends SliceLength {
  message: () => Message;
  /** Calls in flight per connection. */
  inFlight: number;
  /** Maximum calls a second per connection; `null`: unlimited. */
  maxRatePerSecond: number | null;
  /** Counts the calls of the lead-in; every connection uses it again after the slice. */
  warmupLedger: OpenLedger;
  /** Counts the calls sent once a connection's window has opened. */
  ledger: OpenLedger;
  clock: Clock;
  signal: AbortSignal;
  /** Called when a call ends; `"stop"` ends the slice. Do not keep the call: it is reused. */
  onCall?: (call: Call, measured: boolean) => "stop" | void;
}

/** Result of one connection's window. */
export interface SliceClient {
  /** Successes that ended inside the window, whenever their calls were sent. */
  ok: number;
  windowNs: number;
}

/** Result of a slice. */
export interface ClosedSlice {
  /** `silent`: {@linkcode SILENCE_LIMIT} calls in a row on one connection timed out. */
  end: "complete" | "stopped" | "connectionLost" | "silent" | "aborted";
  /** Time from send to end of each measured success, in the order they ended. */
  timesNs: Float64Array;
  /** One per connection, in the same order. */
  clients: readonly SliceClient[];
  /** Successes a second: the sum of ok / window over the clients. */
  ratePerSecond: number;
  /** Measured calls without an answer: timeouts and lost connections. */
  censored: number;
}

/**
 * Wraps a connection so that a slice sends and times probes instead of calls. The slice's ledgers
 * do not count them.
 *
 * @param mayAsk Returns false when no more probes may be sent. Default: always true.
 */
export function probing(
  connection: Caller & Pick<Connection, "probe">,
  probe: Probe,
  mayAsk: () => boolean = () => true,
): Caller {
  return {
    get isOpen() {
      return connection.isOpen && mayAsk();
    },
    get timedOutInRow() {
      return connection.timedOutInRow;
    },
    send: (_message, onEnd, fromNs) => connection.probe(probe, onEnd, fromNs),
    useLedger: () => {},
  };
}

/** Consecutive timeouts after which the server counts as silent. */
export const SILENCE_LIMIT = 3;
/** The same after a rate-limit refusal: the October build refuses once and then stays silent. */
const SILENCE_LIMIT_REFUSED = 1;

/**
 * Keeps calls in flight on every connection, through a discarded lead-in and then a window. Each
 * call is sent inside the handler of the previous reply.
 *
 * A connection's window opens when the first call ends after the lead-in (with a rate: at the first
 * slot after it; without a lead-in: at the start). With a duration it closes at such a moment too,
 * so with one call in flight, or a rate, it is exactly as long as its calls take. With a count it
 * closes when the last of its `messages` calls ends. The connection then sends nothing more; calls
 * still in flight end outside the window, but count in the ledger and the times.
 *
 * If one connection is lost or falls silent, all of them stop. Resolves when every call has ended;
 * never rejects because of the server.
 */
export function runClosedSlice(
  connections: readonly Caller[],
  options: ClosedSliceOptions,
): Promise<ClosedSlice> {
  const { message, onCall, inFlight: most, maxRatePerSecond, leadInNs } = options;
  const { warmupLedger, ledger, clock, signal } = options;
  const messages = options.messages ?? Infinity;
  const durationNs = messages === Infinity ? options.durationNs! : Infinity;
  /** Time between slots; 0: no rate limit. */
  const intervalNs = maxRatePerSecond === null ? 0 : 1e9 / maxRatePerSecond;
  const done = Promise.withResolvers<ClosedSlice>();
  const times = TimeBuffer.take();
  const clients = connections.map(createClient);
  let censored = 0;
  let end: Exclude<ClosedSlice["end"], "complete"> | null = null;
  let isSettled = false;

  function useLedger(used: OpenLedger): void {
    for (const connection of connections) connection.useLedger(used);
  }

  /** Ends the slice early, on all connections. */
  function finish(why: Exclude<ClosedSlice["end"], "complete">): void {
    if (end !== null) return;
    end = signal.aborted ? "aborted" : why;
    for (const client of clients) client.stop();
    settle();
  }

  /** Resolves the slice if all clients are done and every call has ended. */
  function settle(): void {
    if (isSettled || !clients.every((client) => client.hasEnded())) return;
    isSettled = true;
    useLedger(warmupLedger);
    const seen = clients.map((client) => client.result());
    const rates = seen.map(({ ok, windowNs }) => windowNs > 0 ? ok / (windowNs / 1e9) : 0);
    done.resolve({
      end: end ?? "complete",
      timesNs: times.release(),
      clients: seen,
      ratePerSecond: rates.reduce((sum, rate) => sum + rate, 0),
      censored,
    });
  }

  /** One connection of the slice. */
  function createClient(connection: Caller) {
    /** Successes inside the window. */
    let ok = 0;
    let inFlight = 0;
    /** True once no more calls are sent. */
    let isDone = false;
    /** Calls sent in the window, and those of them that have ended. */
    let [measured, measuredEnds] = [0, 0];
    let isWindowOpen = false;
    let [leadInEndNs, windowStartNs] = [0, 0];
    /** 0 until the window closes. */
    let windowNs = 0;
    /** Until then, each call that ends is simply followed by another: no limit needs checking. */
    let steadyUntilNs = -Infinity;
    /** Last moment at which a call could have been sent: the end of a call, or a slot. */
    let lastNs = 0;
    /** Starts with the timeouts before this slice: a server that went silent then still is. */
    let unansweredInRow = connection.timedOutInRow;
    let silenceLimit = SILENCE_LIMIT;
    let nextSlotNs = 0;
    /** When the last timer for a slot fired. */
    let wokenNs = -Infinity;
    let cancelWait: (() => void) | null = null;
    let onEnd = onLeadInEnd;

    function start(): void {
      lastNs = nextSlotNs = clock.nowNs();
      leadInEndNs = lastNs + leadInNs;
      if (isDone) return;
      if (intervalNs === 0) steadyUntilNs = leadInEndNs;
      fill();
    }

    /** Closes the window and sends nothing more. */
    function stop(): void {
      isDone = true;
      steadyUntilNs = -Infinity;
      cancelWait?.();
      if (!isWindowOpen) return;
      isWindowOpen = false;
      windowNs = lastNs - windowStartNs;
    }

    function onLeadInEnd(call: Call): void {
      ended(call, false);
    }

    function onMeasuredEnd(call: Call): void {
      if (call.status === "ok") times.push(call.endedNs - call.sentNs);
      else if (call.status === "timeout" || call.status === "connectionLost") censored++;
      measuredEnds++;
      ended(call, true);
    }

    function ended(call: Call, isMeasured: boolean): void {
      inFlight--;
      lastNs = call.endedNs;
      if (call.status === "ok") {
        if (isWindowOpen) ok++;
        unansweredInRow = 0;
      } else unansweredInRow = call.status === "timeout" ? unansweredInRow + 1 : 0;
      if (onCall !== undefined && onCall(call, isMeasured) === "stop") finish("stopped");
      if (call.status === "rateLimited") silenceLimit = SILENCE_LIMIT_REFUSED;
      if (unansweredInRow >= silenceLimit) finish("silent");
      if (lastNs < steadyUntilNs) return void send(lastNs);
      if (!isDone) fill();
      if (isDone) settle();
    }

    /** Sends until enough calls are in flight, or no more may be sent. */
    function fill(): void {
      const isPaced = intervalNs > 0;
      if (!isPaced && !mayGoOn()) return;
      // A call is timed from the end of the previous one, or from its slot.
      let fromNs: number | undefined = lastNs;
      while (inFlight < most && !isDone) {
        if (isAllSent()) return void mayGoOn();
        if (isPaced) {
          if (!isSlotDue() || !mayGoOn()) return;
          fromNs = lastNs;
        }
        if (!send(fromNs)) return;
        fromNs = undefined;
      }
    }

    function isAllSent(): boolean {
      return isWindowOpen && measured >= messages;
    }

    /** Opens or closes the window if due; returns true if a call may be sent. */
    function mayGoOn(): boolean {
      if (!isWindowOpen) {
        if (lastNs < leadInEndNs) return true;
        openWindow();
      }
      const isOver = lastNs - windowStartNs >= durationNs || measuredEnds >= messages;
      if (!isOver) return !isAllSent();
      stop();
      return false;
    }

    function openWindow(): void {
      isWindowOpen = true;
      windowStartNs = lastNs;
      connection.useLedger(ledger);
      onEnd = onMeasuredEnd;
      const isSteady = intervalNs === 0 && messages === Infinity;
      steadyUntilNs = isSteady ? windowStartNs + durationNs : -Infinity;
    }

    function send(fromNs: number | undefined): boolean {
      if (!connection.isOpen) {
        finish("connectionLost");
        return false;
      }
      inFlight++;
      if (isWindowOpen) measured++;
      connection.send(message(), onEnd, fromNs);
      return true;
    }

    /** Takes the next slot if it is due, else starts a timer for it. */
    function isSlotDue(): boolean {
      const nowNs = clock.nowNs();
      const waitNs = nextSlotNs - nowNs;
      if (waitNs <= 0) {
        nextSlotNs = slotAfter(nextSlotNs, { nowNs, intervalNs, wokenNs });
        lastNs = nowNs;
        return true;
      }
      cancelWait ??= clock.after(Math.ceil(waitNs / 1e6), () => {
        cancelWait = null;
        wokenNs = clock.nowNs();
        fill();
        if (isDone) settle();
      });
      return false;
    }

    return {
      start,
      stop,
      hasEnded: () => isDone && inFlight === 0,
      result: (): SliceClient => ({ ok, windowNs }),
    };
  }

  useLedger(leadInNs > 0 ? warmupLedger : ledger);
  const onAbort = () => finish("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  for (const client of clients) client.start();
  settle();
  return done.promise.finally(() => signal.removeEventListener("abort", onAbort));
}
