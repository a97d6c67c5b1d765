/**
 * Insights about heavy tools, and about cheap calls beside them.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import {
  type HeavyToolNumbers,
  heavyToolNumbers,
  type Interference,
  interferences,
} from "../heavy.ts";
import type { Insight } from "../insights.ts";
import { findScalar, findScenario, isSound } from "../lookup.ts";
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatInterval,
  formatRatio,
} from "../units.ts";
import { withoutPraise } from "./praise.ts";

/** Up to this many times as long, a cheap call is not called held up. */
const UNHARMED = 2;
/** From this many times as long on, a server is said to let cheap calls wait for heavy ones. */
const BLOCKED = 10;
/** Under this speedup, clients are said to be served one after the other. */
const NO_GAIN = 1.2;
/** Of the clients, the share that a speedup must reach for them to be said to be served at once. */
const AT_ONCE = 0.7;

/** Speedup, time to the result and interference, as far as they were measured. */
export function heavyInsights(report: Report): Insight[] {
  const tools = [...speedupInsights(report), ...heavyToolNumbers(report).flatMap(toolInsights)];
  const cheap = interferences(report).map(interferenceInsight);
  return [
    ...(isSound(findScenario(report, "heavy-tools")) ? tools : tools.map(withoutPraise)),
    ...(isSound(findScenario(report, "head-of-line")) ? cheap : cheap.map(withoutPraise)),
  ];
}

function speedupInsights(report: Report): Insight[] {
  const scenario = findScenario(report, "heavy-tools");
  const speedup = findScalar(scenario, "speedup");
  const clients = scenario?.parameters.connections;
  if (speedup === undefined || typeof clients !== "number" || clients < 2) return [];
  const gain = `${formatCount(clients)} clients get ${formatRatio(speedup.value)} the throughput ` +
    "of one from heavy tools";
  if (speedup.value < NO_GAIN) {
    const text = `${gain}: their calls are worked on one after the other.`;
    return [{ topic: "heavy", tone: "bad", text }];
  }
  return [
    speedup.value / clients >= AT_ONCE
      ? { topic: "heavy", tone: "good", text: `${gain}: their calls are worked on at once.` }
      : { topic: "heavy", tone: "neutral", text: `${gain}.` },
  ];
}

function toolInsights({ tool, latency, firstProgress, cached }: HeavyToolNumbers): Insight[] {
  const times: Insight[] = latency === undefined ? [] : [{
    topic: "heavy",
    tone: "neutral",
    text: `${tool} takes ${formatDuration(latency.p50)} to its result (median of ` +
      `${formatCounted(latency.count, "call")})` +
      (firstProgress === undefined
        ? ", without a sign of progress before."
        : `, and first tells its progress after ${formatDuration(firstProgress.p50)}.`),
  }];
  const fromCache: Insight[] = cached === undefined ? [] : [{
    topic: "heavy",
    tone: "bad",
    text: `${formatCount(cached.count)} replies of ${tool} came from a cache and are in no other ` +
      "number: {unique} in its arguments avoids that.",
  }];
  return [...times, ...fromCache];
}

function interferenceInsight({ place, where, ratio, latency }: Interference): Insight {
  const times = formatRatio(ratio.value);
  const longest = latency === undefined ? "" : `, ${formatDuration(latency.max)} at worst`;
  const long = `${times} as long as alone${longest}`;
  if (place === "sameConnection") {
    const text = ratio.value < UNHARMED
      ? `A cheap call behind a heavy one on the same connection does not wait for it (${long}).`
      : `A cheap call behind a heavy one on the same connection waits for it (${long}): where a ` +
        "connection is served in order, as the EXAI protocol does, that is no fault.";
    return { topic: "heavy", tone: "neutral", text };
  }
  return otherPlaceInsight({ where, ratio, long });
}

/** In another place than the heavy call's connection; praise and blame only where the interval bears them out. */
function otherPlaceInsight(
  { where, ratio, long }: Pick<Interference, "where" | "ratio"> & { long: string },
): Insight {
  const [low, high] = ratio.ci95 ?? [0, Infinity];
  if (high < UNHARMED) {
    const text = `A heavy call does not hold up cheap ones ${where} (${long}).`;
    return { topic: "heavy", tone: "good", text };
  }
  if (low < UNHARMED) {
    const known = ratio.ci95 === null
      ? "too few rounds"
      : `95 % interval ${formatInterval(ratio.ci95, "x")}`;
    const text =
      `Whether a heavy call holds up cheap ones ${where} is not settled (${long}; ${known}).`;
    return { topic: "heavy", tone: "neutral", text };
  }
  if (ratio.value < BLOCKED) {
    const text = `A heavy call slows down cheap ones ${where} (${long}).`;
    return { topic: "heavy", tone: "neutral", text };
  }
  const text =
    `A heavy call holds up cheap ones ${where} (${long}): the server answers nobody while ` +
    "it works on it.";
  return { topic: "heavy", tone: "bad", text };
}
