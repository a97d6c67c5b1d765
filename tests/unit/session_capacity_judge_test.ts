import { assertEquals } from "@std/assert";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import type { SessionSpec, Step } from "../../lib/load/session.ts";
import { type SessionContext, SessionsSeen } from "../../scenarios/session_capacity/trial.ts";

const SPEC: SessionSpec<Step> = { begin: [], patterns: [], lasts: { patterns: 1, time: null } };
const SLO_NS = 50e6;

/** What was seen of so many calls, of which some were slow or failed, by a client that was late by so much. */
function seenOf(
  { calls = 1_000, slow = 0, failed = 0, refused = 0, establishNs = [1e6], lateMs = 0 }: {
    calls?: number;
    slow?: number;
    failed?: number;
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
  seen.refused = refused;
  seen.establishNs.push(...establishNs);
  Object.defineProperty(seen.crowd, "longestLateNs", { get: () => lateMs * 1e6 });
  return seen;
}

function judged(options: Parameters<typeof seenOf>[0]): string[] {
  const { verdict, misses } = seenOf(options).judge(SLO_NS);
  return [verdict, ...misses.map(({ kind }) => kind)];
}

Deno.test("sessions: one call in a hundred may be slow or fail, and one in any case", () => {
  assertEquals(judged({ slow: 10 }), ["met"]);
  assertEquals(judged({ slow: 11 }), ["missed", "latency"]);
  assertEquals(judged({ slow: 5, failed: 6 }), ["missed", "latency"]);
  assertEquals(judged({ slow: 5, failed: 6, refused: 6 }), ["missed", "refusals"]);
  assertEquals(judged({ calls: 20, slow: 1 }), ["met"]);
  assertEquals(judged({ calls: 20, slow: 2 }), ["missed", "latency"]);
  assertEquals(judged({ calls: 20, failed: 20 }), ["missed", "gone"]);
  assertEquals(judged({ calls: 0 }), ["noVerdict"]);
});

Deno.test("sessions: the time to open one is held against the objective too", () => {
  const opened = (slow: number) => Array.from({ length: 40 }, (_, nth) => nth < slow ? 60e6 : 1e6);
  assertEquals(judged({ establishNs: opened(1) }), ["met"]);
  assertEquals(judged({ establishNs: opened(2) }), ["missed", "opening"]);
  assertEquals(judged({ establishNs: opened(2), slow: 11 }), ["missed", "opening", "latency"]);
});

Deno.test("sessions: what is missed by as much as the client was late is nobody's miss", () => {
  assertEquals(judged({ slow: 11, lateMs: 5 }), ["noVerdict", "latency"]);
  assertEquals(judged({ slow: 11, lateMs: 4 }), ["missed", "latency"]);
  // Failed calls are the server's, however late the client.
  assertEquals(judged({ failed: 11, lateMs: 500 }), ["missed", "latency"]);
});

Deno.test("sessions: a refusal is the connection limit, where others were let in", () => {
  const refuse = (held: number) => {
    const seen = seenOf({ establishNs: [] });
    seen.held = held;
    const error = new ConnectError("connectionLimit", "too many", { closeCode: 1008 });
    seen.noteFailure(error, (text) => text);
    return seen.judge(SLO_NS).misses.map(({ kind }) => kind);
  };
  assertEquals(refuse(5), ["refused"]);
  // One that lets nobody in refuses every handshake; a single one may always fail.
  assertEquals(refuse(0), []);
});
