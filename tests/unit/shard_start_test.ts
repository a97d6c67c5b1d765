import { assertEquals, assertRejects } from "@std/assert";
import {
  LATE_START_MS,
  ROUND_GAP_MS,
  roundPeriodMs,
  RoundTimes,
} from "../../lib/run/round_times.ts";
import { defaultsOf } from "../../lib/run/scenario.ts";
import { plannedStarts } from "../../lib/run/start_times.ts";
import { StartBarrier } from "../../lib/split/start_barrier.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { createFakeClock } from "../support/fake_clock.ts";

const BEGIN = new Date("2026-01-31T12:00:00Z");
const BEGIN_MS = BEGIN.getTime();

function roundTimes(startAtMs: number | null, periodMs: number | null) {
  const clock = createFakeClock(BEGIN);
  const controller = new AbortController();
  const times = new RoundTimes({
    clock,
    signal: controller.signal,
    startOf: () => Promise.resolve(startAtMs),
    periodMs,
  });
  return { clock, times, controller };
}

/** Lets everything run that waits for no time. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("rounds begin at their times, from the planned start on", async () => {
  const { clock, times } = roundTimes(BEGIN_MS + 500, 300);
  for (const [index, beginMs] of [[0, 500], [1, 800], [2, 1100]] as const) {
    let begun = false;
    const started = times.startRound(index).then(() => begun = true);
    await settle();
    clock.advance(beginMs - 1 - (clock.nowNs() / 1e6));
    await settle();
    assertEquals(begun, false);
    clock.advance(1);
    await started;
    clock.advance(50);
    times.endRound();
  }
  assertEquals(times.measured, {
    plannedStartMs: BEGIN_MS + 500,
    rounds: [500, 800, 1100].map((ms) => ({
      startMs: BEGIN_MS + ms,
      endMs: BEGIN_MS + ms + 50,
    })),
  });
  assertEquals(times.startOffsetMs, 0);
});

Deno.test("a shard that is late begins at once, and says by how much", async () => {
  const { clock, times } = roundTimes(BEGIN_MS + 100, null);
  clock.advance(100 + LATE_START_MS + 7);
  await times.startRound(0);
  assertEquals(times.startOffsetMs, LATE_START_MS + 7);
});

Deno.test("without a plan every round begins when it can", async () => {
  const { times } = roundTimes(null, 300);
  await times.startRound(0);
  await times.startRound(1);
  assertEquals(times.startOffsetMs, null);
  assertEquals(times.measured.rounds.length, 2);
});

Deno.test("an interrupt ends the wait for the start", async () => {
  const { times, controller } = roundTimes(BEGIN_MS + 60_000, null);
  const begun = times.begin();
  await settle();
  controller.abort(new Error("interrupted"));
  await assertRejects(() => begun, Error, "interrupted");
});

Deno.test("rounds of a time have a period, rounds of a count have none", () => {
  assertEquals(roundPeriodMs({ messages: null, durationMs: 300 }), 300 + ROUND_GAP_MS);
  assertEquals(roundPeriodMs({ durationMs: 300 }), 300 + ROUND_GAP_MS);
  assertEquals(roundPeriodMs({ messages: 10, durationMs: null }), null);
  assertEquals(roundPeriodMs({ connects: 10 }), null);
});

/** The quick plan of these scenarios, in the order of all. */
function planOf(names: string[], change: Record<string, number | null> = {}) {
  return SCENARIOS.filter(({ name }) => names.includes(name)).map((scenario) => ({
    scenario,
    parameters: { ...defaultsOf(scenario, "quick"), ...change },
  }));
}

Deno.test("split scenarios follow each other at planned times; others have none", async () => {
  const names = ["message-throughput", "concurrent-connections", "open-loop", "soak"];
  const planned = planOf(names);
  const gate = plannedStarts(planned, BEGIN_MS);
  const starts = await Promise.all(names.map((name) => gate.startOf(name)));
  const lengthOf = (name: string) => {
    const { parameters } = planned.find(({ scenario }) => scenario.name === name)!;
    return parameters.rounds * roundPeriodMs(parameters)!;
  };
  assertEquals(starts.slice(0, 2), [null, BEGIN_MS]);
  const [, first, second, third] = starts as number[];
  // Sessions, warm-up and the client's floor need some time in between.
  assertEquals(second! - first! - lengthOf("concurrent-connections") > 1_000, true);
  assertEquals(third! - second! - lengthOf("open-loop") > 1_000, true);
});

Deno.test("behind rounds of a count, nothing is planned", async () => {
  const planned = planOf(["concurrent-connections", "open-loop"], { messages: 10 });
  const gate = plannedStarts(planned, BEGIN_MS);
  assertEquals(await gate.startOf("concurrent-connections"), BEGIN_MS);
  assertEquals(await gate.startOf("open-loop"), null);
});

function barrier(workers: number[]) {
  const went: string[] = [];
  return { went, barrier: new StartBarrier(workers, (scenario) => went.push(scenario)) };
}

Deno.test("workers go when the last one is ready", () => {
  const { went, barrier: gate } = barrier([1, 2, 3]);
  gate.ready(1, "a");
  gate.ready(3, "a");
  assertEquals(went, []);
  gate.ready(2, "a");
  assertEquals(went, ["a"]);
  for (const worker of [1, 2, 3]) gate.ended(worker, ["a"]);
  for (const worker of [3, 2, 1]) gate.ready(worker, "b");
  assertEquals(went, ["a", "b"]);
});

Deno.test("nobody waits for a worker that died, or that never came to the scenario", () => {
  const died = barrier([1, 2]);
  died.barrier.ready(1, "a");
  died.barrier.gone(2);
  assertEquals(died.went, ["a"]);
  const skipped = barrier([1, 2]);
  skipped.barrier.ready(1, "a");
  skipped.barrier.ended(2, ["a"]);
  assertEquals(skipped.went, ["a"]);
  const ahead = barrier([1, 2]);
  ahead.barrier.ended(2, ["a"]);
  ahead.barrier.ready(2, "b");
  ahead.barrier.ready(1, "a");
  assertEquals(ahead.went, ["a"]);
  ahead.barrier.ended(1, ["a"]);
  ahead.barrier.ready(1, "b");
  assertEquals(ahead.went, ["a", "b"]);
});
