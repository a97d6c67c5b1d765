import type { Fact, Interval } from "../schema.ts";
import { estimate, momentsOf, tQuantile } from "./estimate.ts";
import {
  fitFreely,
  fitScalingLaw,
  type FreeParameters,
  MINIMUM_STEPS,
  peakClients,
  rSquaredOf,
  type ScalingLaw,
  type ScalingSample,
  type ScalingStep,
  stepsOf,
  throughputAt,
} from "./scaling.ts";

/** Under this R² nothing is derived from a fit. */
const MINIMUM_R_SQUARED = 0.9;
/** Steps that differ by less than this from the first are no growth, and no loss either. */
const FLAT_WITHIN = 1.1;
/** The same where no law fits, so that noise or a small step is all that there is to see. */
const NEARLY_FLAT_WITHIN = 1.3;
/** A contention that is less negative than this does not matter, or without an interval may be noise. */
const NEGATIVE_CONTENTION = { tested: -0.01, untested: -0.05 };
/** A law whose peak was exceeded by this much does not say where the peak is. */
const MOST_ABOVE_PEAK = 1.2;
const BOTH_FREE: FreeParameters = { contention: true, coherency: true };

/** Where the throughput is highest: reported only where it was measured. */
export type Peak =
  | {
    status: "measured";
    /** A real number. */
    clients: number;
    ratePerSecond: number;
    /** Of the clients; `null` with fewer than five epochs, or where it reaches beyond what was measured. */
    ci95: Interval | null;
  }
  /** Not within the numbers of clients that were measured, nowhere at all, or clearly exceeded there. */
  | { status: "beyond"; fact: Fact };

/** What the epochs of a sweep say. */
export type ScalingVerdict =
  | { status: "refused"; fact: Fact; rSquared: number | null }
  /** More clients get as much as the fewest did: there is nothing for a law to explain. */
  | { status: "flat"; fact: Fact }
  | {
    status: "fitted";
    law: ScalingLaw;
    rSquared: number;
    /**
     * Of each parameter, from the spread of the epochs' own fits; `null` with fewer than five epochs. Of one
     * that is not free, and so 0: an upper limit of one-sided 95 %, as `[0, limit]`.
     */
    ci95: Record<keyof ScalingLaw, Interval | null>;
    /** Which of the parameters are not held at their bound of 0. */
    free: FreeParameters;
    peak: Peak;
  };

type Epochs = readonly (readonly ScalingSample[])[];

/**
 * Fits the law to the samples of all epochs, and refuses what they do not support. An epoch that was cut short,
 * so that it lacks a number of clients, does not count.
 *
 * With `negativeContention` the law does not apply, as it has each further client cost something.
 */
export function judgeScaling(epochs: Epochs): ScalingVerdict {
  const stepCount = new Set(epochs.flat().map(({ clients }) => clients)).size;
  const whole = epochs.filter((epoch) => epoch.length === stepCount);
  const samples = whole.flat();
  if (samples.length === 0) return refused("noWholeEpoch", "no epoch is whole");
  const idle = samples.find(({ ratePerSecond }) => !(ratePerSecond > 0));
  if (idle !== undefined) {
    const { clients } = idle;
    return refused("noSuccess", `an epoch of ${clients} at once had no success`, { clients });
  }
  if (stepCount < MINIMUM_STEPS) {
    const needed = MINIMUM_STEPS;
    const message = `${stepCount} numbers of clients are too few for a fit: ${needed} are needed`;
    return refused("tooFewSteps", message, { steps: stepCount, needed });
  }
  const steps = stepsOf(samples);
  const flat = describeFlat(steps, FLAT_WITHIN);
  if (flat !== null) return { status: "flat", fact: flat };
  const negative = describeNegativeContention(whole);
  if (negative !== null) return { status: "refused", fact: negative, rSquared: null };
  const { law, free } = fitScalingLaw(samples);
  const rSquared = rSquaredOf(law, samples);
  if (rSquared < MINIMUM_R_SQUARED) {
    const nearlyFlat = describeFlat(steps, NEARLY_FLAT_WITHIN);
    if (nearlyFlat !== null) return { status: "flat", fact: nearlyFlat };
    // A negative one says that the law fits worse than one number for all.
    const seen = rSquared < 0
      ? "one number for all fits it better"
      : `R² is ${rSquared.toFixed(2)}, ${MINIMUM_R_SQUARED} is needed`;
    const message = `the throughput does not follow the Universal Scalability Law: ${seen}`;
    return refused("misfit", message, { rSquared, needed: MINIMUM_R_SQUARED });
  }
  const own = whole.map((epoch) => fitFreely(epoch, free).law);
  const unbounded = whole.map((epoch) => fitFreely(epoch, BOTH_FREE).law);
  const ci95 = intervalsOf(law, { free, own, unbounded });
  return { status: "fitted", law, rSquared, ci95, free, peak: peakOf(law, { own, steps }) };
}

function refused(
  kind: string,
  message: string,
  numbers: Record<string, number> = {},
): ScalingVerdict {
  const rSquared = numbers.rSquared ?? null;
  return { status: "refused", fact: { kind, message, ...numbers }, rSquared };
}

function describeFlat(steps: readonly ScalingStep[], within: number): Fact | null {
  const [first] = steps.toSorted((one, other) => one.clients - other.clients);
  const ratios = steps.map(({ ratePerSecond }) => ratePerSecond / first.ratePerSecond);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  if (most > within || least < 1 / within) return null;
  const clients = Math.max(...steps.map((step) => step.clients));
  const message = `more clients gain nothing: up to ${clients} at once get ` +
    `${least.toFixed(2)} to ${most.toFixed(2)} times the throughput of ${first.clients}`;
  return { kind: "flat", message, clients, least, most };
}

/** Of the epochs' own fits, without bounds, at 99 %: with fewer than five there is nothing but their mean. */
function describeNegativeContention(epochs: Epochs): Fact | null {
  const own = epochs.map((epoch) => fitFreely(epoch, BOTH_FREE).law.contention);
  const { value, ci95 } = estimate(own, { scale: "linear", paired: true, confidence: 0.99 });
  const { tested, untested } = NEGATIVE_CONTENTION;
  if (ci95 === null ? value > untested : value > tested || ci95[1] >= 0) return null;
  const message = `one client alone does not keep the server awake: contention comes out at ` +
    `${value.toFixed(3)}, as a few clients together get more than their number times what one gets`;
  return { kind: "negativeContention", message, contention: value };
}

function intervalsOf(
  law: ScalingLaw,
  { free, own, unbounded }: {
    free: FreeParameters;
    own: readonly ScalingLaw[];
    unbounded: readonly ScalingLaw[];
  },
): Record<keyof ScalingLaw, Interval | null> {
  const cost = (name: keyof FreeParameters): Interval | null => {
    const values = (free[name] ? own : unbounded).map((one) => one[name]);
    const margin = marginOf(values, free[name] ? 0.975 : 0.95);
    if (margin === null) return null;
    if (free[name]) return [Math.max(0, law[name] - margin), law[name] + margin];
    return [0, Math.max(0, momentsOf(values).mean + margin)];
  };
  const rates = own.map(({ singleRatePerSecond }) => singleRatePerSecond);
  return {
    singleRatePerSecond: around(law.singleRatePerSecond, rates),
    contention: cost("contention"),
    coherency: cost("coherency"),
  };
}

/** The distance from the mean of so many epochs to the limit of its t interval; `null` with fewer than five. */
function marginOf(values: readonly number[], probability: number): number | null {
  if (values.length < 5 || values.some((value) => !Number.isFinite(value))) return null;
  return tQuantile(probability, values.length - 1) * momentsOf(values).sd /
    Math.sqrt(values.length);
}

/** The 95 % interval of a value by the logarithms of what the epochs have in its place. */
function around(value: number, own: readonly number[]): Interval | null {
  const margin = marginOf(own.map(Math.log), 0.975);
  return margin === null ? null : [value * Math.exp(-margin), value * Math.exp(margin)];
}

function peakOf(
  law: ScalingLaw,
  { own, steps }: { own: readonly ScalingLaw[]; steps: readonly ScalingStep[] },
): Peak {
  const measured = steps.map(({ clients }) => clients);
  const most = Math.max(...measured);
  const clients = peakClients(law);
  const beyond = (fact: Fact): Peak => ({ status: "beyond", fact });
  if (clients === Infinity) {
    const message = `none: up to ${most} at once nothing shows that more would cost throughput`;
    return beyond({ kind: "noPeak", message, most });
  }
  if (clients > most || clients < Math.min(...measured)) {
    const message = `beyond what was measured, up to ${most} at once`;
    return beyond({ kind: "peakBeyond", message, clients, most });
  }
  const ratePerSecond = throughputAt(law, clients);
  const best = steps.reduce((one, step) => step.ratePerSecond > one.ratePerSecond ? step : one);
  if (best.ratePerSecond > MOST_ABOVE_PEAK * ratePerSecond) {
    const { ratePerSecond: bestRatePerSecond, clients: bestClients } = best;
    const message =
      `not settled: the law's most, ${ratePerSecond.toFixed(0)} calls/s, is less than ` +
      `the ${bestRatePerSecond.toFixed(0)} that ${bestClients} at once were seen to get`;
    return beyond({ kind: "peakExceeded", message, ratePerSecond, bestRatePerSecond, bestClients });
  }
  const ci95 = around(clients, own.map(peakClients));
  const isWithin = ci95 !== null && ci95[1] <= most;
  return { status: "measured", clients, ratePerSecond, ci95: isWithin ? ci95 : null };
}
