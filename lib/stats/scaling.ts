/**
 * Fits the Universal Scalability Law (N. Gunther, Guerrilla Capacity Planning, 2007, chapters 4 to
 * 6) to the throughput of different numbers of clients.
 *
 * @module
 */

import { centred, dot, momentsOf } from "./estimate.ts";

/** Throughput of a number of clients, in one epoch or as the geometric mean over all epochs. */
export interface ScalingSample {
  clients: number;
  ratePerSecond: number;
}

/** The parameters of the law. */
export interface ScalingLaw {
  /** λ: the throughput of one client. */
  singleRatePerSecond: number;
  /** σ: the share of the work that is done for only one client at a time. */
  contention: number;
  /** κ: the cost of keeping each pair of clients consistent, as a share of the work. */
  coherency: number;
}

/** Which parameters are fitted; the others are fixed at 0. */
export type FreeParameters = Record<keyof Slowdown, boolean>;

type Slowdown = Pick<ScalingLaw, "contention" | "coherency">;

/** Three parameters fit any three points, which would not test the law. */
export const MINIMUM_STEPS = 4;
const MAX_STEPS = 200;
/** Relative decrease of the sum of squares at which the fit has converged. */
const NO_PROGRESS = 1e-12;
const FIRST_DAMPING = 1e-3;
/** Steps with more damping are too small to change anything. */
const MAX_DAMPING = 1e8;

/** X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). */
export function throughputAt(law: ScalingLaw, clients: number): number {
  return law.singleRatePerSecond * clients / slowdownAt(law, clients);
}

/** The real number of clients, at least 1, at the peak: √((1 − σ) / κ); `Infinity` if κ is 0. */
export function peakClients({ contention, coherency }: ScalingLaw): number {
  if (contention >= 1) return 1;
  return coherency <= 0 ? Infinity : Math.max(1, Math.sqrt((1 - contention) / coherency));
}

/** The geometric mean for each number of clients, in order of appearance. */
export function stepsOf(samples: readonly ScalingSample[]): ScalingSample[] {
  return [...Map.groupBy(samples, ({ clients }) => clients)].map(([clients, group]) => {
    const logs = group.map(({ ratePerSecond }) => Math.log(ratePerSecond));
    return { clients, ratePerSecond: Math.exp(momentsOf(logs).mean) };
  });
}

/**
 * Fits the free parameters without bounds, so they can be negative, by least squares of log X:
 * epochs vary by a percentage, whatever the throughput. All numbers of clients have the same
 * weight, and must have equally many samples, all above 0.
 *
 * Uses the Levenberg-Marquardt method: Gauss-Newton steps, each damped until it leads downhill,
 * with damping in the scale of each parameter (D. Marquardt, An Algorithm for Least-Squares
 * Estimation of Nonlinear Parameters, 1963).
 */
export function fitFreely(
  samples: readonly ScalingSample[],
  free: FreeParameters,
): { law: ScalingLaw; sumOfSquares: number } {
  const steps = stepsOf(samples);
  /** log λ as implied by one step; NaN if the slowdown is not above 0. */
  const logSingle = (slowdown: Slowdown) => ({ clients, ratePerSecond }: ScalingSample) =>
    Math.log(ratePerSecond / clients) + Math.log(slowdownAt(slowdown, clients));
  let slowdown: Slowdown = { contention: 0, coherency: 0 };
  let residuals = centred(steps.map(logSingle(slowdown)));
  let sumOfSquares = dot(residuals, residuals);
  let damping = FIRST_DAMPING;
  for (let step = 0; step < MAX_STEPS && damping < MAX_DAMPING && sumOfSquares > 0; step++) {
    const tried = gaussNewton(slowdown, { steps, residuals, free, damping });
    const left = centred(steps.map(logSingle(tried)));
    const sum = dot(left, left);
    if (!(sum < sumOfSquares)) {
      damping *= 4;
      continue;
    }
    const isDone = sumOfSquares - sum <= NO_PROGRESS * sumOfSquares;
    [slowdown, residuals, sumOfSquares, damping] = [tried, left, sum, damping / 8];
    if (isDone) break;
  }
  const singleRatePerSecond = Math.exp(momentsOf(steps.map(logSingle(slowdown))).mean);
  return { law: { singleRatePerSecond, ...slowdown }, sumOfSquares };
}

/** Parameters after one damped step; the slowdown is linear in both. */
function gaussNewton(
  slowdown: Slowdown,
  { steps, residuals, free, damping }: {
    steps: readonly ScalingSample[];
    residuals: readonly number[];
    free: FreeParameters;
    damping: number;
  },
): Slowdown {
  const by = (parameter: keyof Slowdown) =>
    centred(steps.map(({ clients }) => {
      const derivative = parameter === "contention" ? clients - 1 : clients * (clients - 1);
      return free[parameter] ? derivative / slowdownAt(slowdown, clients) : 0;
    }));
  const [contention, coherency] = [by("contention"), by("coherency")];
  // The column of a fixed parameter is 0; any other pivot keeps the parameter at 0.
  const square = (column: readonly number[]) => dot(column, column) * (1 + damping) || 1;
  const [a, b, c] = [square(contention), dot(contention, coherency), square(coherency)];
  const [p, q] = [dot(contention, residuals), dot(coherency, residuals)];
  const determinant = a * c - b * b;
  return {
    contention: slowdown.contention - (p * c - q * b) / determinant,
    coherency: slowdown.coherency - (q * a - p * b) / determinant,
  };
}

/**
 * Fits the law with non-negative contention and coherency: the unbounded optimum or, if that is out
 * of bounds, the best fit with a parameter at its bound. `free` says which parameters are not at 0.
 */
export function fitScalingLaw(
  samples: readonly ScalingSample[],
): { law: ScalingLaw; free: FreeParameters } {
  return [[true, true], [true, false], [false, true], [false, false]]
    .map(([contention, coherency]) => ({ contention, coherency }))
    .map((free) => ({ free, ...fitFreely(samples, free) }))
    .filter(({ law }) => law.contention >= 0 && law.coherency >= 0)
    .reduce((best, fit) => fit.sumOfSquares < best.sumOfSquares ? fit : best);
}

/**
 * R² of the steps' throughputs: `1 - (squared deviations from the law) / (squared deviations from
 * the mean)`; NaN if all are equal.
 */
export function rSquaredOf(law: ScalingLaw, samples: readonly ScalingSample[]): number {
  const steps = stepsOf(samples);
  const left = steps.map((step) => step.ratePerSecond - throughputAt(law, step.clients));
  const all = centred(steps.map(({ ratePerSecond }) => ratePerSecond));
  return 1 - dot(left, left) / dot(all, all);
}

/** How many times slower each client is than one alone. */
function slowdownAt({ contention, coherency }: Slowdown, clients: number): number {
  return 1 + (contention + coherency * clients) * (clients - 1);
}
