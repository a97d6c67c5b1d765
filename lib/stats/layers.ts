/**
 * What each layer of a call adds to those below it.
 *
 * @module
 */

import type { Added, RoundSummary } from "../schema.ts";
import { bootstrapInterval } from "./bootstrap.ts";
import { median } from "./rounds.ts";

/** The rounds that a layer's part is told from; all of one run, in the same order. */
export interface LayerRounds {
  /** Of the call down to this layer. */
  own: readonly RoundSummary[];
  /** Of the call down to the layer below; `null`: there is none. */
  below: readonly RoundSummary[] | null;
  /** Of the whole call. */
  whole: readonly RoundSummary[];
}

/** What one round says, in nanoseconds. */
interface Part {
  callNs: number;
  addedNs: number;
  wholeNs: number;
}

/**
 * The call down to a layer, by the median over rounds of their medians, since a machine that changes its
 * pace for some rounds changes it for all layers. The part of the layer: the median over rounds of the difference of the rounds' medians, and its share of
 * the median over rounds of the whole call's. Both intervals resample rounds, so that a round's numbers
 * stay together. Noise may make a part negative; it is told as it is. `null`: no round has all medians.
 *
 * Medians do not add, so that the parts of all layers only about sum to the whole.
 */
export function addedPart(
  rounds: LayerRounds,
  options: { seed: number; name: string },
): Pick<Added, "call" | "value" | "ci95" | "share" | "shareCi95"> | null {
  const parts = pairRounds(rounds);
  if (parts.length === 0) return null;
  const { seed, name } = options;
  const share = shareOf(parts);
  const isShared = parts.every(({ wholeNs }) => wholeNs > 0);
  return {
    call: median(parts.map(({ callNs }) => callNs)),
    value: addedOf(parts),
    ci95: bootstrapInterval(parts, { statistic: addedOf, seed, label: `${name} added` }),
    share: isShared ? share : null,
    shareCi95: isShared
      ? bootstrapInterval(parts, { statistic: shareOf, seed, label: `${name} share` })
      : null,
  };
}

/** Rounds that lack a median, as one cut short does, tell nothing. */
function pairRounds({ own, below, whole }: LayerRounds): Part[] {
  return own.flatMap(({ p50 }, index) => {
    const belowNs = below === null ? 0 : below[index]?.p50 ?? null;
    const wholeNs = whole[index]?.p50 ?? null;
    return p50 === null || belowNs === null || wholeNs === null
      ? []
      : [{ callNs: p50, addedNs: p50 - belowNs, wholeNs }];
  });
}

function addedOf(parts: readonly Part[]): number {
  return median(parts.map(({ addedNs }) => addedNs));
}

function shareOf(parts: readonly Part[]): number {
  return addedOf(parts) / median(parts.map(({ wholeNs }) => wholeNs));
}
