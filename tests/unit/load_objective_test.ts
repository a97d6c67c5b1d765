import { assert, assertEquals } from "@std/assert";
import { endsEarly, judgeRun } from "../../lib/load/objective.ts";
import type { OpenLoopResult } from "../../lib/load/open.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { createFakeConnection } from "../support/fake_connection.ts";
import { openLoopResult } from "../support/open_loop_result.ts";
import { STATUS } from "../support/targets.ts";

const SLO = { sloNs: 50e6 };
const SLOTS = 1_000;

/** A run of 1,000 slots in a second; each takes a millisecond by default. */
function runOf(
  overrides: Partial<OpenLoopResult>,
  { latencyMs = () => 1, slipMs = () => 0 }: {
    latencyMs?: (nth: number) => number;
    slipMs?: (nth: number) => number;
  } = {},
): OpenLoopResult {
  const ok = overrides.ok ?? SLOTS;
  const slipNs = Float64Array.from({ length: ok }, (_, nth) => slipMs(nth) * 1e6);
  const latencyNs = Float64Array.from({ length: ok }, (_, nth) => latencyMs(nth) * 1e6);
  const serviceNs = latencyNs.map((ns, nth) => ns - slipNs[nth]!);
  return openLoopResult({ slots: SLOTS, latencyNs, serviceNs, slipNs, ...overrides });
}

const missesOf = (result: OpenLoopResult) => judgeRun(result, SLO).misses;

Deno.test("a run whose calls are answered in time meets the objective", () => {
  assertEquals(judgeRun(runOf({}), SLO), { verdict: "met", misses: [] });
});

Deno.test("up to 1 % of the calls can fail or take longer than the objective", () => {
  const slow = (count: number) =>
    runOf({}, { latencyMs: (nth) => nth % 10 || nth >= 10 * count ? 1 : 51 });
  assertEquals(missesOf(slow(10)), []);
  assertEquals(missesOf(slow(11)), [{ kind: "latency", over: 11, slots: SLOTS }]);
  assertEquals(missesOf(runOf({ ok: 990 })), []);
  assertEquals(missesOf(runOf({ ok: 989 })), [
    { kind: "cameBack", inTime: 989, slots: SLOTS },
    { kind: "latency", over: 11, slots: SLOTS },
  ]);
});

Deno.test("with fewer than 100 calls, none can be over the objective", () => {
  const result = (ms: number) =>
    openLoopResult({ slots: 37, latencyNs: new Float64Array(37).fill(1e6).fill(ms * 1e6, 36) });
  assertEquals(missesOf(result(50)), []);
  assertEquals(missesOf(result(51)), [{ kind: "latency", over: 1, slots: 37 }]);
});

Deno.test("replies after the schedule are backlog, unless the delay is only the distance", () => {
  // The last 20 calls are answered 30 ms after the end.
  const late = runOf({}, { latencyMs: (nth) => nth < 980 ? 1 : 1_030 - nth });
  assertEquals(missesOf(late), [{ kind: "cameBack", inTime: 980, slots: SLOTS }]);
  const far = runOf({}, { latencyMs: () => 40 });
  assertEquals(missesOf(far), [], "a server 40 ms away keeps up");
});

Deno.test("latency that grows by a tenth of the objective misses it, however low it still is", () => {
  const growing = (ms: number) => runOf({}, { latencyMs: (nth) => 1 + ms * nth / SLOTS });
  assertEquals(missesOf(growing(4.9)), []);
  const [miss] = missesOf(growing(5.1));
  assert(miss?.kind === "growth" && Math.abs(miss.growthNs - 5.1e6) < 1e4 && miss.limitNs === 5e6);
});

Deno.test("a miss that a late client could have caused is no verdict", () => {
  // One late call of 37, as seen in a real run.
  const one = openLoopResult({
    slots: 37,
    latencyNs: new Float64Array(37).fill(1e6).fill(61e6, 36),
    serviceNs: new Float64Array(37).fill(1e6),
    slipNs: new Float64Array(37).fill(60e6, 36),
  });
  assertEquals(judgeRun(one, SLO), {
    verdict: "noVerdict",
    misses: [{ kind: "latency", over: 1, slots: 37 }],
  });
  // The burst after a pause of the client makes service times long too.
  const burst = runOf({}, {
    latencyMs: (nth) => nth >= 400 && nth < 520 ? 60 : 1,
    slipMs: (nth) => nth >= 400 && nth < 460 ? 460 - nth : 0,
  });
  assertEquals(judgeRun(burst, SLO).verdict, "noVerdict");
  // The pause can also cause dropped slots.
  const dropping = runOf({ ok: 950, dropped: 50 }, { slipMs: (nth) => nth === 400 ? 110 : 0 });
  assertEquals(judgeRun(dropping, SLO).verdict, "noVerdict");
});

Deno.test("a late client does not excuse a server that would have missed the objective anyway", () => {
  const slip = { slipMs: (nth: number) => nth === 400 ? 20 : 0 };
  const slow = runOf({}, { ...slip, latencyMs: (nth) => nth % 50 === 0 ? 91 : 21 });
  assertEquals(judgeRun(slow, SLO), {
    verdict: "missed",
    misses: [{ kind: "latency", over: 20, slots: SLOTS }],
  });
  const grows = runOf({}, { ...slip, latencyMs: (nth) => 21 + nth * 0.086 });
  assertEquals(missesOf(grows).map(({ kind }) => kind), ["cameBack", "growth", "latency"]);
  const dropped = runOf({ ok: 950, dropped: 50 }, { ...slip, latencyMs: () => 21 });
  assertEquals(judgeRun(dropped, SLO).verdict, "missed");
});

Deno.test("a server that is gone misses the objective", () => {
  for (const end of ["connectionLost", "silent"] as const) {
    assertEquals(missesOf(runOf({ end })), [{ kind: "gone", end }]);
  }
});

Deno.test("a run ends as soon as more than 1 % of its calls are certain to miss", () => {
  const clock = createFakeClock();
  const end = (
    early: ReturnType<typeof endsEarly>,
    call: { endedMs: number; sentMs?: number; ok?: boolean },
  ) => {
    const answers: ("stop" | void)[] = [];
    const sentMs = call.sentMs ?? 0;
    const connection = createFakeConnection(clock, () => ({
      status: call.ok === false ? "toolError" : "ok",
      afterMs: call.endedMs - sentMs,
    }));
    clock.advance(sentMs);
    const intendedNs = clock.nowNs() - sentMs * 1e6;
    connection.send(STATUS, (ended) => answers.push(early.onCall(ended, intendedNs)));
    clock.advance(1_000);
    return answers[0] ?? null;
  };
  const early = endsEarly({ ...SLO, slots: 300 });
  assertEquals([end(early, { endedMs: 50 }), early.onDropped() ?? null], [null, null]);
  assertEquals(end(early, { endedMs: 51 }), null);
  assertEquals(end(early, { endedMs: 5, ok: false }), null);
  assertEquals(end(early, { endedMs: 51 }), "stop");
  const excused = endsEarly({ ...SLO, slots: 37 });
  assertEquals(end(excused, { endedMs: 70, sentMs: 10 }), null, "the client was late");
  assertEquals(end(excused, { endedMs: 71, sentMs: 10 }), "stop");
});
