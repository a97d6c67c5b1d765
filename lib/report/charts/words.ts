/**
 * What stands over a chart. Names and reasons may be a server's own: they are cleaned here, and the
 * drawing library escapes them.
 *
 * @module
 */

import type { Distribution, ScenarioReport } from "../../schema.ts";
import { plainText } from "../escape.ts";
import { scenarioTitle } from "../scenario_names.ts";
import { formatCount, formatCounted, formatDuration } from "../units.ts";
import type { ChartPlan } from "./chart.ts";

/** How much of a name there is room for, in characters. */
const LONGEST_NAME = 32;
/** How much of a line there is room for, in characters. */
const LONGEST_TITLE = 84;
const LONGEST_SUBTITLE = 112;

/** Text of others on one line, cut where there is no more room. */
export function cut(text: string, longest = LONGEST_NAME): string {
  const characters = [...plainText(text)];
  return characters.length <= longest
    ? characters.join("")
    : `${characters.slice(0, longest - 1).join("")}…`;
}

/** `Message Throughput: …`, cut where there is no more room. */
export function titleOf(scenario: ScenarioReport, seen: string): string {
  return cut(`${cut(scenarioTitle(scenario.name))}: ${seen}`, LONGEST_TITLE);
}

/** What it was measured from, and before it that it is not to be relied on, where it is not. */
export function subtitleOf(
  scenario: ScenarioReport,
  from: string,
): Pick<ChartPlan, "subtitle" | "isSound"> {
  const warnings = distrust(scenario);
  return {
    subtitle: cut([...warnings, from].join(" · "), LONGEST_SUBTITLE),
    isSound: warnings.length === 0,
  };
}

function distrust({ status, validity }: ScenarioReport): string[] {
  const ending = {
    passed: [],
    failed: ["SCENARIO FAILED"],
    interrupted: ["INTERRUPTED: a part of the run"],
    skipped: ["SKIPPED"],
  }[status];
  return [...ending, ...(validity.valid ? [] : ["NOT VALID: see the warnings"])];
}

/** `12,000 calls in 10 rounds`. */
export function sampleText({ count, rounds }: Distribution): string {
  const samples = formatCounted(count, "sample");
  return rounds.length > 1 ? `${samples} in ${formatCount(rounds.length)} rounds` : samples;
}

/** `0.82 ms at the median, 1.31 ms at P95`: the highest percentile that rests on enough samples. */
export function spreadText(distribution: Distribution): string {
  const { p50, p95, p99, max } = distribution;
  const [label, high] = p99 !== null ? ["P99", p99] : p95 !== null ? ["P95", p95] : ["most", max];
  return `${formatDuration(p50)} at the median, ${formatDuration(high)} at ${label}`;
}

/** `Some words`, for a name such as `serviceTime`: `service time`. */
export function metricText(name: string): string {
  return cut(
    name.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`),
  );
}

/** With a capital letter at its beginning. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A file name of what others may have named: kebab-case, never empty. */
export function slug(text: string): string {
  const words = text.toLowerCase().normalize("NFKD").match(/[a-z0-9]+/g) ?? [];
  return words.join("-").slice(0, 48).replace(/-$/, "") || "unnamed";
}
