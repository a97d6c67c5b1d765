/**
 * The vertical axis of charts with one line for each of several things.
 *
 * @module
 */

import { COLORS } from "./theme.ts";

/** An axis with names, the first at the top. */
export function labelAxis(labels: readonly string[]) {
  return {
    type: "category" as const,
    inverse: true,
    data: [...labels],
    axisLine: { lineStyle: { color: COLORS.grey } },
    axisTick: { show: false },
    axisLabel: { color: COLORS.text, fontSize: 12, interval: 0, lineHeight: 15 },
  };
}
