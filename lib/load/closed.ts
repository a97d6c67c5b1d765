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
  /** Calls per connection; takes precedence over the duration. */
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
 *
 * @throws {RangeError} if there is no connection, or neither messages nor duration is given
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

/** State shared by the clients of a slice. */
interface Slice {
  readonly options: ClosedSliceOptions;
  readonly times: TimeBuffer;
  censored: number;
  /** Ends the slice early, on all connections. */
  finish(why: Exclude<ClosedSlice["end"], "complete">): void;
  /** Resolves the slice if all clients are done and every call has ended. */
  settle(): void;
}

/** One connection of a slice. */
class Client {
  /** Successes inside the window. */
  ok = 0;
  inFlight = 0;
  /** True once no more calls are sent. */
  isDone = false;
  readonly #slice: Slice;
  readonly #options: ClosedSliceOptions;
  readonly #connection: Caller;
  readonly #messages: number;
  readonly #durationNs: number;
  /** Time between slots; 0: no rate limit. */
  readonly #intervalNs: number;
  /** Calls sent in the window. */
  #measured = 0;
  #measuredEnds = 0;
  #isWindowOpen = false;
  #windowStartNs = 0;
  #windowEndNs = 0;
  /** Until then, each call that ends is simply followed by another: no limit needs checking. */
  #steadyUntilNs = -Infinity;
  #leadInEndNs = 0;
  /** Last moment at which a call could have been sent: the end of a call, or a slot. */
  #lastNs = 0;
  /** Starts with the timeouts before this slice: a server that went silent then still is. */
  #unansweredInRow: number;
  #silenceLimit = SILENCE_LIMIT;
  #nextSlotNs = 0;
  /** When the last timer for a slot fired. */
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

  /** 0 if the window never opened. */
  get windowNs(): number {
    return this.#windowEndNs - this.#windowStartNs;
  }

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

  /** Closes the window and sends nothing more. */
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

  /** Sends until enough calls are in flight, or no more may be sent. */
  #fill(): void {
    const isPaced = this.#intervalNs > 0;
    if (!isPaced && !this.#mayGoOn()) return;
    // A call is timed from the end of the previous one, or from its slot.
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

  /** Opens or closes the window if due; returns true if a call may be sent. */
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

  /** Takes the next slot if it is due, else starts a timer for it. */
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
