import { assert, assertEquals, assertMatch } from "@std/assert";
import { powerTableMarkdown, simulate } from "../../lib/stats/power.ts";

/** The setting that docs/method.md promises figures for. */
const promised = {
  noisePercent: 3,
  runNoisePercent: 1,
  rounds: 10,
  rows: 8,
  pairs: 1_000,
  seed: 1,
};

Deno.test("at most 2 % of 1,000 pairs of equal runs show a regression in any row", () => {
  const { falseRegressionRate } = simulate({ ...promised, slowdown: 0 });
  assert(falseRegressionRate > 0, "no false regression at all: is there any noise?");
  assert(falseRegressionRate <= 0.02, `${falseRegressionRate * 100} %`);
});

Deno.test("a slowdown of 10 % in one of 8 rows is found in 90 % of 1,000 pairs or more", () => {
  const { foundRate, falseRegressionRate } = simulate({ ...promised, slowdown: 0.1 });
  assert(foundRate >= 0.9, `${foundRate * 100} %`);
  assert(falseRegressionRate <= 0.02, `${falseRegressionRate * 100} % in the rows that are equal`);
});

Deno.test("simulate repeats itself, and depends on its seed", () => {
  const options = { ...promised, noisePercent: 8, slowdown: 0.1, pairs: 100 };
  assertEquals(simulate(options), simulate(options));
  const rates = [1, 2, 3, 4].map((seed) => simulate({ ...options, seed }).foundRate);
  assert(new Set(rates).size > 1, `${rates}`);
});

Deno.test("noise that a run's rows share makes false regressions more frequent", () => {
  const options = { ...promised, slowdown: 0, pairs: 200 };
  const shared = simulate({ ...options, runNoisePercent: 5 });
  const alone = simulate({ ...options, runNoisePercent: 0 });
  assert(shared.falseRegressionRate > 0.2 && alone.falseRegressionRate < 0.01);
  const oneRow = simulate({ ...options, runNoisePercent: 5, rows: 1 });
  assert(oneRow.foundRate > 0.1);
  assertEquals(oneRow.falseRegressionRate, oneRow.foundRate);
});

Deno.test("powerTableMarkdown has a row for each noise, a column for each number of rounds", () => {
  const lines = powerTableMarkdown({ pairs: 20 }).trimEnd().split("\n");
  assertEquals(lines.length, 2 + 4);
  assertEquals(new Set(lines.map((line) => line.split("|").length)), new Set([8]));
  assertMatch(lines[0], /5 rounds \| 8 rounds \| 10 rounds \| 15 rounds \| 20 rounds/);
  assertMatch(lines[3], /^\| 3 % \| – \| \d+\.\d % \/ \d+\.\d % \|/);
});
