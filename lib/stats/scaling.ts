/**
 * How throughput grows with the number of clients: the Universal Scalability Law (N. Gunther, Guerrilla
 * Capacity Planning, 2007, chapters 4 to 6), fitted to measured throughputs.
 *
 * @module
 */

import { minimiseSquares } from "./least_squares.ts";

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
  samples: number;
  /** The geometric mean. */
  ratePerSecond: number;
}

/** Three parameters go through any three points: that would be no test of the law. */
export const MINIMUM_STEPS = 4;

/** X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). */
export function throughputAt(law: ScalingLaw, clients: number): number {
  return law.singleRatePerSecond * clients / slowdownAt(law, clients);
}

/**
 * How many clients get the most, as a real number: √((1 − σ) / κ), but no less than one client.
 * `Infinity` where there is no coherency to cost anything.
 */
export function peakClients({ contention, coherency }: ScalingLaw): number {
  if (contention >= 1) return 1;
  return coherency <= 0 ? Infinity : Math.max(1, Math.sqrt((1 - contention) / coherency));
}

/**
 * The samples by their number of clients, in the order in which those come.
 *
 * @throws {RangeError} if a throughput is not above 0
 */
export function stepsOf(samples: readonly ScalingSample[]): ScalingStep[] {
  return [...Map.groupBy(samples, ({ clients }) => clients)].map(([clients, group]) => {
    const idle = group.find(({ ratePerSecond }) => !(ratePerSecond > 0));
    if (idle !== undefined) {
      throw new RangeError(
        `Cannot fit the law as every throughput must be above 0: ${clients} clients got ${idle.ratePerSecond}`,
      );
    }
    const logs = group.reduce((sum, { ratePerSecond }) => sum + Math.log(ratePerSecond), 0);
    return { clients, samples: group.length, ratePerSecond: Math.exp(logs / group.length) };
  });
}

/**
 * Fits the law by least squares, with only those parameters that are free, which may come out negative. What is made
 * least are the squares of the deviations of log X: epochs differ by some per cent, whatever the
 * throughput, so that a small throughput counts as much as a large one.
 *
 * @throws {RangeError} if there are fewer than {@linkcode MINIMUM_STEPS} numbers of clients, or a
 *   throughput is not above 0
 */
export function fitFreely(
  samples: readonly ScalingSample[],
  free: FreeParameters,
): { law: ScalingLaw; sumOfSquares: number } {
  const steps = stepsOf(samples);
  if (steps.length < MINIMUM_STEPS) {
    throw new RangeError(
      `Cannot fit the law as it needs ${MINIMUM_STEPS} numbers of clients: there are ${steps.length}`,
    );
  }
  const isFree = [free.contention, free.coherency];
  const place = (parameters: readonly number[]): Slowdown => {
    const rest = [...parameters];
    const [contention, coherency] = isFree.map((one) => one ? rest.shift()! : 0);
    return { contention, coherency };
  };
  const start = isFree.filter(Boolean).map(() => 0); // no slowdown at all
  const { parameters, sumOfSquares } = minimiseSquares(start, problemOf(steps, place));
  const slowdown = place(parameters);
  const singleRatePerSecond = Math.exp(
    weightedMean(steps, (step) => perClient(step) + Math.log(slowdownAt(slowdown, step.clients))),
  );
  return { law: { singleRatePerSecond, ...slowdown }, sumOfSquares };
}

/**
 * Fits the law with contention and coherency not negative: the best without bounds or, where that is out of
 * bounds, the best on their edges. `free` says which parameters are not held at 0.
 *
 * @throws {RangeError} as {@linkcode fitFreely}
 */
export function fitScalingLaw(
  samples: readonly ScalingSample[],
): { law: ScalingLaw; free: FreeParameters } {
  const fits = [[true, true], [true, false], [false, true], [false, false]].map(
    ([contention, coherency]) => {
      const free = { contention, coherency };
      return { free, ...fitFreely(samples, free) };
    },
  );
  const within = fits.filter(({ law }) => law.contention >= 0 && law.coherency >= 0);
  within.sort((one, other) => one.sumOfSquares - other.sumOfSquares);
  return within[0];
}

/**
 * How much of the differences between the steps the law explains: `1 - (squared deviations from the law) /
 * (squared deviations from the mean)` of their throughputs. It is about the shape of the law: how far epochs
 * differ among themselves is in the intervals. NaN where the steps do not differ.
 */
export function rSquaredOf(law: ScalingLaw, samples: readonly ScalingSample[]): number {
  const steps = stepsOf(samples);
  const mean = weightedMean(steps, ({ ratePerSecond }) => ratePerSecond);
  const left = weightedMean(
    steps,
    ({ clients, ratePerSecond }) => (ratePerSecond - throughputAt(law, clients)) ** 2,
  );
  return 1 - left / weightedMean(steps, ({ ratePerSecond }) => (ratePerSecond - mean) ** 2);
}

type Slowdown = Pick<ScalingLaw, "contention" | "coherency">;

/** By how much each client is slower among so many. */
function slowdownAt({ contention, coherency }: Slowdown, clients: number): number {
  return 1 + (contention + coherency * clients) * (clients - 1);
}

/** The logarithm of what each client got. */
function perClient({ clients, ratePerSecond }: ScalingStep): number {
  return Math.log(ratePerSecond / clients);
}

/** The deviations of log X from the law, with the best λ there is for each slowdown. */
function problemOf(
  steps: readonly ScalingStep[],
  place: (parameters: readonly number[]) => Slowdown,
): Parameters<typeof minimiseSquares>[1] {
  const centred = (valueOf: (step: ScalingStep) => number) => {
    const mean = weightedMean(steps, valueOf);
    return Float64Array.from(steps, (step) => (valueOf(step) - mean) * Math.sqrt(step.samples));
  };
  return {
    residuals(parameters) {
      const slowdown = place(parameters);
      if (steps.some(({ clients }) => !(slowdownAt(slowdown, clients) > 0))) return null;
      return centred((step) => perClient(step) + Math.log(slowdownAt(slowdown, step.clients)));
    },
    jacobian(parameters) {
      const slowdown = place(parameters);
      return parameters.map((_, index) => {
        // The slowdown is linear in each parameter.
        const unit = place(parameters.map((_, other) => other === index ? 1 : 0));
        return centred(({ clients }) =>
          (slowdownAt(unit, clients) - 1) / slowdownAt(slowdown, clients)
        );
      });
    },
  };
}

function weightedMean(
  steps: readonly ScalingStep[],
  valueOf: (step: ScalingStep) => number,
): number {
  const samples = steps.reduce((sum, step) => sum + step.samples, 0);
  return steps.reduce((sum, step) => sum + valueOf(step) * step.samples, 0) / samples;
}
