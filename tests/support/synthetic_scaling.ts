/**
 * Throughputs that follow a known scaling law, to test the fit.
 * `deno run -q tests/support/synthetic_scaling.ts` prints how well it recovers the parameters.
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
import { printRow } from "./print.ts";

/** A sweep that identifies all parameters: 1, 2, 3 … 64 clients. */
export const ALL_STEPS = Array.from({ length: 64 }, (_, index) => index + 1);

/**
 * Epochs of a sweep over numbers of clients, with normal noise.
 *
 * @param options `noise` is the standard deviation of each sample, relative to the sample
 */
export function syntheticEpochs(
  law: ScalingLaw,
  options: { sweep: readonly number[]; epochs: number; noise: number; seed: number },
): ScalingSample[][] {
  const { sweep, epochs, noise, seed } = options;
  const next = randomStream(seed, "synthetic throughput");
  return Array.from({ length: epochs }, () =>
    sweep.map((clients) => ({
      clients,
      ratePerSecond: throughputAt(law, clients) * (1 + noise * drawNormal(next)),
    })));
}

/** Contention and coherency of the laws. */
const PAIRS = [
  ...[[0.05, 0.0005], [0.05, 0.001], [0.1, 0.001], [0.1, 0.01], [0.3, 0.005], [0.01, 0.0001]],
] as const;
const RUNS = 60;
const NOISE = 0.05;

/** Root mean square of the relative errors of λ, σ and κ over seeded runs. */
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
  printRow("σ", "κ", "20 epochs", "50 epochs");
  printRow("---", "---", "---", "---");
  for (const [contention, coherency] of PAIRS) {
    const law = { singleRatePerSecond: 1000, contention, coherency };
    printRow(`${contention}`, `${coherency}`, recovery(law, 20), recovery(law, 50));
  }
}
