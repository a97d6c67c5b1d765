/**
 * In place of lib/report/charts/mod.ts in the bundle without the drawing library.
 *
 * @module
 */

import type { Figure } from "../lib/report/document.ts";

export { figureSignature } from "../lib/report/charts/theme.ts";

/** No figures: the pages have their tables alone. */
export function drawFigures(): Promise<ReadonlyMap<string, Figure>> {
  return Promise.resolve(new Map());
}
