/**
 * Insights about sweeps over the number of clients and the size of requests.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import type { Insight } from "../insights.ts";
import { findScenario } from "../lookup.ts";
import { payloadSentences, scalingSentences } from "../sweeps.ts";

/** How throughput grows with clients, and which sizes are served, as far as they were measured. */
export function sweepInsights(report: Report): Insight[] {
  const scaling = findScenario(report, "scaling");
  const sizes = findScenario(report, "payload-size");
  return [
    ...(scaling === undefined ? [] : scalingSentences(scaling)).map((text): Insight => ({
      topic: "concurrency",
      tone: "neutral",
      text,
    })),
    ...(sizes === undefined ? [] : payloadSentences(sizes)).map((text): Insight => ({
      topic: "latency",
      tone: "neutral",
      text,
    })),
  ];
}
