/**
 * The testing pyramid by the layers of one call. Shared by every format.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { layerParts } from "./layers.ts";
import { formatRatio } from "./units.ts";

/** One level of the testing pyramid: a call of that kind, and how long it takes. */
export interface PyramidLevel {
  name: string;
  medianNs: number;
  what: string;
}

/** Unit, integration and end-to-end, as this run measured them; `null` where it did not. */
export function pyramidLevels(report: Report): PyramidLevel[] | null {
  const parts = layerParts(report);
  const medianOf = (name: string) => parts.find((part) => part.name === name)?.added.call ?? 0;
  const levels = [
    { name: "Unit Tests", medianNs: medianOf("dispatch"), what: "one call without a socket" },
    {
      name: "Integration Tests",
      medianNs: medianOf("websocket"),
      what: "the same call through JSON and a WebSocket, server left out",
    },
    {
      name: "End-to-End Tests",
      medianNs: medianOf("tool"),
      what: "a call of the tool on the target",
    },
  ];
  return levels.every(({ medianNs }) => medianNs > 0) ? levels : null;
}

/** `1 : 73 : 94`, how long a call of each level takes; `null` where not measured. */
export function pyramidRatio(report: Report): string | null {
  const levels = pyramidLevels(report);
  if (levels === null) return null;
  const unitNs = levels[0].medianNs;
  return levels.map(({ medianNs }) => formatRatio(medianNs / unitNs).replace(/(\.0)?x$/, ""))
    .join(" : ");
}
