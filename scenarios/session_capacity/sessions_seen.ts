import { Buffer } from "node:buffer";
import type { Call } from "../../lib/client/call.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import type { Message } from "../../lib/client/connection.ts";
import type { Target } from "../../lib/client/target.ts";
import { Crowd } from "../../lib/load/crowd.ts";
import type { Verdict } from "../../lib/load/objective.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";
import type { SessionSpec, Step } from "../../lib/load/session.ts";

/** What sessions are held against, and how many there may be. */
export const STANDARD = {
  /** The p99 that calls and the opening of sessions must meet. */
  sloMs: 50,
  /** The most sessions at once. */
  connections: 100,
  /** Where the search begins. */
  sessions: 5,
  /** Ramps of the number of sessions, in place of the search; `null`: it is searched. */
  stages: null as string | null,
  /** Of a trial, and of one that confirms the answer; longer where sessions think longer. */
  durationMs: 2_000,
  confirmMs: 10_000,
  payloadBytes: 0,
};

export type SessionContext = ScenarioContext<typeof STANDARD>;

/** What the sessions of a trial missed. */
export type SessionMiss =
  /** The server closed, or refused with a status, what was more than so many. */
  | { kind: "refused"; held: number; why: string }
  /** Sessions that took too long to open, or did not. */
  | { kind: "opening"; over: number; opened: number; why: string | null }
  /** Calls that failed or took too long, most of them refused for load or not; lost connections count as calls. */
  | { kind: "latency" | "refusals"; over: number; calls: number }
  /** Nothing was answered. */
  | { kind: "gone" };

/** At most this share of the calls, and of the openings, may be over the objective; and one in any case. */
const MISS_SHARE = 0.01;
/** Calls end late, and replies are seen late: see `judgeRun`. */
const LATE_TWICE = 2;

/** What is seen of the sessions of a trial, in nanoseconds. */
export class SessionsSeen {
  readonly latencyNs: number[] = [];
  readonly establishNs: number[] = [];
  /** Measured calls that were not served, those of them refused for load, and those that nobody answered. */
  failed = 0;
  refused = 0;
  unanswered = 0;
  /** The most that were open at once. */
  held = 0;
  lost = 0;
  /** Of the measured calls, sent and received; and of the frames the number. */
  bytes = 0;
  frames = 0;
  unfilled: Step | null = null;
  /** The first of each. */
  refusal: string | null = null;
  failure: string | null = null;
  failures = 0;
  isMeasuring = false;
  readonly crowd: Crowd;

  /** @param onCall hears of each measured call, with the number of sessions then */
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
    this.crowd = new Crowd({
      ...{ spec, seed, clock, signal, timeoutMs },
      ledger: warmupLedger,
      connect: (ledger) => target.connect(ledger),
      onOpened: (ns) => {
        this.establishNs.push(ns);
        this.held = Math.max(this.held, this.crowd.open + 1);
      },
      onFailed: (error) => this.noteFailure(error, target.foreign),
      onLost: () => this.lost++,
      onUnfilled: (step) => this.unfilled ??= step,
      onFrame: (text) => {
        if (!this.isMeasuring) return;
        this.frames++;
        this.bytes += Buffer.byteLength(text);
      },
      onCall: (call: Call, { tool, argsJson }: Message, sessions) => {
        if (call.ledger !== ledger) return;
        if (call.status === "ok") this.latencyNs.push(call.endedNs - call.sentNs);
        else this.failed++;
        if (call.status === "rateLimited") this.refused++;
        if (call.status === "timeout" || call.status === "connectionLost") this.unanswered++;
        onCall?.(call, sessions);
        if (!this.isMeasuring) return;
        this.frames++;
        this.bytes += Buffer.byteLength(protocol.encodeCall(call.id, tool, argsJson));
      },
    });
  }

  /** Counts a session that could not be opened. */
  noteFailure(error: unknown, foreign: Target["foreign"]): void {
    const message = foreign(error instanceof Error ? error.message : String(error));
    const isRefused = error instanceof ConnectError &&
      (error.details.closeCode !== undefined || error.failure === "httpStatus");
    // The very first may not be let in at all: that is no limit.
    if (isRefused && this.held > 0) this.refusal ??= message;
    else this.failures++;
    this.failure ??= message;
  }

  /** Holds it against the objective: a miss that may be the client's is none of the server's. */
  judge(sloNs: number): { verdict: Verdict; misses: SessionMiss[] } {
    const { refusal, failures, latencyNs, failed, lost } = this;
    // A machine that stood still asked for nothing.
    const isIdle = refusal === null && latencyNs.length + failures + failed + lost === 0;
    if (isIdle) return { verdict: "noVerdict", misses: [] };
    const misses = this.#missesOf(sloNs);
    if (misses.length === 0) return { verdict: "met", misses };
    const certain = this.#missesOf(sloNs + LATE_TWICE * this.crowd.longestLateNs);
    return certain.length === 0
      ? { verdict: "noVerdict", misses }
      : { verdict: "missed", misses: certain };
  }

  #missesOf(limitNs: number): SessionMiss[] {
    const { refusal, held, failure, failures, establishNs } = this;
    if (refusal !== null) return [{ kind: "refused", held, why: refusal }];
    const misses: SessionMiss[] = [];
    const slow = (times: readonly number[]) => times.filter((ns) => ns > limitNs).length;
    const opened = establishNs.length + failures;
    const late = slow(establishNs) + failures;
    if (late > mayMiss(opened)) {
      misses.push({ kind: "opening", over: late, opened, why: failure });
    }
    const calls = this.latencyNs.length + this.failed + this.lost;
    const over = slow(this.latencyNs) + this.failed + this.lost;
    const kind = this.refused > over / 2 ? "refusals" : "latency";
    if (this.latencyNs.length === 0) misses.push({ kind: "gone" });
    else if (over > mayMiss(calls)) misses.push({ kind, over, calls });
    return misses;
  }
}

/** How many of so many may be over the objective. */
export function mayMiss(count: number): number {
  return Math.max(1, Math.floor(count * MISS_SHARE + 1e-9));
}
