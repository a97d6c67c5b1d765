/**
 * Throughputs that follow a known law, to see what a fit makes of them. As a program it prints how well the
 * parameters come back: `deno run -q tests/support/synthetic_scaling.ts`.
 *
 * @module
 */

import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import {
  fitScalingLaw,
  type ScalingLaw,
  type ScalingSample,
  throughputAt,
} from "../../lib/stats/scaling.ts";

/** A sweep that can tell the parameters: 1, 2, 3 … 64 clients. */
export const ALL_STEPS = Array.from({ length: 64 }, (_, index) => index + 1);

export interface SyntheticOptions {
  /** The numbers of clients. */
  sweep: readonly number[];
  epochs: number;
  /** The standard deviation of every sample, as a share of it. */
  noise: number;
  seed: number;
}

/** Epochs of a sweep with normal noise. */
export function syntheticEpochs(
  law: ScalingLaw,
  { sweep, epochs, noise, seed }: SyntheticOptions,
): ScalingSample[][] {
  const next = randomStream(seed, "synthetic throughput");
  return Array.from({ length: epochs }, () =>
    sweep.map((clients) => ({
      clients,
      ratePerSecond: throughputAt(law, clients) * (1 + noise * drawNormal(next)),
    })));
}

/** Contention and coherency of the laws that are tried. */
const PAIRS = [[0.05, 0.0005], [0.05, 0.001], [0.1, 0.001], [0.1, 0.01], [0.3, 0.005], [
  0.01,
  0.0001,
]];
const RUNS = 60;
const NOISE = 0.05;

/** The root mean square of the relative errors of λ, σ and κ over seeded runs. */
function recovery(law: ScalingLaw, epochs: number): string {
  const keys = ["singleRatePerSecond", "contention", "coherency"] as const;
  const squares = keys.map(() => 0);
  for (let seed = 1; seed <= RUNS; seed++) {
    const samples = syntheticEpochs(law, { sweep: ALL_STEPS, epochs, noise: NOISE, seed });
    const fit = fitScalingLaw(samples.flat());
    keys.forEach((key, index) => squares[index]! += (fit.law[key] / law[key] - 1) ** 2 / RUNS);
  }
  return squares.map((square) => `${(100 * Math.sqrt(square)).toFixed(1)} %`).join(" / ");
}

if (import.meta.main) {
  const lines = PAIRS.map(([contention, coherency]) => {
    const law = { singleRatePerSecond: 1000, contention: contention!, coherency: coherency! };
    const cells = [contention, coherency, recovery(law, 20), recovery(law, 50)];
    return `| ${cells.join(" | ")} |\n`;
  });
  const text = `| σ | κ | 20 epochs | 50 epochs |\n| --- | --- | --- | --- |\n${lines.join("")}`;
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
