/**
 * What the numbers say, one plain sentence each, chosen by the data: good news and bad news have
 * different sentences, and what was not measured has none.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { concurrencyInsights } from "./insights/concurrency.ts";
import { connectionInsights } from "./insights/connections.ts";
import { layerInsights } from "./insights/layers.ts";
import { faultInsights } from "./insights/faults.ts";
import { heavyInsights } from "./insights/heavy.ts";
import { latencyInsights, slowdownInsights } from "./insights/single_client.ts";
import { sweepInsights } from "./insights/sweeps.ts";
import { trustInsights } from "./insights/trust.ts";

/** `good` and `bad` are judgements that the data supports; `neutral` is an observation. */
export type Tone = "good" | "neutral" | "bad";

export interface Insight {
  topic:
    | "trust"
    | "slowdown"
    | "layers"
    | "latency"
    | "concurrency"
    | "connections"
    | "faults"
    | "heavy";
  tone: Tone;
  /** Plain text, possibly with a server's own words in it: escape it. */
  text: string;
}

/** Every insight that the report supports, whether to trust the numbers first; never empty. */
export function insights(report: Report): Insight[] {
  const all = [
    ...trustInsights(report),
    ...slowdownInsights(report),
    ...layerInsights(report),
    ...concurrencyInsights(report),
    ...latencyInsights(report),
    ...connectionInsights(report),
    ...sweepInsights(report),
    ...faultInsights(report),
    ...heavyInsights(report),
  ];
  return all.length > 0 ? all : [{
    topic: "trust",
    tone: "neutral",
    text: "This run measured none of the numbers that insights are drawn from.",
  }];
}
