/**
 * How much time each layer of a call adds.
 *
 * @module
 */

import type { Added } from "../schema.ts";
import { type Estimate, estimate, momentsOf } from "./estimate.ts";

/** Medians by epoch in nanoseconds; `null` if an epoch has none. */
type EpochMedians = readonly (number | null)[];

/**
 * The part of a layer. In each epoch it is the difference between the layer's median and the sum of
 * those that it contains; its share is that over the median of the whole call in the same epoch, so
 * that the pace of the machine, which affects all layers alike, cancels out. The share is the mean
 * over the epochs, with its t interval, and the time that share of the geometric mean of the whole
 * call: the shares of all layers sum to 1, and their times to that mean. Epochs without all medians
 * are skipped. Noise can make a part negative.
 *
 * If the whole call was not measured in all of these epochs (`whole` is `null` or lacks one), the
 * time is the mean difference and the share `null`.
 *
 * @returns `null` if no epoch has all medians
 */
export function addedPart(
  own: EpochMedians,
  contained: readonly EpochMedians[],
  whole: EpochMedians | null,
): Pick<Added, "value" | "ci95" | "share" | "shareCi95"> | null {
  const parts = own.flatMap((ownNs, epoch) => {
    const below = contained.flatMap((medians) => medians[epoch] ?? []);
    if (ownNs === null || below.length < contained.length) return [];
    return { addedNs: ownNs - sumOf(below), wholeNs: whole?.[epoch] ?? 0 };
  });
  if (parts.length === 0) return null;
  const inPairs = { scale: "linear", paired: true } as const;
  if (!parts.every(({ wholeNs }) => wholeNs > 0)) {
    const { value, ci95 } = estimate(parts.map(({ addedNs }) => addedNs), inPairs);
    return { value, ci95, share: null, shareCi95: null };
  }
  const shares = parts.map(({ addedNs, wholeNs }) => addedNs / wholeNs);
  const { value: share, ci95: shareCi95 } = estimate(shares, inPairs);
  const { value: wholeNs } = estimate(parts.map((part) => part.wholeNs));
  const ci95: Added["ci95"] = shareCi95 && [shareCi95[0] * wholeNs, shareCi95[1] * wholeNs];
  return { value: share * wholeNs, ci95, share, shareCi95 };
}

/** Medians of a layer's slices by epoch, and the positions of the layers that it contains. */
export interface LayerSlices {
  slices: readonly (readonly number[])[];
  contains: readonly number[];
}

/**
 * Checks that the parts add up to the whole. Differences of the same medians always would, as their
 * sum telescopes. So each layer's part is taken from one half of an epoch's slices (every other
 * one), and its neighbours' parts from the other half: the sum equals the whole only if both halves
 * measure the same.
 *
 * @param layers the whole call last. Epochs with fewer than two slices of a layer are skipped.
 * @returns the sum as a share of the whole (the mean of its halves); `null` if no epoch is left
 */
export function sumOfParts(
  layers: readonly LayerSlices[],
): Pick<Estimate, "value" | "ci95"> | null {
  const whole = layers.at(-1)?.slices ?? [];
  const shares = whole.flatMap((_, epoch) => {
    const slices = layers.map((layer) => layer.slices[epoch] ?? []);
    if (slices.some(({ length }) => length < 2)) return [];
    const halves = slices.map((medians) => [halfOf(medians, 0), halfOf(medians, 1)] as const);
    const parts = layers.map(({ contains }, layer) => {
      const half = layer % 2 as 0 | 1;
      return halves[layer]![half] - sumOf(contains.map((index) => halves[index]![half]));
    });
    const [first, second] = halves.at(-1)!;
    return [sumOf(parts) / ((first + second) / 2)];
  });
  if (shares.length === 0) return null;
  const { value, ci95 } = estimate(shares, { scale: "linear", paired: true });
  return { value, ci95 };
}

function halfOf(medians: readonly number[], half: 0 | 1): number {
  return momentsOf(medians.filter((_, index) => index % 2 === half)).mean;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
