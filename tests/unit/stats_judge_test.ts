import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { RoundsPair } from "../../lib/stats/compare_types.ts";
import { judgeRows, mostTestableRows, roundsNeededFor } from "../../lib/stats/judge.ts";

/** Rounds within 0.5 % of a value, no two alike. */
function roundsAround(value: number, count: number, offset = 0): number[] {
  return Array.from(
    { length: count },
    (_, index) => value * (1 + (index - count / 2 + offset) / 2_000),
  );
}

function rowOf(ratio: number, count: number, better: "higher" | "lower" = "lower"): RoundsPair {
  const newRounds = roundsAround(1_000 * ratio, count, 0.3);
  return { oldRounds: roundsAround(1_000, count), newRounds, better };
}

function upFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

function verdicts(rows: RoundsPair[], noisePercent = 3): string[] {
  return judgeRows(rows, { noisePercent }).map(({ verdict }) => verdict);
}

Deno.test("judgeRows knows which direction is worse", () => {
  const rows = [rowOf(1.2, 10), rowOf(0.8, 10), rowOf(1.2, 10, "higher"), rowOf(0.8, 10, "higher")];
  assertEquals(verdicts(rows), ["slower", "faster", "faster", "slower"]);
});

Deno.test("judgeRows takes no notice of a difference within the noise band", () => {
  const [judgement] = judgeRows([rowOf(1.02, 10)], { noisePercent: 3 });
  assert(judgement.adjustedP < 0.001);
  assertEquals(judgement.verdict, "~");
  assertEquals(verdicts([rowOf(1.02, 10)], 0), ["slower"]);
  assertEquals(verdicts([rowOf(1.2, 10)], 25), ["~"]);
  assertEquals(verdicts([rowOf(0.8, 10)], 30), ["~"]);
});

Deno.test("judgeRows wants the whole interval outside of the band", () => {
  const spread = [0.98, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07, 1.1, 1.2].map((x) => x * 1_000);
  const row: RoundsPair = {
    oldRounds: roundsAround(1_000, 10),
    newRounds: spread,
    better: "lower",
  };
  const [judgement] = judgeRows([row], { noisePercent: 3 });
  assert(judgement.adjustedP < 0.05 && judgement.ratio > 1.03 && judgement.ci95![0] < 1.03);
  assertEquals(judgement.verdict, "~");
});

Deno.test("judgeRows wants significance after Holm's adjustment, whatever the interval", () => {
  const oldRounds = [100, 101, 102, 103, 104, 105];
  const others = Array.from({ length: 7 }, () => rowOf(1, 6));
  const apart: RoundsPair = { oldRounds, newRounds: upFrom(140, 6), better: "lower" };
  assertEquals(verdicts([apart, ...others])[0], "slower");
  // One round lies among the old ones: p is 8 / 924.
  const nearly: RoundsPair = { ...apart, newRounds: [103.5, ...upFrom(140, 5)] };
  assertEquals(verdicts([nearly])[0], "slower");
  const [judgement] = judgeRows([nearly, ...others], { noisePercent: 3 });
  assertAlmostEquals(judgement.adjustedP, 8 * 8 / 924, 1e-12);
  assert(judgement.ci95![0] > 1.03);
  assertEquals(judgement.verdict, "~");
});

Deno.test("judgeRows says how many rounds it takes where no result is possible", () => {
  const seven = Array.from({ length: 7 }, () => rowOf(2, 5));
  for (const { verdict, roundsNeeded } of judgeRows(seven, { noisePercent: 3 })) {
    assertEquals([verdict, roundsNeeded], ["too few rounds", 6]);
  }
  const six = judgeRows(seven.slice(1), { noisePercent: 3 });
  assertEquals(six.map(({ verdict }) => verdict), Array(6).fill("slower"));
  assertEquals(six[0].roundsNeeded, null);
  assertEquals(judgeRows([rowOf(2, 1)], { noisePercent: 3 })[0].roundsNeeded, 4);
});

Deno.test("mostTestableRows and roundsNeededFor agree with 2 / C(2n, n) < 0.05 / rows", () => {
  assertEquals([1, 3, 4, 5, 6, 10].map((n) => mostTestableRows(n, n)), [0, 0, 1, 6, 23, 4_618]);
  assertEquals([1, 2, 6, 7, 8, 24].map(roundsNeededFor), [4, 5, 5, 6, 6, 7]);
  // 2 / C(16, 2) is 0.05 / 3 exactly, and 2 / C(16, 3) is 0.05 / 14: not under it.
  assertEquals([mostTestableRows(2, 14), mostTestableRows(3, 13)], [2, 13]);
});

Deno.test("judgeRows refuses a negative noise, and rows without rounds", () => {
  assertThrows(() => judgeRows([], { noisePercent: -1 }), RangeError, "it is -1");
  assertThrows(() => judgeRows([], { noisePercent: NaN }), RangeError, "it is NaN");
  const empty: RoundsPair = { oldRounds: [], newRounds: [1], better: "lower" };
  assertThrows(() => judgeRows([empty], { noisePercent: 3 }), RangeError, "one has 0");
});
