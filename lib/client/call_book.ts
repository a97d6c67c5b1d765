import type { Frame } from "../protocols/protocol.ts";
import { countIn, type OpenLedger } from "./ledger.ts";
import { OutstandingCalls } from "./outstanding_calls.ts";

/** How a call can end. */
export type CallStatus =
  | "ok"
  | "toolError"
  | "rateLimited"
  | "timeout"
  | "connectionLost"
  | "aborted";

/** One call, from its sending to its end. Times are nanoseconds of the clock. */
export interface Call {
  readonly id: string;
  /** Its place in the session, from 1. */
  readonly nth: number;
  readonly ledger: OpenLedger;
  readonly onEnd: (call: Call) => void;
  sentNs: number;
  endedNs: number;
  status: CallStatus | "outstanding";
  /** Whether a stream_complete frame came for it. */
  streamed: boolean;
  /** When the first frame came that told of its progress, a stream_complete aside; 0: none has. */
  firstProgressNs: number;
  /** Whether its success was marked as one from a cache. */
  fromCache: boolean;
  /** The server's words for an error, else "". */
  errorCode: string;
  errorMessage: string;
}

/** What the replies of a server have shown about it so far; shared by all connections of a run. */
export interface Observed {
  /** Whether any success was announced by stream_complete. */
  streamComplete: boolean;
  /** The first call that was refused for load, with its place in its session and the server's words. */
  rateLimit: { atCall: number; message: string } | null;
}

/**
 * Whether a success came from a cache: by the server's own mark, or by the lack of the stream_complete
 * that its computed successes have.
 */
export function isFromCache(
  { fromCache, streamed }: Pick<Call, "fromCache" | "streamed">,
  { streamComplete }: Observed,
): boolean {
  return fromCache || (streamComplete && !streamed);
}

type FinalFrame = Extract<Frame, { kind: "result" | "toolError" | "rateLimited" }>;

/** The character code of "0". */
const ZERO = 48;

/**
 * Keeps the calls of one connection and writes every frame into a ledger: that of the call it belongs
 * to, or else the one in use. Knows nothing of sockets.
 */
export class CallBook {
  readonly #prefix: string;
  readonly #observed: Observed;
  readonly #outstanding = new OutstandingCalls();
  /** Calls that ended without an answer, which may still come: by number, their ledger. */
  readonly #unanswered = new Map<number, OpenLedger>();
  /** From which call on each ledger was in use, oldest first. */
  readonly #phases: { from: number; ledger: OpenLedger }[];
  #ledger: OpenLedger;
  #count = 0;
  #lastAnswered = 0;
  #lastUnanswered = 0;
  #timedOutInRow = 0;

  constructor(prefix: string, options: { ledger: OpenLedger; observed: Observed }) {
    this.#prefix = prefix;
    this.#ledger = options.ledger;
    this.#phases = [{ from: 1, ledger: options.ledger }];
    this.#observed = options.observed;
  }

  /** How many calls wait for their end. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** How many calls ended without an answer that may still come. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  /** How many calls timed out since the last answer. */
  get timedOutInRow(): number {
    return this.#timedOutInRow;
  }

  /** The call that has waited longest. */
  get oldest(): Call | undefined {
    return this.#outstanding.oldest;
  }

  /** The one in use. */
  get ledger(): OpenLedger {
    return this.#ledger;
  }

  /** Counts the calls from here on, and frames that belong to no call, in another ledger. */
  useLedger(ledger: OpenLedger): void {
    if (ledger === this.#ledger) return;
    this.#ledger = ledger;
    this.#phases.push({ from: this.#count + 1, ledger });
  }

  /** Enters a call as sent. */
  begin(sentNs: number, onEnd: (call: Call) => void): Call {
    const nth = ++this.#count;
    const ledger = this.#ledger;
    const call: Call = {
      id: this.#prefix + nth,
      nth,
      ledger,
      onEnd,
      sentNs,
      endedNs: 0,
      status: "outstanding",
      streamed: false,
      firstProgressNs: 0,
      fromCache: false,
      errorCode: "",
      errorMessage: "",
    };
    ledger.sent++;
    this.#outstanding.add(call);
    return call;
  }

  /** Enters a received frame. */
  receive(frame: Frame, nowNs: number): void {
    switch (frame.kind) {
      case "result":
      case "toolError":
      case "rateLimited":
        return this.#final(frame, nowNs);
      case "progress":
        return this.#progress(frame.id, frame.streamComplete, nowNs);
      case "notification":
        return this.#countFrame(this.#ledger, "progress");
      case "malformed":
        return this.#countFrame(this.#ledger, "malformed");
      default:
        frame satisfies never;
    }
  }

  /** Ends as timed out every call sent before the given time. */
  expire(sentBeforeNs: number, nowNs: number): void {
    for (let call = this.oldest; call !== undefined; call = this.oldest) {
      if (call.sentNs > sentBeforeNs) return;
      this.#endUnanswered(call, "timeout", nowNs);
    }
  }

  /** Ends every outstanding call in the same way. */
  endAll(status: "connectionLost" | "aborted", nowNs: number): void {
    for (const call of this.#outstanding.all()) this.#endUnanswered(call, status, nowNs);
  }

  #final(frame: FinalFrame, nowNs: number): void {
    const call = frame.id === null ? this.#soleCall() : this.#callOf(frame.id);
    if (call === undefined) return this.#stray(frame.id);
    const ledger = call.ledger;
    this.#countFrame(ledger, "final");
    this.#noteAnswer(call.nth);
    if (frame.kind === "result") this.#success(call, frame.fromCache);
    else {
      countIn(ledger.errorCodes, frame.code);
      call.errorCode = frame.code;
      call.errorMessage = frame.message;
      if (frame.kind === "rateLimited") this.#noteRefusal(call);
    }
    this.#end(call, frame.kind === "result" ? "ok" : frame.kind, nowNs);
  }

  #noteAnswer(nth: number): void {
    this.#lastAnswered = Math.max(this.#lastAnswered, nth);
    this.#timedOutInRow = 0;
  }

  #noteRefusal({ nth, errorMessage }: Call): void {
    this.#observed.rateLimit ??= { atCall: nth, message: errorMessage };
  }

  #success(call: Call, fromCache: boolean): void {
    call.fromCache = fromCache;
    if (fromCache) call.ledger.cached++;
    else if (call.streamed) {
      call.ledger.streamedOk++;
      this.#observed.streamComplete = true;
    } else call.ledger.bareOk++;
  }

  /**
   * The call that a reply without an id belongs to: there must be exactly one that the server may
   * still answer. A call that timed out counts too, until a later one has been answered, since
   * replies come in order.
   */
  #soleCall(): Call | undefined {
    const mayAnswerOther = this.#lastUnanswered > this.#lastAnswered;
    return this.#outstanding.size === 1 && !mayAnswerOther ? this.oldest : undefined;
  }

  /** A final frame for no outstanding call. */
  #stray(id: string | null): void {
    const nth = this.#nthOf(id);
    if (nth === null) return this.#countFrame(this.#ledger, "orphan");
    const late = this.#unanswered.get(nth);
    if (late === undefined) return this.#countFrame(this.#ledgerOf(nth), "duplicate");
    this.#unanswered.delete(nth);
    this.#noteAnswer(nth);
    this.#countFrame(late, "late");
  }

  #progress(id: string | null, streamComplete: boolean, nowNs: number): void {
    const call = id === null ? undefined : this.#callOf(id);
    if (call !== undefined) {
      if (streamComplete) call.streamed = true;
      else if (call.firstProgressNs === 0) call.firstProgressNs = nowNs;
      return this.#countFrame(call.ledger, "progress");
    }
    const nth = this.#nthOf(id);
    if (id !== null && nth === null) return this.#countFrame(this.#ledger, "orphan");
    this.#countFrame(nth === null ? this.#ledger : this.#ledgerOf(nth), "progress");
  }

  /** The number of the call that had this id, or `null` if none ever had. */
  #nthOf(id: string | null): number | null {
    if (id === null || !id.startsWith(this.#prefix)) return null;
    let nth = 0;
    for (let index = this.#prefix.length; index < id.length; index++) {
      const digit = id.charCodeAt(index) - ZERO;
      if (!(digit >= 0 && digit <= 9) || (nth === 0 && digit === 0)) return null;
      nth = nth * 10 + digit;
    }
    return nth >= 1 && nth <= this.#count ? nth : null;
  }

  /** The outstanding call with this id. */
  #callOf(id: string): Call | undefined {
    const nth = this.#nthOf(id);
    return nth === null ? undefined : this.#outstanding.get(nth);
  }

  #ledgerOf(nth: number): OpenLedger {
    return (this.#phases.findLast(({ from }) => from <= nth) ?? this.#phases[0]!).ledger;
  }

  #endUnanswered(call: Call, status: "timeout" | "connectionLost" | "aborted", nowNs: number) {
    call.ledger[status]++;
    if (status === "timeout") this.#timedOutInRow++;
    if (status !== "connectionLost") {
      this.#unanswered.set(call.nth, call.ledger);
      this.#lastUnanswered = Math.max(this.#lastUnanswered, call.nth);
    }
    this.#close(call, status, nowNs);
  }

  #end(call: Call, status: "ok" | "toolError" | "rateLimited", nowNs: number): void {
    call.ledger[status]++;
    this.#close(call, status, nowNs);
  }

  #close(call: Call, status: CallStatus, nowNs: number): void {
    this.#outstanding.remove(call);
    call.status = status;
    call.endedNs = nowNs;
    call.onEnd(call);
  }

  #countFrame(ledger: OpenLedger, kind: keyof OpenLedger["frames"]): void {
    const { frames } = ledger;
    frames.received++;
    // By name where it is hot: a key that changes is looked up anew each time.
    if (kind === "final") frames.final++;
    else if (kind === "progress") frames.progress++;
    else frames[kind]++;
  }
}
