import type { Call } from "../client/call.ts";
import type { Clock } from "../client/clock.ts";
import type { Connection, Message, Probe } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { slotAfter } from "./pace.ts";
import { TimeBuffer } from "./time_buffer.ts";

/** What a closed loop needs of a connection. */
export type Caller = Pick<Connection, "isOpen" | "send" | "timedOutInRow" | "useLedger">;

/** How long a slice is: its lead-in, then a count of calls or a time. */
export interface SliceLength {
  leadInNs: number;
  /** Of each connection; a count beats a duration. */
  messages: number | null;
  durationNs: number | null;
}

/** How the connections are kept busy. */
export interface ClosedSliceOptions extends SliceLength {
  message: () => Message;
  /** How many calls each connection has in flight at once. */
  inFlight: number;
  /** At most this many calls a second on each connection; `null`: as many as go. */
  maxRatePerSecond: number | null;
  /** Counts the calls of the lead-in, and is in use on every connection after the slice. */
  warmupLedger: OpenLedger;
  /** Counts the calls that are sent from the beginning of a connection's window on. */
  ledger: OpenLedger;
  clock: Clock;
  signal: AbortSignal;
  /**
   * Hears of the end of each call, and whether it is a measured one; `"stop"` ends the slice. The call
   * must not be kept: it is used again for another one.
   */
  onCall?: (call: Call, measured: boolean) => "stop" | void;
}

/** What one connection did in its window. */
export interface SliceClient {
  /** Successes that ended inside the window, whenever they were sent. */
  ok: number;
  windowNs: number;
}

/** What a slice saw. */
export interface ClosedSlice {
  /** `silent`: three calls in a row on one connection got no answer. */
  end: "complete" | "stopped" | "connectionLost" | "silent" | "aborted";
  /** Of the measured successes, from sending to end, in order of their ends. The caller's own. */
  timesNs: Float64Array;
  /** One per connection, in their order. */
  clients: readonly SliceClient[];
  /** Sum over the clients of ok / window: successes a second. */
  ratePerSecond: number;
  /** Measured calls that ended without an answer: timeouts and lost calls. */
  censored: number;
}

/**
 * Makes probes on a connection in the place of calls, so that a slice times them as it times those. Its
 * ledgers see nothing of them, and what else comes on the connection counts where it did before.
 */
export function probing(connection: Caller & Pick<Connection, "probe">, probe: Probe): Caller {
  return {
    get isOpen() {
      return connection.isOpen;
    },
    get timedOutInRow() {
      return connection.timedOutInRow;
    },
    send: (_message, onEnd, fromNs) => connection.probe(probe, onEnd, fromNs),
    useLedger: () => {},
  };
}

/** After this many unanswered calls in a row the server is taken to have gone silent. */
export const SILENCE_LIMIT = 3;
/** The same after a refusal for load: the October build sends no frame twice, so that the next ones are silent. */
const SILENCE_LIMIT_REFUSED = 1;

/**
 * Keeps calls in flight on every connection, through a lead-in that is thrown away and then a window: the next is sent
 * inside the handler of the reply before.
 *
 * A connection's window begins at the first end of a call at or after the end of the lead-in, without a
 * lead-in at the start; with a rate, at the first slot. A duration ends it likewise, so that with one call
 * in flight, or a rate, it is exactly as long as its calls take. A count ends it with the last of the
 * `messages` calls that are sent in it. Then the connection sends nothing more. What it has in flight ends
 * outside the window, but belongs to the ledger and the times all the same.
 *
 * If one connection is lost or falls silent, all of them stop. Resolves when every call has ended; never
 * rejects for what the server does.
 *
 * @throws {RangeError} if there is no connection, or neither messages nor duration bounds it
 */
export function runClosedSlice(
  connections: readonly Caller[],
  options: ClosedSliceOptions,
): Promise<ClosedSlice> {
  if (connections.length === 0) {
    throw new RangeError("Cannot run a closed loop as there is no connection");
  }
  if (options.messages === null && options.durationNs === null) {
    throw new RangeError("Cannot run a closed loop as neither messages nor durationNs bounds it");
  }
  const { signal, leadInNs, warmupLedger, ledger } = options;
  const done = Promise.withResolvers<ClosedSlice>();
  const slice: Slice = { options, times: TimeBuffer.take(), censored: 0, finish, settle };
  const clients = connections.map((connection) => new Client(slice, connection));
  let end: Exclude<ClosedSlice["end"], "complete"> | null = null;
  let isSettled = false;

  function useLedger(used: OpenLedger): void {
    for (const connection of connections) connection.useLedger(used);
  }

  function finish(why: Exclude<ClosedSlice["end"], "complete">): void {
    if (end !== null) return;
    end = signal.aborted ? "aborted" : why;
    for (const client of clients) client.stop();
    settle();
  }

  function settle(): void {
    const isOver = clients.every(({ isDone, inFlight }) => isDone && inFlight === 0);
    if (!isOver || isSettled) return;
    isSettled = true;
    useLedger(warmupLedger);
    const seen = clients.map(({ ok, windowNs }) => ({ ok, windowNs }));
    const rates = seen.map(({ ok, windowNs }) => windowNs > 0 ? ok / (windowNs / 1e9) : 0);
    done.resolve({
      end: end ?? "complete",
      timesNs: slice.times.release(),
      clients: seen,
      ratePerSecond: rates.reduce((sum, rate) => sum + rate, 0),
      censored: slice.censored,
    });
  }

  useLedger(leadInNs > 0 ? warmupLedger : ledger);
  const onAbort = () => finish("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  for (const client of clients) client.start();
  settle();
  return done.promise.finally(() => signal.removeEventListener("abort", onAbort));
}

/** What the clients of a slice share. */
interface Slice {
  readonly options: ClosedSliceOptions;
  readonly times: TimeBuffer;
  censored: number;
  /** Ends the slice early: nothing more is sent on any connection. */
  finish(why: Exclude<ClosedSlice["end"], "complete">): void;
  /** Resolves once no client sends any more and every call has ended. */
  settle(): void;
}

/** One connection of a slice. */
class Client {
  /** Successes inside the window. */
  ok = 0;
  inFlight = 0;
  /** Whether nothing more is sent here. */
  isDone = false;
  readonly #slice: Slice;
  readonly #options: ClosedSliceOptions;
  readonly #connection: Caller;
  readonly #messages: number;
  readonly #durationNs: number;
  /** Of the pace; 0: there is none. */
  readonly #intervalNs: number;
  /** Calls sent and ended since the window began. */
  #measured = 0;
  #measuredEnds = 0;
  #isWindowOpen = false;
  #windowStartNs = 0;
  #windowEndNs = 0;
  /** Until when each call that ends is followed by another, with nothing else to see to. */
  #steadyUntilNs = -Infinity;
  #leadInEndNs = 0;
  /** The last moment at which a call might have been sent: the end of one, or a slot. */
  #lastNs = 0;
  /** Those before this slice count too: a server that went silent in the last one still is. */
  #unansweredInRow: number;
  #silenceLimit = SILENCE_LIMIT;
  #nextSlotNs = 0;
  /** When the last timer ended that waited for a slot. */
  #wokenNs = -Infinity;
  #cancelWait: (() => void) | null = null;
  #onEnd: (call: Call) => void;

  constructor(slice: Slice, connection: Caller) {
    const { messages, durationNs, maxRatePerSecond } = slice.options;
    this.#slice = slice;
    this.#options = slice.options;
    this.#connection = connection;
    this.#messages = messages ?? Infinity;
    this.#durationNs = messages === null ? durationNs ?? Infinity : Infinity;
    this.#intervalNs = maxRatePerSecond === null ? 0 : 1e9 / maxRatePerSecond;
    this.#unansweredInRow = connection.timedOutInRow;
    this.#onEnd = this.#onLeadInEnd;
  }

  /** 0 if it never began. */
  get windowNs(): number {
    return this.#windowEndNs - this.#windowStartNs;
  }

  /** Whether all calls are sent that a count wants. */
  get #isAllSent(): boolean {
    return this.#isWindowOpen && this.#measured >= this.#messages;
  }

  start(): void {
    const { clock, leadInNs } = this.#options;
    this.#lastNs = this.#nextSlotNs = clock.nowNs();
    this.#leadInEndNs = this.#lastNs + leadInNs;
    if (this.isDone) return;
    if (this.#intervalNs === 0) this.#steadyUntilNs = this.#leadInEndNs;
    this.#fill();
  }

  /** Closes the window where it is, and sends nothing more. */
  stop(): void {
    this.isDone = true;
    this.#steadyUntilNs = -Infinity;
    this.#cancelWait?.();
    if (!this.#isWindowOpen) return;
    this.#isWindowOpen = false;
    this.#windowEndNs = this.#lastNs;
  }

  #onLeadInEnd = (call: Call): void => this.#ended(call, false);

  #onMeasuredEnd = (call: Call): void => {
    if (call.status === "ok") this.#slice.times.push(call.endedNs - call.sentNs);
    else if (call.status === "timeout" || call.status === "connectionLost") this.#slice.censored++;
    this.#measuredEnds++;
    this.#ended(call, true);
  };

  #ended(call: Call, measured: boolean): void {
    const { onCall } = this.#options;
    this.inFlight--;
    this.#lastNs = call.endedNs;
    if (call.status === "ok") {
      if (this.#isWindowOpen) this.ok++;
      this.#unansweredInRow = 0;
    } else {
      this.#unansweredInRow = call.status === "timeout" ? this.#unansweredInRow + 1 : 0;
    }
    if (onCall !== undefined && onCall(call, measured) === "stop") this.#slice.finish("stopped");
    if (call.status === "rateLimited") this.#silenceLimit = SILENCE_LIMIT_REFUSED;
    if (this.#unansweredInRow >= this.#silenceLimit) this.#slice.finish("silent");
    if (this.#lastNs < this.#steadyUntilNs) return void this.#send(this.#lastNs);
    if (!this.isDone) this.#fill();
    if (this.isDone) this.#slice.settle();
  }

  /** Sends until as many calls are in flight as should be, or nothing more may be sent. */
  #fill(): void {
    const isPaced = this.#intervalNs > 0;
    if (!isPaced && !this.#mayGoOn()) return;
    // A call's time begins when the one before it has ended, or its slot was due.
    let fromNs: number | undefined = this.#lastNs;
    while (this.inFlight < this.#options.inFlight && !this.isDone) {
      if (this.#isAllSent) return void this.#mayGoOn();
      if (isPaced) {
        if (!this.#isSlotDue() || !this.#mayGoOn()) return;
        fromNs = this.#lastNs;
      }
      if (!this.#send(fromNs)) return;
      fromNs = undefined;
    }
  }

  /** Opens and closes the window where that is due; whether a call may be sent. */
  #mayGoOn(): boolean {
    if (!this.#isWindowOpen) {
      if (this.#lastNs < this.#leadInEndNs) return true;
      this.#openWindow();
    }
    const isOver = this.#lastNs - this.#windowStartNs >= this.#durationNs ||
      this.#measuredEnds >= this.#messages;
    if (!isOver) return !this.#isAllSent;
    this.stop();
    return false;
  }

  #openWindow(): void {
    this.#isWindowOpen = true;
    this.#windowStartNs = this.#lastNs;
    this.#connection.useLedger(this.#options.ledger);
    this.#onEnd = this.#onMeasuredEnd;
    const isSteady = this.#intervalNs === 0 && this.#messages === Infinity;
    this.#steadyUntilNs = isSteady ? this.#windowStartNs + this.#durationNs : -Infinity;
  }

  #send(fromNs: number | undefined): boolean {
    if (!this.#connection.isOpen) {
      this.#slice.finish("connectionLost");
      return false;
    }
    this.inFlight++;
    if (this.#isWindowOpen) this.#measured++;
    this.#connection.send(this.#options.message(), this.#onEnd, fromNs);
    return true;
  }

  /** Takes the next slot of the pace, or waits for it. */
  #isSlotDue(): boolean {
    const { clock } = this.#options;
    const nowNs = clock.nowNs();
    const waitNs = this.#nextSlotNs - nowNs;
    if (waitNs <= 0) {
      const pace = { nowNs, intervalNs: this.#intervalNs, wokenNs: this.#wokenNs };
      this.#nextSlotNs = slotAfter(this.#nextSlotNs, pace);
      this.#lastNs = nowNs;
      return true;
    }
    this.#cancelWait ??= clock.after(Math.ceil(waitNs / 1e6), () => {
      this.#cancelWait = null;
      this.#wokenNs = clock.nowNs();
      this.#fill();
      if (this.isDone) this.#slice.settle();
    });
    return false;
  }
}
