import { Buffer } from "node:buffer";
import type { Call } from "../../lib/client/call.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { Crowd } from "../../lib/load/crowd.ts";
import type { Verdict } from "../../lib/load/objective.ts";
import { wait } from "../../lib/load/pace.ts";
import type { Trial } from "../../lib/load/rate_search.ts";
import { meanThinkMs, type SessionSpec, type Step } from "../../lib/load/session.ts";
import { counted, describeClose } from "../../lib/run/describe_end.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";
import { randomStream } from "../../lib/stats/random.ts";

export const STANDARD = {
  /** Maximum p99 of calls and of session opening. */
  sloMs: 50,
  /** Maximum sessions at once. */
  connections: 100,
  /** Start of the search. */
  sessions: 5,
  /** Ramps of the number of sessions; `null`: search for it. */
  stages: null as string | null,
  /** Minimum duration of a trial, and of one that confirms; long think times extend it. */
  durationMs: 2_000,
  confirmMs: 10_000,
  payloadBytes: 0,
};

export type SessionContext = ScenarioContext<typeof STANDARD>;

/** How the sessions of a trial missed the objective. */
export interface SessionMiss {
  /**
   * `refused`: the server refused more sessions by a close or an HTTP status. `opening`: sessions
   * failed to open or took too long. `latency`: calls failed or took too long, or connections were
   * lost; `refusals`: most of them because of load. `gone`: nothing was answered, or every session
   * was lost.
   */
  kind: "refused" | "opening" | "latency" | "refusals" | "gone";
  /** In words. */
  what: string;
  /** True if it was no hiccup. */
  isClear?: boolean;
}

/** Share of the calls, and of the openings, that can exceed the objective; at least one can. */
const MISS_SHARE = 0.01;
/** Calls are sent late and replies are seen late: see `judgeRun`. */
const LATE_TWICE = 2;
/** Sessions arrive within this time, or at 200 a second if there are many. */
const ARRIVALS_MS = 500;
const ARRIVAL_MS = 5;
/** Warm-up: this or two think times. */
const LEAD_IN_MS = 200;
const LEAD_IN_THINKS = 2;
/** Minimum duration of a trial in think times. */
const FEWEST_THINKS = 3;
/** A miss is clear, not a hiccup, above this share of at least this many calls. */
const CLEAR_SHARE = 0.2;
const FEWEST_CALLS = 50;

/** How many of `count` can exceed the objective. */
export function mayMiss(count: number): number {
  return Math.max(1, Math.floor(count * MISS_SHARE + 1e-9));
}

/** Observations of the sessions in a trial. */
export class SessionsSeen {
  readonly latencyNs: number[] = [];
  readonly establishNs: number[] = [];
  /** What each unanswered call took at least. */
  readonly unansweredNs: number[] = [];
  /** Measured calls that failed on a live connection; of these, those refused because of load. */
  failed = 0;
  refused = 0;
  /** Maximum open at once. */
  held = 0;
  /** Sessions that the server ended, in a call or between two. */
  lost = 0;
  /** Successes while measuring, and what was sent and received. */
  ok = 0;
  bytes = 0;
  frames = 0;
  unfilled: Step | null = null;
  /** First message of each kind. */
  refusal: string | null = null;
  failure: string | null = null;
  failures = 0;
  isMeasuring = false;
  readonly crowd: Crowd;

  /** @param onCall called when a measured call ends, with the current number of sessions */
  constructor(
    context: SessionContext,
    { spec, seed, onCall }: {
      spec: SessionSpec<Step>;
      seed: number;
      onCall?: (call: Call, sessions: number) => void;
    },
  ) {
    const { target, ledger, warmupLedger, clock, signal } = context;
    const { protocol, timeoutMs } = target.options;
    const countFrame = (text: string) => {
      this.frames++;
      this.bytes += Buffer.byteLength(text);
    };
    this.crowd = new Crowd({
      ...{ spec, seed, clock, signal, timeoutMs },
      ledger: warmupLedger,
      connect: (ledger) => target.connect(ledger),
      onOpened: (ns) => {
        this.establishNs.push(ns);
        this.held = Math.max(this.held, this.crowd.open + 1);
      },
      onFailed: (error) => this.noteFailure(error),
      onLost: () => this.lost++,
      onUnfilled: (step) => this.unfilled ??= step,
      onFrame: (text) => {
        if (this.isMeasuring) countFrame(text);
      },
      onCall: (call, { tool, argsJson }, sessions) => {
        if (call.ledger !== ledger) return;
        if (call.status === "ok") this.latencyNs.push(call.endedNs - call.sentNs);
        // Its session is counted when it ends.
        else if (call.status !== "connectionLost") this.failed++;
        if (call.status === "rateLimited") this.refused++;
        if (call.status === "timeout") this.unansweredNs.push(call.endedNs - call.sentNs);
        if (call.status === "connectionLost") this.unansweredNs.push(timeoutMs * 1e6);
        onCall?.(call, sessions);
        if (!this.isMeasuring) return;
        if (call.status === "ok") this.ok++;
        countFrame(protocol.encodeCall(call.id, tool, argsJson));
      },
    });
  }

  /** Counts a session that could not be opened. */
  noteFailure(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    // If even the first session is refused, that is not a connection limit.
    if (error instanceof ConnectError && error.isRefusal && this.held > 0) {
      const { closeCode: code, closeReason: reason = "" } = error.details;
      this.refusal ??= code === undefined ? message : describeClose({ code, reason });
    } else this.failures++;
    this.failure ??= message;
  }

  /** Judges by the objective. A miss that the client's lateness can explain gives no verdict. */
  judge(sloNs: number): { verdict: Verdict; misses: SessionMiss[] } {
    const { refusal, failures, latencyNs, failed, lost } = this;
    // A machine that stood still made no calls.
    const isIdle = refusal === null && latencyNs.length + failures + failed + lost === 0;
    if (isIdle) return { verdict: "noVerdict", misses: [] };
    const misses = this.#missesOf(sloNs, 0);
    if (misses.length === 0) return { verdict: "met", misses };
    const certain = this.#missesOf(sloNs, LATE_TWICE * this.crowd.longestLateNs);
    return certain.length === 0
      ? { verdict: "noVerdict", misses }
      : { verdict: "missed", misses: certain };
  }

  #missesOf(sloNs: number, lateNs: number): SessionMiss[] {
    const { refusal, held, failure, failures, establishNs, latencyNs, failed, lost } = this;
    if (refusal !== null) {
      const what = `only ${held} were accepted: ${refusal}`;
      return [{ kind: "refused", what, isClear: true }];
    }
    const misses: SessionMiss[] = [];
    const slow = (times: readonly number[]) => times.filter((ns) => ns > sloNs + lateNs).length;
    const tooLong = `failed or took over ${Number((sloNs / 1e6).toPrecision(4))} ms`;
    const opened = establishNs.length + failures;
    const late = slow(establishNs) + failures;
    if (late > mayMiss(opened)) {
      const why = failure === null ? "" : ` (${failure})`;
      const what = `${late} of ${counted(opened, "handshake")} ${tooLong}${why}`;
      misses.push({ kind: "opening", what });
    }
    const calls = latencyNs.length + failed + lost;
    const over = slow(latencyNs) + failed + lost;
    const some = `${over} of ${counted(calls, "call")}`;
    if (latencyNs.length === 0) misses.push({ kind: "gone", what: "no call was answered" });
    else if (lost > 0 && lost >= held) {
      misses.push({ kind: "gone", what: "every session was lost" });
    } else if (over > mayMiss(calls) && this.refused > over / 2) {
      const what = `${some} failed, most of them refused because of load`;
      misses.push({ kind: "refusals", what });
    } else if (over > mayMiss(calls)) {
      const isClear = calls >= FEWEST_CALLS && over > calls * CLEAR_SHARE;
      misses.push({ kind: "latency", what: `${some} ${tooLong}`, isClear });
    }
    return misses;
  }
}

/** A run with a number of sessions, which the search treats as its rate. */
export interface SessionTrial extends Trial {
  misses: SessionMiss[];
  /** This and the next two are `null` if the trial ended before it measured. */
  callsPerSecond: number | null;
  /** Per session, both directions. */
  bytesPerSecond: number | null;
  framesPerSecond: number | null;
  seen: SessionsSeen;
}

/**
 * Lets sessions arrive as a Poisson process (given their number, the times are uniform) and keeps
 * their number constant while it measures. The first refusal ends the trial.
 *
 * @throws the signal's reason if it is aborted
 */
export async function runSessionTrial(
  context: SessionContext,
  { spec, sessions, confirms, seed }: {
    spec: SessionSpec<Step>;
    sessions: number;
    confirms: boolean;
    seed: number;
  },
): Promise<SessionTrial> {
  const { clock, signal, ledger, parameters: { sloMs, durationMs, confirmMs } } = context;
  let seconds = 0;
  const seen = new SessionsSeen(context, { spec, seed });
  const { crowd } = seen;
  const thinkMs = meanThinkMs(spec);
  const isGoing = () => seen.refusal === null && !signal.aborted;
  const random = randomStream(seed, "session arrivals");
  const spanMs = Math.max(ARRIVALS_MS, sessions * ARRIVAL_MS);
  const arrivals = Array.from({ length: sessions }, () => random() * spanMs).sort((a, b) => a - b);
  const begunNs = clock.nowNs();
  try {
    for (const dueMs of arrivals) {
      await wait(Math.max(0, dueMs - (clock.nowNs() - begunNs) / 1e6), context);
      if (!isGoing()) break;
      crowd.want(crowd.wanted + 1);
    }
    if (isGoing()) await wait(Math.max(LEAD_IN_MS, LEAD_IN_THINKS * thinkMs), context);
    if (isGoing()) {
      crowd.useLedger(ledger);
      seen.isMeasuring = true;
      const startNs = clock.nowNs();
      await wait(Math.max(confirms ? confirmMs : durationMs, FEWEST_THINKS * thinkMs), context);
      seconds = (clock.nowNs() - startNs) / 1e9;
      seen.isMeasuring = false;
    }
  } finally {
    await crowd.leave();
  }
  signal.throwIfAborted();
  // A trial that ended before it measured has no rates.
  const perSecond = (count: number) => seconds === 0 ? null : count / seconds;
  const judgement = seen.judge(sloMs * 1e6);
  const isCapped = seen.refusal !== null;
  const trial: SessionTrial = {
    ...{ ...judgement, confirms, isCapped, seen },
    ratePerSecond: sessions,
    offeredPerSecond: sessions,
    achievedPerSecond: isCapped ? seen.held : sessions,
    answered: seen.latencyNs.length,
    isClear: judgement.misses.some(({ isClear }) => isClear),
    callsPerSecond: perSecond(seen.ok),
    bytesPerSecond: perSecond(seen.bytes / sessions),
    framesPerSecond: perSecond(seen.frames / sessions),
  };
  recordTrial(context, trial);
  return trial;
}

/** Records a trial, unless it has no verdict: its times are those of a late client. */
export function recordTrial(
  { distribution, scalar }: Pick<SessionContext, "distribution" | "scalar">,
  { verdict, ratePerSecond: sessions, callsPerSecond, seen }: Pick<
    SessionTrial,
    "verdict" | "ratePerSecond" | "callsPerSecond" | "seen"
  >,
): void {
  if (verdict === "noVerdict") return;
  const { latencyNs, establishNs, unansweredNs } = seen;
  const at = { sessions };
  const latency = distribution("latency", { at });
  latency.recordAll(Float64Array.from(latencyNs));
  for (const ns of unansweredNs) latency.censor(1, ns);
  distribution("establish", { at }).recordAll(Float64Array.from(establishNs));
  if (callsPerSecond !== null) scalar("throughput", callsPerSecond, { at });
  scalar("met", verdict === "met" ? 1 : 0, { at, ci95: null });
}
