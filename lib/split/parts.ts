/**
 * The parts that a report is merged from: shards of a run, or workers on one machine.
 *
 * @module
 */

import type { ClockOffset, Report } from "../schema.ts";

/** What the reports are of. */
export type PartKind = NonNullable<Report["merged"]>["of"];

/** A worker that died before it could report all. */
export interface LostPart {
  /** Its place among all, from 1. */
  index: number;
  reason: string;
}

/** How reports are merged. */
export interface MergeOptions {
  of: PartKind;
  command: string[];
  /** How many there should be. */
  count: number;
  lost?: readonly LostPart[];
}

/** A report with its place among the parts, from 1. */
export interface Part {
  index: number;
  report: Report;
}

/** What texts call one part: `shard 2`, `worker 2`. */
export function labelOf(index: number, { of }: Pick<MergeOptions, "of">): string {
  return `${of === "shards" ? "shard" : "worker"} ${index}`;
}

/** How far a part's clock is from the server's; of workers `null`, as they share one clock. */
export function clockOf(
  { shard }: Report,
  { of }: Pick<MergeOptions, "of">,
): ClockOffset | null {
  return of === "workers" ? null : shard?.clock ?? null;
}
