/**
 * What a comparison with earlier runs can see, by simulation with the suite's own rule: how often it accuses a run
 * that is as fast as those were, and how often it finds one that is slower. As a program it prints the table of
 * docs/method.md: `deno run -q tests/support/power.ts`.
 *
 * @module
 */

import { judgeChange } from "../../lib/stats/judge.ts";
import { drawNormal, type RandomStream, randomStream } from "../../lib/stats/random.ts";

/** How runs of the same thing on the same machine differ: draws the logarithm of a run's pace. */
export type Machine = (random: RandomStream) => number;

/** Runs differ by so many per cent (standard deviation). */
export function steadyMachine(percent: number): Machine {
  return (random) => percent / 100 * drawNormal(random);
}

/** Three runs in ten are a fifth slower, as where a neighbour takes half of a core; 1 % between the others. */
export const bimodalMachine: Machine = (random) =>
  (random() < 0.3 ? Math.log(1.2) : 0) + 0.01 * drawNormal(random);

export interface SimulationOptions {
  machine: Machine;
  baselines: number;
  /** Gating rows; a run's pace moves all of them, and each has 1 % of noise of its own. */
  rows: number;
  /** How much slower the first row of the new run truly is: 0.1 is 10 %. */
  slowdown: number;
  trials: number;
  seed: number;
}

export interface SimulationResult {
  /** The share of trials in which a row is called slower that is not. */
  falseRegressionRate: number;
  /** The share of trials in which the first row is called slower: the power, if there is a slowdown. */
  foundRate: number;
}

const ROW_NOISE = 0.01;
const BAND_PERCENT = 3;

/** Compares simulated runs with simulated baselines. Repeatable by its seed. */
export function simulate(options: SimulationOptions): SimulationResult {
  const { machine, baselines, rows, slowdown, trials, seed } = options;
  const random = randomStream(seed, "power");
  const drawRun = () => {
    const pace = machine(random);
    return Array.from({ length: rows }, () => Math.exp(pace + ROW_NOISE * drawNormal(random)));
  };
  let falseRegressions = 0;
  let found = 0;
  for (let trial = 0; trial < trials; trial++) {
    const olds = Array.from({ length: baselines }, drawRun);
    const now = drawRun();
    now[0] *= 1 + slowdown;
    const isSlower = now.map((value, row) => {
      const values = { olds: olds.map((run) => run[row]), now: value, better: "lower" as const };
      const rule = { noisePercent: null, bandPercent: BAND_PERCENT, rows };
      return judgeChange(values, rule).verdict === "slower";
    });
    if (isSlower[0]) found++;
    if (isSlower.some((slower, row) => slower && (row > 0 || slowdown === 0))) falseRegressions++;
  }
  return { falseRegressionRate: falseRegressions / trials, foundRate: found / trials };
}

const MACHINES: [string, Machine][] = [
  ...[1, 3, 5, 10].map((percent): [string, Machine] => [`${percent} %`, steadyMachine(percent)]),
  ["bimodal", bimodalMachine],
];
const BASELINES = [4, 6, 10];
const SLOWDOWNS = [0.1, 0.25];

/** False regressions, and in how many runs a row 10 and 25 % slower is found, with 8 gating rows. */
export function powerTableMarkdown({ trials = 2_000, seed = 1 } = {}): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const header = ["between runs", ...BASELINES.map((count) => `${count} baselines`)];
  const lines = MACHINES.map(([name, machine]) => {
    const cells = BASELINES.map((baselines) => {
      const setting = { machine, baselines, rows: 8, trials, seed };
      const { falseRegressionRate } = simulate({ ...setting, slowdown: 0 });
      const found = SLOWDOWNS.map((slowdown) => simulate({ ...setting, slowdown }).foundRate);
      return [falseRegressionRate, ...found].map(percent).join(" / ");
    });
    return [name, ...cells];
  });
  return [header, header.map(() => "---:"), ...lines]
    .map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

if (import.meta.main) {
  Deno.stdout.writeSync(new TextEncoder().encode(powerTableMarkdown()));
}
