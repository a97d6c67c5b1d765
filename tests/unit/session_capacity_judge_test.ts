import { assertEquals } from "@std/assert";
import type { Call } from "../../lib/client/call.ts";
import { systemClock } from "../../lib/client/clock.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import type { SessionSpec, Step } from "../../lib/load/session.ts";
import {
  recordTrial,
  type SessionContext,
  SessionsSeen,
} from "../../scenarios/session_capacity/trial.ts";
import { STATUS } from "../support/targets.ts";

const SPEC: SessionSpec<Step> = { begin: [], patterns: [], lasts: { patterns: 1, time: null } };
const SLO_NS = 50e6;

/** What a trial saw: its calls, how many were slow or failed, and how late the client was. */
function seenOf(
  {
    calls = 1_000,
    slow = 0,
    failed = 0,
    lost = 0,
    held = 8,
    refused = 0,
    establishNs = [1e6],
    lateMs = 0,
  }: {
    calls?: number;
    slow?: number;
    failed?: number;
    lost?: number;
    held?: number;
    refused?: number;
    establishNs?: number[];
    lateMs?: number;
  },
): SessionsSeen {
  const context = {
    target: { options: { timeoutMs: 1_000 } },
    ledger: openLedger(),
    warmupLedger: openLedger(),
    signal: new AbortController().signal,
  } as unknown as SessionContext;
  const seen = new SessionsSeen(context, { spec: SPEC, seed: 1 });
  seen.latencyNs.push(
    ...Array.from({ length: calls - failed }, (_, nth) => nth < slow ? 60e6 : 1e6),
  );
  seen.failed = failed;
  seen.lost = lost;
  seen.held = held;
  seen.refused = refused;
  seen.establishNs.push(...establishNs);
  Object.defineProperty(seen.crowd, "longestLateNs", { get: () => lateMs * 1e6 });
  return seen;
}

function judged(options: Parameters<typeof seenOf>[0]): string[] {
  const { verdict, misses } = seenOf(options).judge(SLO_NS);
  return [verdict, ...misses.map(({ kind }) => kind)];
}

Deno.test("sessions: 1 % of the calls, and at least one, may be slow or fail", () => {
  assertEquals(judged({ slow: 10 }), ["met"]);
  assertEquals(judged({ slow: 11 }), ["missed", "latency"]);
  assertEquals(judged({ slow: 5, failed: 6 }), ["missed", "latency"]);
  assertEquals(judged({ slow: 5, failed: 6, refused: 6 }), ["missed", "refusals"]);
  assertEquals(judged({ calls: 20, slow: 1 }), ["met"]);
  assertEquals(judged({ calls: 20, slow: 2 }), ["missed", "latency"]);
  assertEquals(judged({ calls: 20, failed: 20 }), ["missed", "gone"]);
  assertEquals(judged({ calls: 0 }), ["noVerdict"]);
});

Deno.test("sessions: a lost session is one failed call, unless every session is lost", () => {
  assertEquals(judged({ calls: 99, lost: 1 }), ["met"]);
  assertEquals(judged({ calls: 98, lost: 2 }), ["missed", "latency"]);
  assertEquals(judged({ calls: 999, lost: 1, held: 1 }), ["missed", "gone"]);
});

Deno.test("sessions: a call that is lost with its connection is counted once", async () => {
  const ledger = openLedger();
  const connection = {
    ...{ isOpen: true, timing: { establishNs: 1 }, useLedger() {}, onFrame() {} },
    close: () => Promise.resolve(),
    call() {
      connection.isOpen = false;
      return Promise.resolve({ status: "connectionLost", ledger } as Call);
    },
  };
  const step: Step = {
    ...{ ...STATUS, timeoutMs: null, message: () => STATUS },
    onError: "continue",
    think: { kind: "constant", ms: 0 },
  };
  const seen = new SessionsSeen({
    ...{ ledger, warmupLedger: ledger, clock: systemClock, signal: new AbortController().signal },
    target: { options: { timeoutMs: 1_000 }, connect: () => Promise.resolve(connection) },
  } as unknown as SessionContext, {
    spec: { ...SPEC, patterns: [{ name: "status", weight: 1, steps: [step] }] },
    seed: 1,
  });
  seen.crowd.want(1);
  while (seen.crowd.wanted > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals([seen.failed, seen.lost, seen.unansweredNs.length], [0, 1, 1]);
});

Deno.test("sessions: the time to open one must meet the objective too", () => {
  const opened = (slow: number) => Array.from({ length: 40 }, (_, nth) => nth < slow ? 60e6 : 1e6);
  assertEquals(judged({ establishNs: opened(1) }), ["met"]);
  assertEquals(judged({ establishNs: opened(2) }), ["missed", "opening"]);
  assertEquals(judged({ establishNs: opened(2), slow: 11 }), ["missed", "opening", "latency"]);
});

Deno.test("sessions: a miss that the client's own lateness can explain is no verdict", () => {
  assertEquals(judged({ slow: 11, lateMs: 5 }), ["noVerdict", "latency"]);
  assertEquals(judged({ slow: 11, lateMs: 4 }), ["missed", "latency"]);
  // Failed calls are the server's, however late the client was.
  assertEquals(judged({ failed: 11, lateMs: 500 }), ["missed", "latency"]);
});

Deno.test("sessions: a refusal is the connection limit only if others were let in", () => {
  const refuse = (held: number) => {
    const seen = seenOf({ establishNs: [] });
    seen.held = held;
    const error = new ConnectError("connectionLimit", "too many", { closeCode: 1008 });
    seen.noteFailure(error);
    return seen.judge(SLO_NS).misses.map(({ kind }) => kind);
  };
  assertEquals(refuse(5), ["refused"]);
  // With nobody let in it is not a limit, and a single failure is always allowed.
  assertEquals(refuse(0), []);
});

Deno.test("sessions: a trial of a late client is in no figure", () => {
  const recorded: string[] = [];
  const context = {
    target: { options: { timeoutMs: 1_000 } },
    distribution: (name: string) => ({
      recordAll: (times: Float64Array) => void recorded.push(`${name} of ${times.length}`),
      censor: () => {},
    }),
    scalar: (name: string, value: number) => void recorded.push(`${name} ${value}`),
  } as unknown as SessionContext;
  const record = (options: Parameters<typeof seenOf>[0]) => {
    const seen = seenOf(options);
    const { verdict } = seen.judge(SLO_NS);
    recordTrial(context, { verdict, ratePerSecond: 3, callsPerSecond: 100, seen });
    return recorded.splice(0);
  };
  assertEquals(record({ slow: 11, lateMs: 5 }), []);
  const figures = ["latency of 1000", "establish of 1", "throughput 100"];
  assertEquals(record({ slow: 11 }), [...figures, "met 0"]);
  assertEquals(record({}), [...figures, "met 1"]);
});
