/**
 * What may be said of how a server scales, and what may not.
 *
 * @module
 */

import type { Interval } from "../schema.ts";
import { bootstrapEstimates, percentileInterval } from "./bootstrap.ts";
import {
  fitScalingLaw,
  MINIMUM_STEPS,
  peakClients,
  type ScalingLaw,
  type ScalingSample,
  throughputAt,
} from "./scaling.ts";
import { median } from "./rounds.ts";

/** Under this R² nothing is derived from a fit. */
export const MINIMUM_R_SQUARED = 0.9;

/** A law whose peak was exceeded by this much does not say where the peak is. */
const MOST_ABOVE_PEAK = 1.2;

/** Where the throughput is highest: told only where it was measured. */
export type Peak =
  | {
    status: "measured";
    /** A real number. */
    clients: number;
    ratePerSecond: number;
    /** Of the clients; `null` with fewer than five rounds, or where it reaches beyond what was measured. */
    ci95: Interval | null;
  }
  /** Not within the numbers of clients that were measured, nowhere at all, or clearly exceeded there. */
  | { status: "beyond"; reason: string };

/** What the rounds of a sweep say. */
export type ScalingVerdict =
  | { status: "refused"; reason: string; rSquared: number | null }
  | {
    status: "fitted";
    law: ScalingLaw;
    rSquared: number;
    /** Of each parameter, from resampled rounds; `null` with fewer than five. */
    ci95: Record<keyof ScalingLaw, Interval | null>;
    peak: Peak;
  };

/**
 * Fits the law to the samples of all rounds, and refuses what they do not support: a fit of fewer than four
 * numbers of clients, of a throughput of 0, or with an R² under {@linkcode MINIMUM_R_SQUARED}; and a peak
 * that lies beyond what was measured. A round that was cut short, so that it lacks a number of clients, does
 * not count.
 */
export function judgeScaling(
  rounds: readonly (readonly ScalingSample[])[],
  { seed }: { seed: number },
): ScalingVerdict {
  const steps = new Set(rounds.flat().map(({ clients }) => clients)).size;
  const whole = rounds.filter((round) => round.length === steps);
  const samples = whole.flat();
  if (steps < MINIMUM_STEPS || samples.length === 0) {
    const reason = samples.length === 0
      ? "no round is whole"
      : `${steps} numbers of clients are too few for a fit: ${MINIMUM_STEPS} are needed`;
    return { status: "refused", reason, rSquared: null };
  }
  const idle = samples.find(({ ratePerSecond }) => !(ratePerSecond > 0));
  if (idle !== undefined) {
    const reason = `a round of ${idle.clients} at once had no success`;
    return { status: "refused", reason, rSquared: null };
  }
  const { law, rSquared } = fitScalingLaw(samples);
  if (rSquared < MINIMUM_R_SQUARED) {
    const reason = `the throughput does not follow the Universal Scalability Law: ` +
      `R² is ${rSquared.toFixed(2)}, ${MINIMUM_R_SQUARED} is needed`;
    return { status: "refused", reason, rSquared };
  }
  const laws = bootstrapEstimates(whole, {
    statistic: (resample) => fitScalingLaw(resample.flat()).law,
    seed,
    label: "scaling law",
  });
  const interval = (valueOf: (law: ScalingLaw) => number) =>
    laws === null ? null : percentileInterval(laws.map(valueOf));
  return {
    status: "fitted",
    law,
    rSquared,
    ci95: {
      singleRatePerSecond: interval((one) => one.singleRatePerSecond),
      contention: interval((one) => one.contention),
      coherency: interval((one) => one.coherency),
    },
    peak: peakOf(law, { samples, ci95: interval(peakClients) }),
  };
}

function peakOf(
  law: ScalingLaw,
  { samples, ci95 }: { samples: readonly ScalingSample[]; ci95: Interval | null },
): Peak {
  const measured = samples.map(({ clients }) => clients);
  const most = Math.max(...measured);
  const clients = peakClients(law);
  if (clients === Infinity) {
    const reason = `none: up to ${most} at once nothing shows that more would cost throughput`;
    return { status: "beyond", reason };
  }
  if (clients > most || clients < Math.min(...measured)) {
    return { status: "beyond", reason: `beyond what was measured, up to ${most} at once` };
  }
  const ratePerSecond = throughputAt(law, clients);
  const best = bestStep(samples);
  if (best.ratePerSecond > MOST_ABOVE_PEAK * ratePerSecond) {
    const reason =
      `not settled: the law's most, ${ratePerSecond.toFixed(0)} calls/s, is less than ` +
      `the ${best.ratePerSecond.toFixed(0)} that ${best.clients} at once were seen to get`;
    return { status: "beyond", reason };
  }
  const isWithin = ci95 !== null && ci95[1] <= most;
  return {
    status: "measured",
    clients,
    ratePerSecond,
    ci95: isWithin ? ci95 : null,
  };
}

/** The number of clients with the highest median throughput. */
function bestStep(samples: readonly ScalingSample[]): ScalingSample {
  const steps = [...Map.groupBy(samples, ({ clients }) => clients)].map(([clients, group]) => ({
    clients,
    ratePerSecond: median(group.map((sample) => sample.ratePerSecond)),
  }));
  return steps.reduce((best, step) => step.ratePerSecond > best.ratePerSecond ? step : best);
}
