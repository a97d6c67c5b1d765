import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { SeriesPoint } from "../../lib/schema.ts";
import { changeOf, changeOver } from "../../lib/stats/change.ts";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";

function pointsOf(p50s: readonly number[], count = 100): SeriesPoint[] {
  return p50s.map((p50, index) => ({ atMs: index * 100, count, p50, p99: null, max: p50 }));
}

/** Values around 1 with this correlation between neighbours. */
function noise(length: number, correlation: number, seed: number): number[] {
  const next = randomStream(seed, "noise");
  let value = drawNormal(next);
  return Array.from({ length }, () => {
    value = correlation * value + Math.sqrt(1 - correlation ** 2) * drawNormal(next);
    return Math.exp(0.1 * value);
  });
}

Deno.test("a change is the last third over the first, exact without noise", () => {
  const { ratio, ci95 } = changeOf([...Array(8).fill(100), ...Array(4).fill(150)])!;
  for (const value of [ratio, ...ci95]) assertAlmostEquals(value, 1.5);
  assertEquals(changeOf(Array(11).fill(100)), null);
  assertEquals(changeOf([...Array(11).fill(100), 0]), null);
});

Deno.test("the interval of steady values covers 1, even if neighbours are correlated", () => {
  const covered = (length: number, correlation: number) => {
    const runs = Array.from(
      { length: 400 },
      (_, seed) => changeOf(noise(length, correlation, seed))!,
    );
    return runs.filter(({ ci95: [low, high] }) => low <= 1 && high >= 1).length / runs.length;
  };
  assert(covered(60, 0) >= 0.93, `${covered(60, 0)}`);
  assert(covered(60, 0.5) >= 0.88, `${covered(60, 0.5)}`);
  assert(covered(12, 0.3) >= 0.85, `${covered(12, 0.3)}`);
});

Deno.test("slow growth and a sudden step are found in few intervals", () => {
  for (const length of [12, 60]) {
    const rough = noise(length, 0.3, 1);
    const growth = changeOf(rough.map((value, x) => value * (1 + 4 * x / (length - 1))))!;
    const step = changeOf(rough.map((value, x) => value * (x < length / 2 ? 1 : 2)))!;
    assert(growth.ci95[0] > 1.25, `${length}: ${growth.ci95}`);
    assert(step.ci95[0] > 1.25 && step.ci95[1] < 3.2, `${length}: ${step.ci95}`);
  }
});

Deno.test("unfinished and nearly empty intervals of a series are left out", () => {
  const steady = Array(12).fill(100);
  assertEquals(changeOver(pointsOf([...steady, 900]), "p50"), { ratio: 1, ci95: [1, 1] });
  const cut = [...pointsOf(steady), ...pointsOf([900], 10), ...pointsOf([900])];
  assertEquals(changeOver(cut, "p50"), { ratio: 1, ci95: [1, 1] });
  assertEquals(changeOver(cut, "p99"), null);
  // A nearly empty interval counts for the throughput.
  assert(changeOver([...cut.slice(0, 12), ...pointsOf([1, 1], 0)], "count")!.ratio < 1);
  assertEquals(changeOver([], "count"), null);
});
