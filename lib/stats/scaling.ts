/**
 * How throughput grows with the number of clients: the Universal Scalability Law (N. Gunther, Guerrilla
 * Capacity Planning, 2007, chapters 4 to 6), fitted to measured throughputs.
 *
 * @module
 */

import { momentsOf } from "./estimate.ts";

/** The throughput of so many clients at once, in one epoch. */
export interface ScalingSample {
  clients: number;
  ratePerSecond: number;
}

/** The parameters of the law. */
export interface ScalingLaw {
  /** What one client gets. */
  singleRatePerSecond: number;
  /** The share of the work that only one client at a time can have done; 0: none. */
  contention: number;
  /** What keeping each client consistent with each other one costs, as a share of the work; 0: nothing. */
  coherency: number;
}

/** Which parameters are fitted; the others are 0. */
export interface FreeParameters {
  contention: boolean;
  coherency: boolean;
}

/** The throughput of one number of clients over all epochs. */
export interface ScalingStep {
  clients: number;
  /** The geometric mean. */
  ratePerSecond: number;
}

/** Three parameters go through any three points: that would be no test of the law. */
export const MINIMUM_STEPS = 4;
const MAX_STEPS = 200;
/** The decrease, relative to the sum of squares, from where on there is no better neighbour. */
const NO_PROGRESS = 1e-12;
const FIRST_DAMPING = 1e-3;
/** With more damping than this a step is too small to change anything. */
const MAX_DAMPING = 1e8;

/** X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). */
export function throughputAt(law: ScalingLaw, clients: number): number {
  return law.singleRatePerSecond * clients / slowdownAt(law, clients);
}

/** How many clients get the most, a real number from 1: √((1 − σ) / κ); `Infinity` without coherency. */
export function peakClients({ contention, coherency }: ScalingLaw): number {
  if (contention >= 1) return 1;
  return coherency <= 0 ? Infinity : Math.max(1, Math.sqrt((1 - contention) / coherency));
}

/** The samples by their number of clients, in the order in which those come. */
export function stepsOf(samples: readonly ScalingSample[]): ScalingStep[] {
  return [...Map.groupBy(samples, ({ clients }) => clients)].map(([clients, group]) => {
    const logs = group.map(({ ratePerSecond }) => Math.log(ratePerSecond));
    return { clients, ratePerSecond: Math.exp(momentsOf(logs).mean) };
  });
}

/**
 * Fits the law by least squares with only those parameters that are free, which may come out negative. What is made
 * least are the squares of the deviations of log X: epochs differ by some per cent, whatever the throughput. Each
 * number of clients counts as much, and must have as many samples, all above 0.
 *
 * The method is Levenberg's and Marquardt's: Gauss-Newton steps, each damped until it leads downhill, with the
 * damping of each parameter in its own scale (D. Marquardt, An Algorithm for Least-Squares Estimation of Nonlinear
 * Parameters, 1963).
 */
export function fitFreely(
  samples: readonly ScalingSample[],
  free: FreeParameters,
): { law: ScalingLaw; sumOfSquares: number } {
  const steps = stepsOf(samples);
  /** The logarithm of λ by one step; NaN where the slowdown is not above 0. */
  const logSingle = (slowdown: Slowdown) => ({ clients, ratePerSecond }: ScalingStep) =>
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

/** The slowdown after one damped step; it is linear in both parameters. */
function gaussNewton(
  slowdown: Slowdown,
  { steps, residuals, free, damping }: {
    steps: readonly ScalingStep[];
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
  // A parameter that is not free has no squares: any other number leaves it at 0.
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
 * Fits the law with contention and coherency not negative: the best without bounds or, where that is out of
 * bounds, the best on their edges. `free` says which parameters are not held at 0.
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
 * How much of the differences between the steps the law explains: `1 - (squared deviations from the law) /
 * (squared deviations from the mean)` of their throughputs; NaN where they do not differ.
 */
export function rSquaredOf(law: ScalingLaw, samples: readonly ScalingSample[]): number {
  const steps = stepsOf(samples);
  const left = steps.map((step) => step.ratePerSecond - throughputAt(law, step.clients));
  const all = centred(steps.map(({ ratePerSecond }) => ratePerSecond));
  return 1 - dot(left, left) / dot(all, all);
}

type Slowdown = Pick<ScalingLaw, "contention" | "coherency">;

/** By how much each client is slower among so many. */
function slowdownAt({ contention, coherency }: Slowdown, clients: number): number {
  return 1 + (contention + coherency * clients) * (clients - 1);
}

/** The distances from their mean. */
function centred(values: readonly number[]): number[] {
  const { mean } = momentsOf(values);
  return values.map((value) => value - mean);
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, index) => sum + value * other[index]!, 0);
}
