import { assertEquals } from "@std/assert";
import type { Scalar } from "../../lib/contract.ts";
import { roundNotes } from "../../lib/run/round_notes.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";

function rates(rounds: number[]): Scalar {
  return summariseScalar({ name: "throughput", unit: "msg/s", rounds, better: "higher", seed: 1 });
}

Deno.test("rounds that are like one another need no note", () => {
  assertEquals(roundNotes([rates([100, 101, 99, 100, 102, 98, 100])]), []);
});

Deno.test("a round far from the rest is pointed out by its number, from 1", () => {
  assertEquals(roundNotes([rates([100, 101, 99, 60, 102, 98, 100])]), [
    "throughput of round 4 lies far from the rest (counted all the same)",
  ]);
});

Deno.test("a first round worse than the rest is told as a warm-up that may be too short", () => {
  assertEquals(roundNotes([rates([60, 101, 99, 100, 102, 98, 100])]), [
    "the first round's throughput is worse than the others': the warm-up may be too short",
    "throughput of round 1 lies far from the rest (counted all the same)",
  ]);
});

Deno.test("the rounds of a distribution are judged by their medians", () => {
  using recorder = new DistributionRecorder();
  for (const ns of [9000, 1000, 1010, 990, 1005, 995, 1000]) {
    recorder.startRound();
    recorder.record(ns);
    recorder.endRound();
  }
  const latency = recorder.distribution("latency", { better: "lower", seed: 1 });
  assertEquals(roundNotes([latency!])[0]?.startsWith("the first round's latency is worse"), true);
});
