/**
 * What can be run, and how long it takes: for `--list`, and for the line that a run begins with.
 *
 * @module
 */

import { formatCounted, formatSpan } from "../report/units.ts";
import { EPOCHS, type Overrides, type PlannedScenario, planScenarios } from "../run/plan.ts";
import { plannedMs } from "../run/planned_time.ts";
import { epochsOf } from "../run/run.ts";
import { PROFILE_NAMES, type ProfileName, type Scenario } from "../run/scenario.ts";
import type { Config } from "./config.ts";
import { OVERRIDES } from "./options.ts";

const NO_OVERRIDES = Object.fromEntries(
  Object.keys(OVERRIDES).map((name) => [name, null]),
) as unknown as Overrides;

/** The profiles and the scenarios, with about how long each takes. */
export function listText(scenarios: readonly Scenario[]): string {
  const timeOf = (profile: ProfileName, names: string[] | null) => {
    const planned = planScenarios(scenarios, { names, profile, overrides: NO_OVERRIDES });
    return aboutSpan(plannedMs(planned, { epochs: EPOCHS[profile], warmsUp: true }));
  };
  const profiles = PROFILE_NAMES.map((profile) => {
    const count = scenarios.filter(({ profiles }) => profiles.includes(profile)).length;
    const size = `${EPOCHS[profile]} epochs, ${formatCounted(count, "scenario")}`;
    const isDefault = profile === "standard" ? " (default)" : "";
    return `  ${profile.padEnd(9)} ${timeOf(profile, null).padEnd(13)} ${size}${isDefault}\n`;
  });
  const lines = scenarios.map(({ name, question, profiles }) => {
    const first = profiles.includes("standard") ? "standard" : profiles[0] ?? "standard";
    const where = profiles.length === 0
      ? "in no profile: --scenarios"
      : `in ${profiles.join(", ")}`;
    return `${name}\n    ${question}\n    ${where}; alone ${timeOf(first, [name])} in ${first}\n`;
  });
  return `Profiles, and how long they take with a quick server:\n${profiles.join("")}\n${
    lines.join("")
  }`;
}

/** What is about to be run, and how long it will take. */
export function planLine(
  config: Config,
  planned: readonly PlannedScenario[],
  sides: number,
): string {
  const { overrides: { warmupMs }, precisionPercent, maxTimeMs, profile } = config;
  const epochs = epochsOf(config);
  const time = aboutSpan(plannedNs(config, planned, sides) / 1e6);
  const atLeast = precisionPercent === null ? "" : "at least ";
  const most = precisionPercent === null
    ? ""
    : `, up to ${formatSpan(maxTimeMs)} for the precision`;
  return `Planned: ${formatCounted(planned.length, "scenario")} (${profile}), ${atLeast}` +
    `${formatCounted(epochs, "epoch")}${
      warmupMs !== 0 ? " after a warm-up" : ""
    }, ${time}${most}\n`;
}

/** About how long what is about to be run will take, on each side. */
export function plannedNs(
  config: Config,
  planned: readonly PlannedScenario[],
  sides: number,
): number {
  const warmsUp = config.overrides.warmupMs !== 0;
  return plannedMs(planned, { epochs: epochsOf(config), warmsUp }) * sides * 1e6;
}

/** As exact as a plan is. */
function aboutSpan(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  if (seconds < 20) return `about ${seconds} s`;
  const step = seconds < 120 ? 5 : 60;
  return `about ${formatSpan(Math.round(seconds / step) * step * 1000)}`;
}
