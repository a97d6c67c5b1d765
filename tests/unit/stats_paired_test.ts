import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { FEWEST_PAIRS, judgePaired, orderEffect, signFlipP } from "../../lib/stats/paired.ts";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { tQuantile } from "../../lib/stats/estimate.ts";

const TIMES = { better: "lower", bandPercent: 3, rows: 1 } as const;

/** Ratios of epochs with this change and spread, both in percent. */
function ratiosOf(change: number, spread: number, { epochs = 10, seed = 1 } = {}): number[] {
  const random = randomStream(seed, "ratios");
  return Array.from(
    { length: epochs },
    () => Math.exp(Math.log1p(change / 100) + spread / 100 * drawNormal(random)),
  );
}

Deno.test("the interval is that of the mean log ratio, at 1 - 0.05 / rows", () => {
  const ratios = [1.1, 1.2, 1.15, 1.05, 1.3, 1.12];
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / 6;
  const sd = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / 5);
  for (const rows of [1, 4]) {
    const { ratio, ci } = judgePaired(ratios, { ...TIMES, rows });
    const margin = tQuantile(1 - 0.025 / rows, 5) * sd / Math.sqrt(6);
    assertAlmostEquals(ratio, Math.exp(mean), 1e-12);
    assertAlmostEquals(ci![0], Math.exp(mean - margin), 1e-12);
    assertAlmostEquals(ci![1], Math.exp(mean + margin), 1e-12);
  }
});

Deno.test("outside the band it is slower or faster, inside the same, across it undecided", () => {
  const judge = (change: number, spread: number, better: "higher" | "lower" = "lower") =>
    judgePaired(ratiosOf(change, spread), { ...TIMES, better }).verdict;
  assertEquals(judge(25, 2), "slower");
  assertEquals(judge(25, 2, "higher"), "faster");
  assertEquals(judge(-20, 2), "faster");
  assertEquals(judge(0, 1), "same");
  assertEquals(judge(3, 2), "undecided");
  assertEquals(judge(10, 40), "undecided");
});

Deno.test("an undecided result says how many epochs would decide it", () => {
  const { verdict, why, need } = judgePaired(ratiosOf(10, 12), TIMES);
  assertEquals([verdict, why], ["undecided", "noise"]);
  assert(need! > 10);
  // With the same mean and spread over that many epochs, the interval is clear of the band.
  const enough = Array.from({ length: Math.ceil(need! / 10) + 1 }, () => ratiosOf(10, 12)).flat();
  assertEquals(judgePaired(enough, TIMES).verdict, "slower");
  const few = judgePaired([1.5, 1.5, 1.5, 1.5, 1.5], TIMES);
  assertEquals([few.verdict, few.why, few.need, few.ci], [
    "undecided",
    "tooFewEpochs",
    FEWEST_PAIRS,
    null,
  ]);
});

Deno.test("the sign-flip test counts every assignment of signs", () => {
  // Six differences of one sign: only 2 of 64 assignments are as far from 0.
  assertEquals(signFlipP([1, 2, 3, 4, 5, 6]), 2 / 64);
  assertEquals(signFlipP([1, -1]), 1);
  assertEquals(signFlipP([3, 1]), 0.5);
  // Of 2 and 1 and -1: sums are ±4, ±2 (twice), 0 (twice).
  assertEquals(signFlipP([2, 1, -1]), 6 / 8);
});

Deno.test("beyond 18 differences, drawn assignments come close to all of them", () => {
  const differences = ratiosOf(1, 3, { epochs: 18, seed: 4 }).map(Math.log);
  // A further difference of 0 changes no sum.
  assertAlmostEquals(signFlipP([...differences, 0]), signFlipP(differences), 0.01);
});

Deno.test("a server against itself is hardly ever slower or faster", () => {
  let wrong = 0;
  for (let seed = 0; seed < 400; seed++) {
    const { verdict } = judgePaired(ratiosOf(0, 5, { seed }), TIMES);
    if (verdict === "slower" || verdict === "faster") wrong++;
  }
  assert(wrong <= 4, `${wrong} of 400`);
});

Deno.test("an order effect is the change between blocks with A first and with B first", () => {
  const epochs = [1, 1.01, 0.99, 1.02, 1, 0.98].map((noise) => ({
    aFirst: [1.1 * noise],
    bFirst: [noise],
  }));
  const effect = orderEffect(epochs)!;
  assertAlmostEquals(effect.ratio, 1.1, 1e-9);
  assertEquals(effect.p, 2 / 64);
  assertEquals(orderEffect(epochs.slice(1)), null);
  assertEquals(orderEffect(epochs.map(({ aFirst }) => ({ aFirst, bFirst: [] }))), null);
});
