import type { Insight } from "../insights.ts";

/** The same sentence as an observation: what failed or is not valid is no good news, however it looks. */
export function withoutPraise(insight: Insight): Insight {
  return insight.tone === "good" ? { ...insight, tone: "neutral" } : insight;
}
