/**
 * Which part of a run a shard takes: connections and slots are dealt out like cards, so that the shares of
 * all shards are the whole, each part of it once.
 *
 * @module
 */

import type { ShardPlace } from "../schema.ts";

/** The one shard of a run that is not split. */
export const WHOLE: ShardPlace = { index: 1, count: 1 };

/** Whether a thing, counted from 0 over the whole run, is this shard's: every `count`th from its index on. */
export function owns({ index, count }: ShardPlace, nth: number): boolean {
  return nth % count === index - 1;
}

/** How many of so many things are this shard's. */
export function shareOf(total: number, { index, count }: ShardPlace): number {
  return Math.max(0, Math.ceil((total - (index - 1)) / count));
}

/** Part `part` of a share that is split again: the parts together own what the shard owns. */
export function partOf({ index, count }: ShardPlace, part: ShardPlace): ShardPlace {
  return { index: index + count * (part.index - 1), count: count * part.count };
}
