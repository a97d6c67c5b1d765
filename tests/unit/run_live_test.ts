import { assertEquals } from "@std/assert";
import { openLedger } from "../../lib/client/ledger.ts";
import { countCalls, liveTimes } from "../../lib/run/live.ts";
import { DistributionRecorder } from "../../lib/stats/summary.ts";

function recorded(...times: number[]): DistributionRecorder {
  const recorder = new DistributionRecorder();
  recorder.startEpoch();
  for (const ns of times) recorder.record(ns);
  return recorder;
}

Deno.test("calls that failed in any way, and dropped slots, are errors", () => {
  const failures = { toolError: 1, rateLimited: 2, timeout: 4, connectionLost: 8, aborted: 16 };
  const ledger = { ...openLedger(), sent: 131, ok: 100, cached: 7, ...failures, dropped: 32 };
  assertEquals(countCalls([ledger, { ...openLedger(), ok: 5 }]), { ok: 105, errors: 63 });
});

Deno.test("the live times are the latest latency, or else the first metric with samples", () => {
  using connect = recorded(10, 20, 30);
  using first = recorded(100);
  using second = recorded(200, 200, 200);
  using empty = recorded();
  assertEquals(liveTimes([]), null);
  assertEquals(liveTimes([["latency", empty]]), null);
  const withoutLatency = liveTimes([["connect", connect], ["close", first]]);
  assertEquals(withoutLatency, { name: "connect", p50Ns: 20, p99Ns: null });
  const sweep = [
    ["connect", connect],
    ["latency", first],
    ["latency", second],
    ["latency", empty],
    ["slip", connect],
  ] as const;
  assertEquals(liveTimes(sweep), { name: "latency", p50Ns: 200, p99Ns: null });
});

Deno.test("the latest times are those of the last epoch until the current one has samples", () => {
  using recorder = new DistributionRecorder();
  assertEquals(recorder.latest(), { p50: null, p99: null });
  recorder.startEpoch();
  for (let ns = 1; ns <= 1000; ns++) recorder.record(ns);
  assertEquals(recorder.latest(), { p50: 500, p99: 990 });
  recorder.endEpoch();
  recorder.startEpoch();
  const { p50, p99 } = recorder.latest();
  assertEquals({ p50, p99 }, { p50: 500, p99: 990 });
  recorder.record(7);
  assertEquals(recorder.latest(), { p50: 7, p99: null });
  assertEquals(recorder.count, 1001);
});
