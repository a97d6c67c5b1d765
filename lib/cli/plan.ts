/**
 * What can be run, what is planned and how long it takes. Before anything is started, the plan is
 * checked against the settings and the limits of this process.
 *
 * @module
 */

import { formatCounted, formatSpan } from "../report/units.ts";
import { grantHeavyTools } from "../run/heavy_tools.ts";
import {
  EPOCHS,
  type Overrides,
  plannedHeavyCalls,
  type PlannedScenario,
  planScenarios,
} from "../run/plan.ts";
import { plannedMs } from "../run/planned_time.ts";
import { epochsOf } from "../run/run.ts";
import { defaultsOf, PROFILE_NAMES, type ProfileName, type Scenario } from "../run/scenario.ts";
import type { Config } from "./config.ts";
import { OVERRIDES } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const NO_OVERRIDES = Object.fromEntries(
  Object.keys(OVERRIDES).map((name) => [name, null]),
) as unknown as Overrides;

/** Lists profiles and scenarios, with the approximate time of each. */
export function listText(scenarios: readonly Scenario[]): string {
  const timeOf = (profile: ProfileName, names: string[] | null) => {
    const planned = planScenarios(scenarios, {
      scenarios: names,
      profile,
      overrides: NO_OVERRIDES,
    });
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
    const where = profiles.length === 0 ? "no profile: use --scenarios" : profiles.join(", ");
    const time = `alone ${timeOf(first, [name])} in ${first}`;
    return `${name}\n    ${question}\n    in ${where}; ${time}\n`;
  });
  const heading = "Profiles, and how long they take with a fast server:\n";
  return [heading, ...profiles, "\n", ...lines].join("");
}

/** A run that is about to start. */
export interface Plan {
  config: Config;
  planned: readonly PlannedScenario[];
  /** The number of servers: 1, or 2 in `ab`. */
  sides: number;
}

/** The first line of a run: what is planned, and how long it will take. */
export function planLine(plan: Plan): string {
  const { config, planned } = plan;
  const { overrides: { warmupMs }, precisionPercent, maxTimeMs, profile } = config;
  const isOpen = precisionPercent !== null;
  const epochs = `${isOpen ? "at least " : ""}${formatCounted(epochsOf(config), "epoch")}`;
  return [
    `Planned: ${formatCounted(planned.length, "scenario")} (${profile})`,
    epochs + (warmupMs === 0 ? "" : " after a warm-up"),
    aboutSpan(plannedNs(plan) / 1e6),
    ...isOpen ? [`up to ${formatSpan(maxTimeMs)} to reach the precision`] : [],
  ].join(", ") + "\n";
}

/** Approximately how long a run will take. */
export function plannedNs({ config, planned, sides }: Plan): number {
  const warmsUp = config.overrides.warmupMs !== 0;
  return plannedMs(planned, { epochs: epochsOf(config), warmsUp }) * sides * 1e6;
}

/** Formats an estimate, rounded accordingly. */
function aboutSpan(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  if (seconds < 20) return `about ${seconds} s`;
  const step = seconds < 120 ? 5 : 60;
  return `about ${formatSpan(Math.round(seconds / step) * step * 1000)}`;
}

/**
 * The line that announces heavy-tool calls before any is made; `null` without such calls.
 *
 * @throws {UsageError} if more are planned than `--max-calls` allows
 */
export function announceHeavyCalls({ config, planned, sides }: Plan): string | null {
  const { maxHeavyCalls } = config;
  const heavyTools = grantHeavyTools(config, { embedded: config.url === null });
  const heavy = plannedHeavyCalls(planned, { heavyTools, epochs: epochsOf(config) * sides });
  if (heavy.length === 0) return null;
  const total = heavy.reduce((sum, { calls }) => sum + calls, 0);
  const parts = heavy.map(({ scenario, calls }) => `${scenario} ${calls}`).join(", ");
  if (total > maxHeavyCalls) {
    throw new UsageError(
      `Cannot run as --max-calls "${maxHeavyCalls}" allows fewer calls of heavy tools than the ${total} ` +
        `planned (${parts}): accepted is --max-calls ${total} or more, or a smaller plan (--epochs, ` +
        "--messages, --connections, and repetitions in --heavy-tools)",
    );
  }
  return `heavy tools: at most ${total} calls (${parts}), --max-calls ${maxHeavyCalls}`;
}

/** One warning for each given option that no planned scenario uses. */
export function unusedOptions(
  { config: { overrides, heavyTools, workload, profile }, planned }: Plan,
  scenarios: readonly Scenario[],
): string[] {
  const inSessions = ({ worksInSessions = false }: Scenario) => worksInSessions;
  const given: [unknown, string, (scenario: Scenario) => boolean][] = [
    [workload, "workload", inSessions],
    [heavyTools, "heavy-tools", (one) => inSessions(one) || one.heavyCalls !== undefined],
    ...Object.entries(OVERRIDES).map(([name, { option }]): typeof given[number] => [
      // The warm-up belongs to the whole run.
      name === "warmupMs" ? null : overrides[name as keyof Overrides],
      option,
      (scenario) => name in defaultsOf(scenario, profile),
    ]),
  ];
  return given.flatMap(([value, option, takes]) => {
    if (value === null || planned.some(({ scenario }) => takes(scenario))) return [];
    const names = scenarios.filter(takes).map(({ name }) => name).join(", ");
    return `--${option} has no effect, as no scenario of this run uses it: add one with --scenarios (${names})`;
  });
}

/** Open files for the runtime, the reports and a few connections besides those of the clients. */
const RESERVE = 48;

/**
 * Checks that this process can open as many files as a run needs, by opening them: reading
 * `ulimit -n` would need all permissions.
 *
 * @throws {UsageError} if it cannot
 */
export function requireDescriptors(
  { config: { url, insecure, noDelay, shard }, planned, sides }: Plan,
  countFree: (wanted: number) => number = countFreeDescriptors,
): void {
  const counts = planned.flatMap(({ parameters: { connections }, skip }) =>
    typeof connections === "number" && skip === undefined ? connections : []
  );
  const connections = Math.ceil(Math.max(0, ...counts) / (shard?.count ?? 1));
  // Each client connects to every server, and to the null server that measures its floor, whose end
  // is here too, as is the bundled server's. A relay adds two files to each connection.
  const ends = (url === null ? 1 : 0) + 1;
  const relayed = insecure || noDelay === "on" ? 2 * (sides + 1) : 0;
  const each = sides + 1 + ends + relayed;
  const wanted = connections * each + RESERVE;
  const free = countFree(wanted);
  if (free >= wanted) return;
  const room = Math.floor((free - RESERVE) / each);
  const refused = room > 0 ? `Cannot use --connections "${connections}"` : "Cannot run";
  const accepted = room > 0 ? `accepted is up to ${room}, or raise the limit` : "raise the limit";
  throw new UsageError(
    `${refused}: such a run opens about ${wanted} files at once, and this process can open ${free} ` +
      `more: ${accepted} (ulimit -n ${2 ** Math.ceil(Math.log2(wanted + 256))})`,
  );
}

/** How many more files this process can open, up to `wanted`. */
function countFreeDescriptors(wanted: number): number {
  if (Deno.build.os === "windows") return wanted;
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < wanted) files.push(Deno.openSync("/dev/null"));
    return wanted;
  } catch (error) {
    // Other problems with /dev/null are no reason to refuse a run.
    return (error as { code?: string }).code === "EMFILE" ? files.length : wanted;
  } finally {
    for (const file of files) file.close();
  }
}
