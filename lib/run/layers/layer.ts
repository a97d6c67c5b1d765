import type { Added } from "../../schema.ts";
import type { Slice } from "./slice.ts";

/** The layers of a call, the lowest first: each does all that those before it do, and one thing more. */
export const LAYER_NAMES = ["dispatch", "codec", "tcp", "websocket", "routing", "tool"] as const;
export type LayerName = typeof LAYER_NAMES[number];

/** A call down to some layer, to be measured. */
export interface Layer {
  name: LayerName;
  measuredOn: Added["measuredOn"];
  /**
   * Makes such calls one after the other, and records the time of each good one in nanoseconds.
   *
   * @returns whether more can be made
   * @throws {Error} if what the suite itself brings along does not answer
   */
  sample(slice: Slice, record: (ns: number) => void): Promise<boolean>;
}

/** The metric of a layer. */
export function layerMetric(name: LayerName): string {
  return `layer.${name}`;
}
