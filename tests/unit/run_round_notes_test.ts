import { assertEquals } from "@std/assert";
import type { Scalar } from "../../lib/schema.ts";
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
    "rounds far from the rest, counted all the same: throughput 4",
  ]);
});

Deno.test("of what is neither better nor worse, no round is far from the rest", () => {
  assertEquals(roundNotes([{ ...rates([100, 101, 99, 60, 102, 98, 100]), better: null }]), []);
});

Deno.test("of several metrics, one line names them all", () => {
  const uneven = rates([100, 101, 99, 60, 102, 98, 100]);
  assertEquals(roundNotes([uneven, { ...uneven, name: "speedup" }]), [
    "rounds far from the rest, counted all the same: throughput 4; speedup 4",
  ]);
});

Deno.test("a round within 5 % of the median is not remarkable, however even the others are", () => {
  assertEquals(roundNotes([rates([100, 100, 100, 95.1, 100, 100, 100])]), []);
  assertEquals(roundNotes([rates([95.1, 100, 100, 100, 100, 100, 100])]), []);
  assertEquals(roundNotes([rates([100, 100, 100, 94.9, 100, 100, 100])]).length, 1);
});

Deno.test("a first round worse than the rest is told as a warm-up that may be too short", () => {
  assertEquals(roundNotes([rates([60, 101, 99, 100, 102, 98, 100])]), [
    "the first round is worse than the others (throughput): the warm-up may be too short",
    "rounds far from the rest, counted all the same: throughput 1",
  ]);
});

/** A distribution with these medians of its rounds. */
function times(medians: number[], samples: number) {
  using recorder = new DistributionRecorder();
  for (const ns of medians) {
    recorder.startRound();
    for (let sample = 0; sample < samples; sample++) recorder.record(ns);
    recorder.endRound();
  }
  return recorder.distribution("latency", { better: "lower", seed: 1 })!;
}

Deno.test("the rounds of a distribution are judged by their medians, if enough samples are behind them", () => {
  const medians = [9000, 1000, 1010, 990, 1005, 995, 1000];
  assertEquals(
    roundNotes([times(medians, 10)])[1],
    "rounds far from the rest, counted all the same: latency 1",
  );
  assertEquals(roundNotes([times(medians, 9)]), []);
});
