/**
 * How throughput grows with the number of clients: the Universal Scalability Law (N. Gunther, Guerrilla
 * Capacity Planning, 2007, chapters 4 to 6), fitted to measured throughputs.
 *
 * @module
 */

import { minimiseSquares } from "./least_squares.ts";

/** The throughput of so many clients at once, in one round. */
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

/** The law that fits best, and how much of the differences between the throughputs it explains. */
export interface ScalingFit {
  law: ScalingLaw;
  /** `1 - (squared deviations from the law) / (squared deviations from the mean)` of mean throughputs. */
  rSquared: number;
}

/** Three parameters go through any three points: that would be no test of the law. */
export const MINIMUM_STEPS = 4;

/** X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). */
export function throughputAt(law: ScalingLaw, clients: number): number {
  return law.singleRatePerSecond * clients / slowdownAt([law.contention, law.coherency], clients);
}

/**
 * How many clients get the most, as a real number: √((1 − σ) / κ), but no less than one client.
 * `Infinity` where there is no coherency to cost anything.
 */
export function peakClients({ contention, coherency }: ScalingLaw): number {
  if (contention >= 1) return 1;
  return coherency === 0 ? Infinity : Math.max(1, Math.sqrt((1 - contention) / coherency));
}

/**
 * Fits the law to all samples by least squares, with contention and coherency not negative. What is made
 * least are the squares of the deviations of log X: rounds differ by some per cent, whatever the
 * throughput, so that a small throughput counts as much as a large one.
 *
 * @throws {RangeError} if there are fewer than {@linkcode MINIMUM_STEPS} numbers of clients, or a
 *   throughput is not above 0
 */
export function fitScalingLaw(samples: readonly ScalingSample[]): ScalingFit {
  const steps = stepsOf(samples);
  if (steps.length < MINIMUM_STEPS) {
    throw new RangeError(
      `Cannot fit the law as it needs ${MINIMUM_STEPS} numbers of clients: there are ${steps.length}`,
    );
  }
  const [contention, coherency] = fitWithinBounds(steps);
  const slowdown: Slowdown = [contention, coherency];
  const singleRatePerSecond = Math.exp(
    weightedMean(steps, (step) => step.meanLog + Math.log(slowdownAt(slowdown, step.clients))),
  );
  const law = { singleRatePerSecond, contention, coherency };
  return { law, rSquared: rSquared(samples, law) };
}

/** Contention and coherency. */
type Slowdown = readonly [contention: number, coherency: number];

/** By how much each client is slower among so many. */
function slowdownAt([contention, coherency]: Slowdown, clients: number): number {
  return 1 + (contention + coherency * clients) * (clients - 1);
}

/** All samples of one number of clients: the sum of squares depends on no more of them than this. */
interface Step {
  clients: number;
  samples: number;
  /** Of the logarithm of each client's throughput. */
  meanLog: number;
}

function stepsOf(samples: readonly ScalingSample[]): Step[] {
  const steps = new Map<number, Step>();
  for (const { clients, ratePerSecond } of samples) {
    if (!(ratePerSecond > 0 && clients >= 1)) {
      throw new RangeError(
        `Cannot fit the law as every throughput must be above 0: ${clients} clients got ${ratePerSecond}`,
      );
    }
    const step = steps.get(clients) ?? { clients, samples: 0, meanLog: 0 };
    step.samples++;
    step.meanLog += (Math.log(ratePerSecond / clients) - step.meanLog) / step.samples;
    steps.set(clients, step);
  }
  return [...steps.values()];
}

/**
 * The best without bounds; where that is out of bounds, the best on their edges. The start is no slowdown
 * at all.
 */
function fitWithinBounds(steps: readonly Step[]): Slowdown {
  const both = minimiseSquares([0, 0], problemOf(steps, ([first, second]) => [first!, second!]));
  if (both.parameters.every((value) => value >= 0)) {
    return [both.parameters[0]!, both.parameters[1]!];
  }
  const edges: ((parameters: readonly number[]) => Slowdown)[] = [
    ([contention]) => [contention!, 0],
    ([coherency]) => [0, coherency!],
  ];
  const candidates = edges.flatMap((place) => {
    const { parameters, sumOfSquares } = minimiseSquares([0], problemOf(steps, place));
    return parameters[0]! >= 0 ? [{ slowdown: place(parameters), sumOfSquares }] : [];
  });
  candidates.sort((one, other) => one.sumOfSquares - other.sumOfSquares);
  return candidates[0]?.slowdown ?? [0, 0];
}

/** The deviations of log X from the law, with the best λ there is for each slowdown. */
function problemOf(
  steps: readonly Step[],
  place: (parameters: readonly number[]) => Slowdown,
): Parameters<typeof minimiseSquares>[1] {
  const centred = (valueOf: (step: Step) => number) => {
    const mean = weightedMean(steps, valueOf);
    return Float64Array.from(steps, (step) => (valueOf(step) - mean) * Math.sqrt(step.samples));
  };
  return {
    residuals(parameters) {
      const slowdown = place(parameters);
      if (steps.some(({ clients }) => !(slowdownAt(slowdown, clients) > 0))) return null;
      return centred(({ clients, meanLog }) => meanLog + Math.log(slowdownAt(slowdown, clients)));
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

function weightedMean<S extends { samples: number }>(
  steps: readonly S[],
  valueOf: (step: S) => number,
): number {
  let sum = 0;
  let count = 0;
  for (const step of steps) {
    sum += valueOf(step) * step.samples;
    count += step.samples;
  }
  return sum / count;
}

/**
 * Of the mean throughput of each number of clients, so that it is about the shape of the law: how far rounds
 * differ among themselves is in the intervals. 0 where the means do not differ, as there is nothing to
 * explain.
 */
function rSquared(samples: readonly ScalingSample[], law: ScalingLaw): number {
  const means = [...Map.groupBy(samples, ({ clients }) => clients)].map(([clients, group]) => ({
    clients,
    samples: group.length,
    rate: group.reduce((sum, { ratePerSecond }) => sum + ratePerSecond, 0) / group.length,
  }));
  const mean = weightedMean(means, ({ rate }) => rate);
  const left = weightedMean(means, ({ clients, rate }) => (rate - throughputAt(law, clients)) ** 2);
  const all = weightedMean(means, ({ rate }) => (rate - mean) ** 2);
  return all === 0 ? 0 : 1 - left / all;
}
