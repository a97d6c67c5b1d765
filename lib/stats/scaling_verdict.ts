import type { Fact, Interval } from "../schema.ts";
import { independentMargin, MINIMUM_EPOCHS_FOR_INTERVAL, momentsOf } from "./estimate.ts";
import {
  fitFreely,
  fitScalingLaw,
  type FreeParameters,
  MINIMUM_STEPS,
  peakClients,
  rSquaredOf,
  type ScalingLaw,
  type ScalingSample,
  stepsOf,
  throughputAt,
} from "./scaling.ts";

/** Minimum R² of a usable fit. */
const MINIMUM_R_SQUARED = 0.9;
/** Throughput is flat if all steps are within this factor of the first. */
const FLAT_WITHIN = 1.1;
/** The same if no law fits, so that only noise or a small step is visible. */
const NEARLY_FLAT_WITHIN = 1.3;
/** Contention above this is negligible, or without an interval possibly noise. */
const NEGATIVE_CONTENTION = { tested: -0.01, untested: -0.05 };
/** A law whose peak was exceeded by this factor does not locate the peak. */
const MOST_ABOVE_PEAK = 1.2;
const BOTH_FREE: FreeParameters = { contention: true, coherency: true };

/** Where throughput is highest; reported only within the measured range. */
export type Peak =
  | {
    status: "measured";
    /** Not rounded. */
    clients: number;
    ratePerSecond: number;
    /** Of `clients`; `null` with fewer than five epochs, or if it exceeds the measured range. */
    ci95: Interval | null;
  }
  /** Outside the measured range, nonexistent, or clearly exceeded by a measurement. */
  | { status: "beyond"; why: string };

export type ScalingVerdict =
  | { status: "refused"; why: string; rSquared: number | null }
  /** More clients get the same throughput, so there is nothing for a law to explain. */
  | { status: "flat"; fact: Fact }
  | {
    status: "fitted";
    law: ScalingLaw;
    rSquared: number;
    /**
     * From the spread of the epochs' own fits; `null` with fewer than five epochs. For a parameter
     * at its bound of 0: `[0, limit]`, with a one-sided 95 % upper limit.
     */
    ci95: Record<keyof ScalingLaw, Interval | null>;
    peak: Peak;
  };

/**
 * Fits the law to the samples of all epochs, and refuses what they do not support. Every epoch must
 * have all numbers of clients. Negative contention is refused because in the law every further
 * client costs something.
 */
export function judgeScaling(epochs: readonly (readonly ScalingSample[])[]): ScalingVerdict {
  const refused = (why: string, rSquared: number | null = null) =>
    ({ status: "refused", why, rSquared }) as const;
  const samples = epochs.flat();
  if (samples.length === 0) return refused("no epoch is complete");
  const idle = samples.find(({ ratePerSecond }) => !(ratePerSecond > 0));
  if (idle !== undefined) {
    return refused(`an epoch with ${idle.clients} clients had no successful call`);
  }
  const steps = stepsOf(samples);
  if (steps.length < MINIMUM_STEPS) {
    return refused(
      `${steps.length} client counts are too few for a fit: ${MINIMUM_STEPS} are needed`,
    );
  }
  const flat = describeFlat(steps, FLAT_WITHIN);
  if (flat !== null) return { status: "flat", fact: flat };
  const unbounded = epochs.map((epoch) => fitFreely(epoch, BOTH_FREE).law);
  const negative = describeNegativeContention(unbounded.map(({ contention }) => contention));
  if (negative !== null) return refused(negative);
  const { law, free } = fitScalingLaw(samples);
  const rSquared = rSquaredOf(law, samples);
  if (rSquared < MINIMUM_R_SQUARED) {
    const nearlyFlat = describeFlat(steps, NEARLY_FLAT_WITHIN);
    if (nearlyFlat !== null) return { status: "flat", fact: nearlyFlat };
    // A negative R² means that the law fits worse than a constant.
    const seen = rSquared < 0
      ? "a constant fits better"
      : `R² is ${rSquared.toFixed(2)}, ${MINIMUM_R_SQUARED} is needed`;
    const why = `the throughput does not follow the Universal Scalability Law: ${seen}`;
    return refused(why, rSquared);
  }
  const own = epochs.map((epoch) => fitFreely(epoch, free).law);
  const ci95 = intervalsOf(law, { free, own, unbounded });
  return { status: "fitted", law, rSquared, ci95, peak: peakOf(law, { own, steps }) };
}

function describeFlat(steps: readonly ScalingSample[], within: number): Fact | null {
  const [first] = steps.toSorted((one, other) => one.clients - other.clients);
  const ratios = steps.map(({ ratePerSecond }) => ratePerSecond / first.ratePerSecond);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  if (most > within || least < 1 / within) return null;
  const clients = Math.max(...steps.map((step) => step.clients));
  const message = `more clients gain nothing: up to ${clients} get ` +
    `${least.toFixed(2)} to ${most.toFixed(2)} times the throughput of ${first.clients}`;
  return { kind: "flat", message, clients, least, most };
}

/** Tests the epochs' unbounded fits at 99 %, or only their mean with fewer than five epochs. */
function describeNegativeContention(own: readonly number[]): string | null {
  const { mean } = momentsOf(own);
  const margin = marginOf(own, 0.99);
  const { tested, untested } = NEGATIVE_CONTENTION;
  if (margin === null ? mean > untested : mean > tested || mean + margin >= 0) return null;
  return `one client alone does not keep the server awake: contention is ${mean.toFixed(3)}, ` +
    "as throughput grows faster than the number of clients";
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
    // A two-sided 90 % interval has the one-sided 95 % limit.
    const margin = marginOf(values, free[name] ? 0.95 : 0.9);
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

/** `null` with fewer than five epochs, or if one has no finite value. */
function marginOf(values: readonly number[], confidence?: number): number | null {
  const isEnough = values.length >= MINIMUM_EPOCHS_FOR_INTERVAL && values.every(Number.isFinite);
  return isEnough ? independentMargin(values, confidence) : null;
}

/** The 95 % interval of a value, from the logarithms of the epochs' own values. */
function around(value: number, own: readonly number[]): Interval | null {
  const margin = marginOf(own.map(Math.log));
  return margin === null ? null : [value * Math.exp(-margin), value * Math.exp(margin)];
}

function peakOf(
  law: ScalingLaw,
  { own, steps }: { own: readonly ScalingLaw[]; steps: readonly ScalingSample[] },
): Peak {
  const measured = steps.map(({ clients }) => clients);
  const most = Math.max(...measured);
  const clients = peakClients(law);
  const beyond = (why: string): Peak => ({ status: "beyond", why });
  if (clients === Infinity) {
    return beyond(`none: nothing up to ${most} clients shows that more would cost throughput`);
  }
  if (clients > most || clients < Math.min(...measured)) {
    return beyond(`beyond what was measured, up to ${most} clients`);
  }
  const ratePerSecond = throughputAt(law, clients);
  const best = steps.reduce((one, step) => step.ratePerSecond > one.ratePerSecond ? step : one);
  if (best.ratePerSecond > MOST_ABOVE_PEAK * ratePerSecond) {
    return beyond(
      `not settled: the law's maximum, ${ratePerSecond.toFixed(0)} calls/s, is below ` +
        `the ${best.ratePerSecond.toFixed(0)} that ${best.clients} clients reached`,
    );
  }
  const ci95 = around(clients, own.map(peakClients));
  const isWithin = ci95 !== null && ci95[1] <= most;
  return { status: "measured", clients, ratePerSecond, ci95: isWithin ? ci95 : null };
}
