import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { judgeChange } from "../../lib/stats/judge.ts";
import { repeats } from "../support/repeats.ts";
import { bimodalMachine, powerTableMarkdown, simulate, steadyMachine } from "../support/power.ts";

const rule = { noisePercent: null, bandPercent: 3, rows: 1 };
/** Their logarithms are -0.02, 0, 0 and 0.02: mean 0, standard deviation 0.01633. */
const olds = [-0.02, 0, 0, 0.02].map(Math.exp);

Deno.test("the interval predicts one more run from the earlier ones", () => {
  const { ratio, ci, verdict, why, smallest } = judgeChange(
    { olds, now: 1.2, better: "lower" },
    rule,
  );
  const margin = 3.1824463 * Math.sqrt(0.0008 / 3) * Math.sqrt(1.25);
  assertAlmostEquals(ratio!, 1.2, 1e-12);
  assertAlmostEquals(Math.log(ci![1] / 1.2), margin, 1e-7);
  assertAlmostEquals(Math.log(1.2 / ci![0]), margin, 1e-7);
  assertAlmostEquals(smallest!, 1.03 * Math.exp(margin), 1e-7);
  assertEquals([verdict, why], ["slower", null]);
  // With eight rows each interval is at 1 - 0.05/8: closed form of t with 3 degrees of freedom.
  const eight = judgeChange({ olds, now: 1.2, better: "lower" }, { ...rule, rows: 8 });
  const x = 3.1824463 * Math.log(eight.ci![1] / 1.2) / margin / Math.sqrt(3);
  const below = 0.5 + (x / (1 + x * x) + Math.atan(x)) / Math.PI;
  assertAlmostEquals(below, 1 - 0.025 / 8, 1e-7);
});

Deno.test("the verdict follows the interval, the band and the direction", () => {
  const verdictOf = (now: number, better: "higher" | "lower") =>
    judgeChange({ olds, now, better }, rule).verdict;
  assertEquals(verdictOf(1.2, "higher"), "faster");
  assertEquals(verdictOf(0.8, "higher"), "slower");
  assertEquals(verdictOf(0.8, "lower"), "faster");
  assertEquals(verdictOf(1.05, "lower"), "undecided");
  assertEquals(verdictOf(1, "lower"), "undecided");
  const wide = judgeChange({ olds, now: 1, better: "lower" }, { ...rule, bandPercent: 10 });
  assertEquals([wide.verdict, wide.why, wide.need], ["same", null, null]);
});

Deno.test("an undecided row says how many more runs would decide it, if any number would", () => {
  const { verdict, why, need } = judgeChange({ olds, now: 1.09, better: "lower" }, rule);
  assertEquals([verdict, why], ["undecided", "noise"]);
  // The same spread with that many runs, and with one fewer.
  const withRuns = (count: number) => {
    const step = Math.sqrt(0.0008 / 3) * Math.sqrt((count - 1) / count);
    const half = Array.from({ length: count }, (_, index) => index % 2 === 0 ? step : -step);
    if (count % 2 === 1) half.splice(-1, 1, 0);
    const squares = half.reduce((sum, value) => sum + value ** 2, 0);
    const scale = Math.sqrt(0.0008 / 3 * (count - 1) / squares);
    const mean = half.reduce((sum, value) => sum + value, 0) / count;
    const runs = half.map((value) => Math.exp((value - mean) * scale));
    return judgeChange({ olds: runs, now: 1.09, better: "lower" }, rule).verdict;
  };
  assert(need !== null && need > 0);
  assertEquals([withRuns(4 + need), withRuns(3 + need)], ["slower", "undecided"]);
  assertEquals(judgeChange({ olds, now: 1.04, better: "lower" }, rule).need, null);
});

Deno.test("fewer than four runs decide nothing, unless the noise is stated", () => {
  const few = { olds: [1, 1.02], now: 1.5, better: "lower" as const };
  const unknown = judgeChange(few, rule);
  assertEquals([unknown.verdict, unknown.why, unknown.need, unknown.ci], [
    "undecided",
    "tooFewBaselines",
    2,
    null,
  ]);
  assertAlmostEquals(unknown.ratio!, 1.5 / Math.sqrt(1.02), 1e-12);
  const stated = judgeChange(few, { ...rule, noisePercent: 10 });
  assertAlmostEquals(stated.ci![0], stated.ratio! / 1.1, 1e-12);
  assertEquals(stated.verdict, "slower");
  assertAlmostEquals(stated.smallest!, 1.1 * 1.03, 1e-12);
  const wide = judgeChange(few, { ...rule, noisePercent: 60 });
  assertEquals([wide.verdict, wide.why, wide.need], ["undecided", "noise", null]);
});

Deno.test("runs without noise decide exactly", () => {
  const limits = { olds: [10, 10, 10, 10], better: "higher" as const };
  assertEquals(judgeChange({ ...limits, now: 10 }, rule).verdict, "same");
  const { verdict, ratio, ci } = judgeChange({ ...limits, now: 9 }, rule);
  assertEquals([verdict, ratio, ci![1] - ci![0] < 1e-12], ["slower", 0.9, true]);
});

/** All 8 intervals hold in 95 % of runs, and half of the misses are on the good side: 2.5 %. */
Deno.test("identical runs are rarely called slower, and slower ones are found if runs agree", () => {
  const trials = repeats(400, 10_000);
  const setting = { baselines: 4, rows: 8, trials, seed: 1 };
  for (const percent of [1, 3, 5, 10]) {
    const machine = steadyMachine(percent);
    const { falseRegressionRate } = simulate({ ...setting, machine, slowdown: 0 });
    assert(falseRegressionRate <= 0.025, `${percent} %: ${falseRegressionRate}`);
  }
  const found = (percent: number, baselines: number) =>
    simulate({ ...setting, baselines, machine: steadyMachine(percent), slowdown: 0.25 }).foundRate;
  assert(found(1, 4) > 0.9 && found(3, 10) > 0.9, `${found(1, 4)} ${found(3, 10)}`);
  // Four runs may all be in one mode; the other mode then looks like a change.
  const bimodal = (baselines: number) =>
    simulate({ ...setting, baselines, machine: bimodalMachine, slowdown: 0 }).falseRegressionRate;
  assert(bimodal(4) < 0.12 && bimodal(10) < 0.03, `${bimodal(4)} ${bimodal(10)}`);
  assertEquals(powerTableMarkdown({ trials: 2 }).split("\n").length, 8);
});
