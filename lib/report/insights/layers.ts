/**
 * Insights about where the time of a call goes.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import type { Insight } from "../insights.ts";
import { areLayersSound, layerParts } from "../layers.ts";
import { pyramidRatio } from "../pyramid.ts";
import { formatDuration, formatPercent } from "../units.ts";

/** The largest layer, and how unit, integration and end-to-end tests compare. */
export function layerInsights(report: Report): Insight[] {
  const parts = layerParts(report);
  const whole = parts.at(-1)?.added.call;
  const ratio = pyramidRatio(report);
  if (whole === undefined || ratio === null) return [];
  const isSound = areLayersSound(report);
  const largest = parts.reduce((a, b) => b.added.value > a.added.value ? b : a);
  return [{
    topic: "layers",
    tone: isSound ? "neutral" : "bad",
    text:
      `${isSound ? "" : "Not to be relied on: "}${isSound ? "Of" : "of"} the ${
        formatDuration(whole)
      } of a call the largest part is ${largest.short}: ` +
      `${formatDuration(largest.added.value)} (${formatPercent(largest.added.share)}); unit : ` +
      `integration : end-to-end is ${ratio} in time.`,
  }];
}
