/**
 * Replaces lib/report/charts/mod.ts in the bundle without charts.
 *
 * @module
 */

import type { Figure } from "../lib/report/document.ts";

export { figureSignature } from "../lib/report/charts/theme.ts";

/** Returns no figures: pages have tables only. */
export function drawFigures(): Promise<ReadonlyMap<string, Figure>> {
  return Promise.resolve(new Map());
}
