/**
 * What the comparison can tell, by simulation: how often it accuses a run that is as fast as the
 * other, and how often it finds one that is slower.
 *
 * @module
 */

import type { RoundsPair } from "./compare_types.ts";
import { judgeRows, mostTestableRows } from "./judge.ts";
import { drawNormal, type RandomStream, randomStream } from "./random.ts";

export interface SimulationOptions {
  /** Standard deviation of the logarithm of a round, in per cent. */
  noisePercent: number;
  /** The same of a run, which moves all of its rows together. */
  runNoisePercent: number;
  /** Rounds a side. */
  rounds: number;
  /** Gating rows. */
  rows: number;
  /**
   * How much slower the first row of the new run truly is: 0.1 is 10 %. All others are as before.
   */
  slowdown: number;
  /** Pairs of runs to compare. */
  pairs: number;
  seed: number;
}

export interface SimulationResult {
  /** The share of pairs in which a row is called slower that is not. */
  falseRegressionRate: number;
  /**
   * The share of pairs in which the first row is called slower: the power, if there is a slowdown.
   */
  foundRate: number;
}

/** The noise band of the comparison, in per cent: its default. */
const BAND_PERCENT = 3;

/**
 * Compares pairs of simulated runs by the very rule of compareReports. Latencies are log-normal:
 * every round has noise of its own, every run one draw for all of its rounds and rows. Repeatable
 * by its seed.
 */
export function simulate(options: SimulationOptions): SimulationResult {
  const { slowdown, pairs, seed } = options;
  const next = randomStream(seed, "power");
  let falseRegressions = 0;
  let found = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const oldRun = drawRun(options, next);
    const newRun = drawRun(options, next);
    newRun[0] = newRun[0].map((value) => value * (1 + slowdown));
    const rows = oldRun.map((oldRounds, index): RoundsPair => {
      return { oldRounds, newRounds: newRun[index], better: "lower" };
    });
    const judgements = judgeRows(rows, { noisePercent: BAND_PERCENT });
    const slower = judgements.map(({ verdict }) => verdict === "slower");
    if (slower[0]) found++;
    if (slower.some((isSlower, index) => isSlower && !(index === 0 && slowdown > 0))) {
      falseRegressions++;
    }
  }
  return { falseRegressionRate: falseRegressions / pairs, foundRate: found / pairs };
}

/** The rounds of each row of one run. */
function drawRun(options: SimulationOptions, next: RandomStream): number[][] {
  const runShift = options.runNoisePercent / 100 * drawNormal(next);
  return Array.from({ length: options.rows }, () =>
    Array.from(
      { length: options.rounds },
      () => Math.exp(runShift + options.noisePercent / 100 * drawNormal(next)),
    ));
}

const NOISE_PERCENTS = [2, 3, 5, 8];
const ROUNDS = [5, 8, 10, 15, 20];
/** The setting of the table. */
const SETTING = { runNoisePercent: 1, rows: 8 } as const;
const SLOWDOWN = 0.1;

/**
 * A markdown table of noise against rounds, each cell being "false regressions / power": the share
 * of pairs of equal runs in which any of 8 rows is called slower, and the share of pairs in which a
 * row 10 % slower is. A dash: too few rounds for any verdict.
 *
 * @param options.pairs pairs of runs for each figure; 1,000 by default
 */
export function powerTableMarkdown(options: { pairs?: number; seed?: number } = {}): string {
  const { pairs = 1_000, seed = 1 } = options;
  const header = ["noise of a round", ...ROUNDS.map((rounds) => `${rounds} rounds`)];
  const lines = NOISE_PERCENTS.map((noisePercent) => {
    const cells = ROUNDS.map((rounds) => {
      if (mostTestableRows(rounds, rounds) < SETTING.rows) return "–";
      const setting = { ...SETTING, noisePercent, rounds, pairs, seed };
      const equal = simulate({ ...setting, slowdown: 0 });
      const slowed = simulate({ ...setting, slowdown: SLOWDOWN });
      return `${percent(equal.falseRegressionRate)} / ${percent(slowed.foundRate)}`;
    });
    return [`${noisePercent} %`, ...cells];
  });
  return [header, header.map(() => "---:"), ...lines].map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
