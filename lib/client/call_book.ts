import type { Call, CallStatus, Observed } from "./call.ts";
import type { Frame } from "../protocols/protocol.ts";
import { type ForeignText, foreignText } from "./foreign_text.ts";
import { countIn, type OpenLedger } from "./ledger.ts";
import { readLimitOwner, readRetryAfter } from "./limiter_words.ts";
import { OutstandingCalls } from "./outstanding_calls.ts";

type FinalFrame = Extract<Frame, { kind: "result" | "toolError" | "rateLimited" }>;
type StrayKind = "duplicate" | "orphan" | "malformed";

/** Options of a call book. */
export interface BookOptions {
  ledger: OpenLedger;
  observed: Observed;
  /** Masks and cuts the server's texts. Default: only cuts them. */
  foreign?: ForeignText;
  /** True for names that run a tool, whose result must look like a tool's. Default: none. */
  isTool?: (name: string) => boolean;
}

/** The character code of "0". */
const ZERO = 48;
/** The first number without a prefix: lower ones are for the session's own requests (mcp.ts). */
const FIRST_BARE_NUMBER = 11;

/**
 * Tracks the calls of one connection and counts every frame: in the ledger of its call, or in the
 * current ledger if it belongs to none. Knows nothing of sockets.
 */
export class CallBook {
  /** The current ledger: for new calls, and for frames that belong to no call. */
  ledger: OpenLedger;
  /** Timeouts since the last answer. */
  timedOutInRow = 0;
  readonly #prefix: string;
  readonly #prefixCodes: readonly number[];
  readonly #firstNumber: number;
  readonly #isTool: (name: string) => boolean;
  readonly #observed: Observed;
  readonly #foreign: ForeignText;
  readonly #outstanding = new OutstandingCalls();
  /** Ledgers of calls that ended unanswered but may still get an answer, by call number. */
  readonly #unanswered = new Map<number, OpenLedger>();
  /** The ledgers used so far, oldest first, each with the number of its first call. */
  readonly #phases: { from: number; ledger: OpenLedger }[] = [];
  /** Ledger of the last call. */
  #lastLedger: OpenLedger | null = null;
  #count = 0;
  #lastAnswered = 0;
  #answered = 0;
  #overtaken = 0;
  #lastUnanswered = 0;
  /** Replies without an id since the last answer that were attributed to no call. */
  #unattributed = 0;
  /** Unanswered calls after the last answered one; `null`: not counted yet. */
  #waiting: number | null = 0;

  /** @param prefix of every call's id; the call's number follows */
  constructor(prefix: string, options: BookOptions) {
    const { foreign = foreignText([]), isTool = () => false } = options;
    this.#prefix = prefix;
    this.#prefixCodes = Array.from(prefix, (character) => character.charCodeAt(0));
    this.#firstNumber = prefix === "" ? FIRST_BARE_NUMBER : 1;
    this.#isTool = isTool;
    this.ledger = options.ledger;
    this.#observed = options.observed;
    this.#foreign = foreign;
  }

  /** Number of calls in flight. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** Number of calls that ended unanswered but may still get an answer. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  /** Calls answered so far, and how many of them after a later call. */
  get order(): { answered: number; outOfOrder: number } {
    return { answered: this.#answered, outOfOrder: this.#overtaken };
  }

  /** The oldest call in flight. */
  get oldest(): Call | undefined {
    return this.#outstanding.oldest;
  }

  /** True if the server may still answer a call with this id. */
  awaits(id: string | null): boolean {
    const nth = id === null ? null : this.#nthOf(id);
    return nth !== null && (this.#outstanding.get(nth) !== undefined || this.#unanswered.has(nth));
  }

  /** Records a call as sent. */
  begin(sentNs: number, onEnd: (call: Call) => void, ledger = this.ledger, tool = ""): Call {
    const nth = ++this.#count;
    if (ledger !== this.#lastLedger) {
      this.#lastLedger = ledger;
      this.#phases.push({ from: nth, ledger });
    }
    const call = this.#outstanding.add(nth);
    call.id = this.#prefix + (nth + this.#firstNumber - 1);
    call.ledger = ledger;
    call.onEnd = onEnd;
    call.tool = tool;
    call.sentNs = sentNs;
    call.endedNs = 0;
    call.streamed = false;
    call.firstProgressNs = 0;
    call.fromCache = false;
    call.errorCode = "";
    call.errorMessage = "";
    ledger.sent++;
    return call;
  }

  /** Records a received frame. `text` is kept if it is the first stray of its kind. */
  receive(frame: Frame, nowNs: number, text = ""): void {
    switch (frame.kind) {
      case "result":
      case "toolError":
      case "rateLimited":
        return this.#final(frame, nowNs, text);
      case "progress":
        return this.#progress(frame, nowNs, text);
      case "notification":
        if (frame.reason !== undefined) this.#keepFirst("notification", text, frame.reason);
        return countFrame(this.ledger, "progress");
      case "malformed":
        return this.#countStray("malformed", text, frame.reason);
      default:
        frame satisfies never;
    }
  }

  /** Times out every call sent up to `sentBeforeNs`, calling `onExpire` with each first. */
  expire(sentBeforeNs: number, nowNs: number, onExpire?: (call: Call) => void): void {
    for (let call = this.oldest; call !== undefined; call = this.oldest) {
      if (call.sentNs > sentBeforeNs) return;
      onExpire?.(call);
      this.#endUnanswered(call, "timeout", nowNs);
    }
  }

  /** Ends every outstanding call with this status. */
  endAll(status: "connectionLost" | "aborted", nowNs: number): void {
    const last = this.#count;
    for (let call = this.oldest; call !== undefined; call = this.oldest) {
      // Sent from the `onEnd` of another call.
      if (call.nth > last) return;
      this.#endUnanswered(call, status, nowNs);
    }
  }

  #final(frame: FinalFrame, nowNs: number, text: string): void {
    const nth = frame.id === null ? this.#nthWithoutId() : this.#nthOf(frame.id);
    if (nth === null) {
      this.#countOrphan(frame.id, text);
      if (frame.id === null) this.#unattributed++;
      return;
    }
    const call = this.#outstanding.get(nth);
    if (call === undefined) return this.#stray(nth, text);
    const { ledger } = call;
    if (frame.kind === "result" && frame.isBare === true && this.#isTool(call.tool)) {
      return this.#countStray("malformed", text, "a result without a tool's content", ledger);
    }
    const { frames } = ledger;
    frames.received++;
    frames.final++;
    this.#noteAnswer(nth);
    if (frame.kind === "result") {
      ledger.ok++;
      call.fromCache = frame.fromCache;
      if (frame.fromCache) ledger.cached++;
      else if (call.streamed) this.#observed.streamComplete = true;
      else ledger.bareOk++;
      return this.#close(call, "ok", nowNs);
    }
    ledger[frame.kind]++;
    call.errorCode = this.#foreign(frame.code);
    call.errorMessage = this.#foreign(frame.message);
    const code = countIn(ledger.errorCodes, call.errorCode);
    if (call.errorMessage !== "" && !Object.hasOwn(ledger.errorMessages, code)) {
      ledger.errorMessages[code] = call.errorMessage;
    }
    if (frame.kind === "rateLimited") this.#noteRefusal(call);
    this.#close(call, frame.kind, nowNs);
  }

  #noteAnswer(nth: number): void {
    this.#answered++;
    if (nth < this.#lastAnswered) this.#overtaken++;
    else this.#lastAnswered = nth;
    this.timedOutInRow = 0;
    this.#unattributed = 0;
    this.#waiting = null;
  }

  #noteRefusal({ nth, errorMessage }: Call): void {
    const observed = this.#observed;
    observed.rateLimit ??= { atCall: nth, message: errorMessage };
    const seconds = readRetryAfter(errorMessage);
    if (seconds === null) return;
    const owner = readLimitOwner(errorMessage) ?? "session";
    observed.retryAfter ??= {};
    observed.retryAfter[owner] = Math.max(seconds, observed.retryAfter[owner] ?? 0);
  }

  /**
   * The number of the call that a reply without an id belongs to: the only one outstanding, if the
   * server can no longer answer an earlier one, or the only one that it can still answer.
   */
  #nthWithoutId(): number | null {
    const { size, oldest } = this.#outstanding;
    if (size === 1) return this.#overdue() <= 0 ? oldest!.nth : null;
    return size === 0 && this.#overdue() === 1 ? this.#lastUnanswered : null;
  }

  /**
   * Number of ended calls that may still be answered. Replies come in order, so these are the calls
   * after the last answered one, minus one for each reply without an id since then.
   */
  #overdue(): number {
    if (this.#lastUnanswered <= this.#lastAnswered) return 0;
    this.#waiting ??= [...this.#unanswered.keys()].filter((nth) => nth > this.#lastAnswered).length;
    // On a server that answers out of order, replies without an id prove nothing.
    return this.#waiting - (this.#overtaken === 0 ? this.#unattributed : 0);
  }

  /** Handles a final frame for a call that has ended. */
  #stray(nth: number, text: string): void {
    const late = this.#unanswered.get(nth);
    if (late === undefined) {
      return this.#countStray("duplicate", text, "its call had ended", this.#ledgerOf(nth));
    }
    this.#unanswered.delete(nth);
    this.#noteAnswer(nth);
    countFrame(late, "late");
  }

  #countOrphan(id: string | null, text: string): void {
    if (this.ledger.firstStrays.orphan !== undefined) return countFrame(this.ledger, "orphan");
    const { size, oldest } = this.#outstanding;
    const waiting = size > 1
      ? `${size} calls are outstanding, the oldest is ${oldest!.id}`
      : size === 1
      ? `the only call outstanding is ${oldest!.id}`
      : "no call is outstanding";
    const name = id === null ? "no id" : `the id ${this.#foreign(id, 64)}`;
    const isUnclear = id === null && this.#overdue() > 0;
    const also = isUnclear ? ", and a call that timed out before may still be answered" : "";
    this.#countStray("orphan", text, `${name}; ${waiting}${also}`);
  }

  /** Counts a frame that was not expected. */
  #countStray(kind: StrayKind, text: string, why: string, ledger = this.ledger): void {
    countFrame(ledger, kind);
    this.#keepFirst(kind, text, why, ledger);
  }

  #keepFirst(kind: string, text: string, why: string, { firstStrays } = this.ledger): void {
    firstStrays[kind] ??= text === "" ? why : `${why}: ${this.#foreign(text)}`;
  }

  #progress(frame: Extract<Frame, { kind: "progress" }>, nowNs: number, text: string): void {
    const { id } = frame;
    if (id === null) return countFrame(this.ledger, "progress");
    const nth = this.#nthOf(id);
    if (nth === null) return this.#countOrphan(id, text);
    const call = this.#outstanding.get(nth);
    if (call === undefined) return countFrame(this.#ledgerOf(nth), "progress");
    if (frame.streamComplete) call.streamed = true;
    else if (call.firstProgressNs === 0) call.firstProgressNs = nowNs;
    countFrame(call.ledger, "progress");
  }

  /** The number of the call with this id; `null` if no call ever had it. */
  #nthOf(id: string): number | null {
    const codes = this.#prefixCodes;
    const { length } = id;
    if (length <= codes.length) return null;
    let number = 0;
    for (let index = codes.length; index < length; index++) {
      const digit = id.charCodeAt(index) - ZERO;
      if (!(digit >= 0 && digit <= 9) || (number === 0 && digit === 0)) return null;
      number = number * 10 + digit;
    }
    const nth = number - this.#firstNumber + 1;
    if (nth < 1 || nth > this.#count) return null;
    for (let index = 0; index < codes.length; index++) {
      if (id.charCodeAt(index) !== codes[index]) return null;
    }
    return nth;
  }

  #ledgerOf(nth: number): OpenLedger {
    return (this.#phases.findLast(({ from }) => from <= nth) ?? this.#phases[0]!).ledger;
  }

  #endUnanswered(
    call: Call,
    status: "timeout" | "connectionLost" | "aborted",
    nowNs: number,
  ) {
    call.ledger[status]++;
    if (status === "timeout") this.timedOutInRow++;
    if (status !== "connectionLost") {
      this.#unanswered.set(call.nth, call.ledger);
      this.#lastUnanswered = Math.max(this.#lastUnanswered, call.nth);
      if (this.#waiting !== null && call.nth > this.#lastAnswered) this.#waiting++;
    }
    this.#close(call, status, nowNs);
  }

  #close(call: Call, status: CallStatus, nowNs: number): void {
    call.endedNs = nowNs;
    this.#outstanding.end(call, status);
    call.onEnd(call);
    this.#outstanding.free(call);
  }
}

function countFrame({ frames }: OpenLedger, kind: keyof OpenLedger["frames"]): void {
  frames.received++;
  // Hot path: a property named in the code is faster than a computed key.
  if (kind === "progress") frames.progress++;
  else frames[kind]++;
}
