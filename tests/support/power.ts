/**
 * Simulates the power of a comparison with earlier runs: how often the suite's rule calls an
 * equally fast run slower, and how often it finds a run that is slower.
 * `deno run -q tests/support/power.ts` prints the table of docs/method.md.
 *
 * @module
 */

import { judgeChange } from "../../lib/stats/judge.ts";
import { drawNormal, type RandomStream, randomStream } from "../../lib/stats/random.ts";

/** Draws the logarithm of a run's pace, by which runs of the same thing on one machine differ. */
export type Machine = (random: RandomStream) => number;

/** Runs differ by a standard deviation of this many per cent. */
export function steadyMachine(percent: number): Machine {
  return (random) => percent / 100 * drawNormal(random);
}

/** 3 runs in 10 are 20 % slower, as if a neighbour took half a core; the others differ by 1 %. */
export const bimodalMachine: Machine = (random) =>
  (random() < 0.3 ? Math.log(1.2) : 0) + 0.01 * drawNormal(random);

interface SimulationOptions {
  machine: Machine;
  baselines: number;
  /** Gating rows. A run's pace moves all of them, and each has 1 % of its own noise. */
  rows: number;
  /** True slowdown of the first row of the new run: 0.1 is 10 %. */
  slowdown: number;
  trials: number;
  seed: number;
}

interface SimulationResult {
  /** Share of trials that call a row slower that is not. */
  falseRegressionRate: number;
  /** Share of trials that call the first row slower: with a slowdown, the power. */
  foundRate: number;
}

const ROW_NOISE = 0.01;
const BAND_PERCENT = 3;

/** Compares simulated runs with simulated baselines; repeatable by its seed. */
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

/** Shares of false regressions and of found slowdowns of 10 % and 25 %, with 8 gating rows. */
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

const USAGE = `Usage: deno task power

Simulates comparisons of a run with earlier runs, and prints the table of docs/method.md: the shares
of false regressions, and of slowdowns of 10 % and 25 % that are found.
`;

if (import.meta.main) {
  const asked = Deno.args.some((arg) => ["--help", "-h"].includes(arg));
  Deno.stdout.writeSync(new TextEncoder().encode(asked ? USAGE : powerTableMarkdown()));
}
