import { assertEquals } from "@std/assert";
import { judgePace, type PacedRun } from "../../lib/load/judge_pace.ts";
import { pacedRun as run } from "../support/paced_run.ts";

const TIMES = { slipP99Ns: 0, latencyP99Ns: 1e6 };

function kindsOf(...runs: PacedRun[]): string[] {
  return judgePace(runs, TIMES).map(({ kind }) => kind);
}

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
  const of = (slipP99Ns: number | null, runs: PacedRun[] = [run()]) =>
    judgePace(runs, { slipP99Ns, latencyP99Ns: 1e6 });
  assertEquals([of(100_000), of(null)], [[], []]);
  assertEquals(of(110_000), [{ kind: "clientLate", slipP99Ns: 110_000, latencyP99Ns: 1e6 }]);
  const behind = run({ achievedPerSecond: 50, backlogSlopePerSecond: 49 });
  assertEquals(of(1e6, [behind]).map(({ kind }) => kind), ["serverBehind", "clientLate"]);
});
