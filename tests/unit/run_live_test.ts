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

Deno.test("calls that failed in any way are errors, and so are slots never sent", () => {
  const failures = {
    toolError: 1,
    rateLimited: 2,
    timeout: 4,
    connectionLost: 8,
    aborted: 16,
    dropped: 32,
  };
  const ledger = { ...openLedger(), sent: 131, ok: 100, cached: 7, ...failures };
  assertEquals(countCalls([ledger, { ...openLedger(), ok: 5 }]), { ok: 105, errors: 63 });
});

Deno.test("the times are those of the latest latency, else of the first metric with any", () => {
  using connect = recorded(10, 20, 30);
  using first = recorded(100);
  using second = recorded(200, 200, 200);
  using empty = recorded();
  assertEquals(liveTimes([]), null);
  assertEquals(liveTimes([["latency", empty]]), null);
  assertEquals(liveTimes([["connect", connect], ["close", first]]), {
    name: "connect",
    p50Ns: 20,
    p99Ns: null,
  });
  const sweep = [
    ["connect", connect],
    ["latency", first],
    ["latency", second],
    ["latency", empty],
    ["slip", connect],
  ] as const;
  assertEquals(liveTimes(sweep), { name: "latency", p50Ns: 200, p99Ns: null });
});

Deno.test("the present epoch's times give way to the last epoch's while it has none", () => {
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
