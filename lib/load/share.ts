/**
 * A shard's share of a run. Connections and slots are dealt out like cards, so that each belongs to
 * exactly one shard.
 *
 * @module
 */

import type { ShardPlace } from "../schema.ts";

/** The only shard of a run that is not split. */
export const WHOLE: ShardPlace = { index: 1, count: 1 };

/** True if item `nth` of the whole run, counted from 0, belongs to this shard. */
export function owns({ index, count }: ShardPlace, nth: number): boolean {
  return nth % count === index - 1;
}

/** How many of `total` items belong to this shard. */
export function shareOf(total: number, { index, count }: ShardPlace): number {
  return Math.max(0, Math.ceil((total - (index - 1)) / count));
}

/** A part of a share that is split again; together, the parts own what the shard owns. */
export function partOf({ index, count }: ShardPlace, part: ShardPlace): ShardPlace {
  return { index: index + count * (part.index - 1), count: count * part.count };
}
