/**
 * What each layer of a call adds to those below it.
 *
 * @module
 */

import type { Added } from "../schema.ts";
import { type Estimate, estimate, momentsOf } from "./estimate.ts";

/** The medians of one epoch after the other, in nanoseconds; `null` where an epoch has none. */
type EpochMedians = readonly (number | null)[];

/**
 * The part of a layer: the mean over epochs of the difference between the medians of the call down to this layer
 * and down to the one below (`below` is `null` where there is none), with its t interval. A machine that changes its pace for an epoch
 * changes it for all layers, so that epochs are paired; one that lacks a median does not count. Noise may make a
 * part negative; it is returned as it is.
 *
 * The share is that mean over the mean of the whole call in the same epochs, and its interval the part's over the
 * same, so that it has the part's sign, and the shares of all layers sum to 1; `null` where the whole call was not
 * measured (`whole` is `null`, or lacks an epoch).
 *
 * @returns `null` where no epoch has both medians
 */
export function addedPart(
  own: EpochMedians,
  below: EpochMedians | null,
  whole: EpochMedians | null,
): Pick<Added, "value" | "ci95" | "share" | "shareCi95"> | null {
  const parts = own.flatMap((ownNs, index) => {
    const belowNs = below === null ? 0 : below[index] ?? null;
    if (ownNs === null || belowNs === null) return [];
    return { addedNs: ownNs - belowNs, wholeNs: whole?.[index] ?? 0 };
  });
  if (parts.length === 0) return null;
  const { value, ci95 } = estimate(parts.map(({ addedNs }) => addedNs), {
    scale: "linear",
    paired: true,
  });
  if (!parts.every(({ wholeNs }) => wholeNs > 0)) {
    return { value, ci95, share: null, shareCi95: null };
  }
  const { mean: wholeNs } = momentsOf(parts.map((part) => part.wholeNs));
  const shareCi95: Added["shareCi95"] = ci95 && [ci95[0] / wholeNs, ci95[1] / wholeNs];
  return { value, ci95, share: value / wholeNs, shareCi95 };
}

/**
 * Do the parts explain the whole? Differences that follow on each other sum to the last of their terms whatever
 * they are. So each layer's part is taken from one half of an epoch's slices (every other one), and its neighbours'
 * from the other half: only where both halves measure the same does their sum come to the whole.
 *
 * @param layers the medians of each layer's slices, by epoch, in the order in which they were measured; the lowest
 *   layer first, the whole last. An epoch does not count unless each layer has two slices of it.
 * @returns the sum as a share of the whole, which is the mean of its halves; `null` where no epoch counts
 */
export function sumOfParts(
  layers: readonly (readonly (readonly number[])[])[],
): Pick<Estimate, "value" | "ci95"> | null {
  const [whole = []] = layers.slice(-1);
  const shares = whole.flatMap((_, epoch) => {
    const slices = layers.map((layer) => layer[epoch] ?? []);
    if (slices.some(({ length }) => length < 2)) return [];
    const halves = slices.map((medians) => [halfOf(medians, 0), halfOf(medians, 1)] as const);
    const sum = halves.reduce((total, own, layer) => {
      const half = layer % 2 as 0 | 1;
      return total + own[half] - (halves[layer - 1]?.[half] ?? 0);
    }, 0);
    const [first, second] = halves.at(-1)!;
    return [sum / ((first + second) / 2)];
  });
  if (shares.length === 0) return null;
  const { value, ci95 } = estimate(shares, { scale: "linear", paired: true });
  return { value, ci95 };
}

function halfOf(medians: readonly number[], half: 0 | 1): number {
  return momentsOf(medians.filter((_, index) => index % 2 === half)).mean;
}
