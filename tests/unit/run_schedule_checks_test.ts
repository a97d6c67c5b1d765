import { assertEquals } from "@std/assert";
import type { PacedRun } from "../../lib/load/open.ts";
import { judgeSchedule } from "../../lib/run/schedule_checks.ts";
import type { Check, Fact } from "../../lib/schema.ts";
import { pacedRun as run } from "../support/paced_run.ts";

/** The check and warnings for these runs. */
function judge(runs: PacedRun[], slipP99Ns: number | null = 0) {
  const checks: Check[] = [];
  const warnings: Fact[] = [];
  const recording = {
    check: (check: Check) => void checks.push(check),
    invalidate: (fact: Fact) => void warnings.push(fact),
  };
  const times = (p99Ns: number | null) => ({ percentile: () => p99Ns });
  judgeSchedule(recording, { runs, latency: times(10e6), slip: times(slipP99Ns) });
  return { check: checks[0]!, warnings };
}

function kindsOf(...runs: PacedRun[]): string[] {
  return judge(runs).warnings.map(({ kind }) => kind);
}

Deno.test("the check of slots reports what was dropped and what ended early", () => {
  const checks = [
    judge([run(), run()]),
    judge([run({ slots: 110, sent: 90 })]),
    judge([run(), run({ end: "silent" })]),
    judge([run(), run({ sent: 40, end: "aborted" })]),
  ].map(({ check }) => [check.passed, check.observed]);
  assertEquals(checks, [
    [true, "200 of 200"],
    [false, "90 of 110; 20 dropped: too many calls outstanding, or the connection lost"],
    [false, "200 of 200; ended early: the server went silent"],
    [true, "100 of 100"],
  ]);
});

Deno.test("a server that falls behind, or a client that sends late, is a warning with figures", () => {
  const behind = run({ achievedPerSecond: 51.34, backlogSlopePerSecond: 48.7 });
  const { warnings } = judge([behind], 1.1e6);
  assertEquals(warnings, [{
    kind: "serverBehind",
    message:
      "the server falls behind: it answered 51.3 of 100 calls/s, and the backlog grew by 48.7 calls/s",
    achievedPerSecond: 51.34,
    offeredPerSecond: 100,
    backlogPerSecond: 48.7,
  }, {
    kind: "clientLate",
    message: "the client sent calls late: 1 in 100 by more than 1.1 ms (p99 of slip), against " +
      "a p99 latency of 10 ms; use an idle machine or a lower --rate",
    slipP99Ns: 1.1e6,
    latencyP99Ns: 10e6,
  }]);
  assertEquals(judge([run()]).warnings, []);
});

Deno.test("a server that answers all slots keeps up, and without a run there is no finding", () => {
  assertEquals([kindsOf(run()), kindsOf()], [[], []]);
});

Deno.test("a server is behind below 99 % of the offered rate with a backlog growing by over 1 % of it", () => {
  const of = (achievedPerSecond: number, backlogSlopePerSecond: number) =>
    kindsOf(run({ achievedPerSecond, backlogSlopePerSecond }));
  assertEquals(of(98.9, 1.1), ["serverBehind"]);
  assertEquals([of(99, 1.1), of(98.9, 1), of(50, 0)], [[], [], []]);
});

Deno.test("with a limit on outstanding calls, dropped slots count as backlog", () => {
  assertEquals(kindsOf(run({ sent: 60, achievedPerSecond: 60 })), ["serverBehind"]);
});

Deno.test("the majority of complete runs decides", () => {
  const behind = run({ achievedPerSecond: 50, backlogSlopePerSecond: 49 });
  assertEquals(kindsOf(behind, run(), behind), ["serverBehind"]);
  assertEquals(kindsOf(behind, run(), run()), []);
  assertEquals(kindsOf({ ...behind, end: "silent" }), []);
});

Deno.test("a slip p99 over a tenth of the latency p99 is the client's fault; both findings can occur", () => {
  const of = (slipP99Ns: number | null, runs = [run()]) =>
    judge(runs, slipP99Ns).warnings.map(({ kind }) => kind);
  assertEquals([of(1e6), of(null)], [[], []]);
  assertEquals(of(1.1e6), ["clientLate"]);
  const behind = run({ achievedPerSecond: 50, backlogSlopePerSecond: 49 });
  assertEquals(of(10e6, [behind]), ["serverBehind", "clientLate"]);
});
