/**
 * How the report calls the scenarios, and which of a scenario's distributions stands for it in a
 * summary. A scenario that is not listed here gets both from its own name and metrics.
 *
 * @module
 */

import type { Distribution, Report, ScenarioReport } from "../schema.ts";
import { isHeavyPhase } from "./heavy.ts";
import { findDistribution, findScalar } from "./lookup.ts";

interface ScenarioText {
  /** What the phase document says that the test covers. */
  subject: string;
  /** The distribution that stands for the scenario. */
  main: string;
}

/** The scenarios of the phase document, in its order, and the two that it only claims. */
const CORE_SCENARIOS: Record<string, ScenarioText> = {
  "connection-establishment": {
    subject: "WebSocket connection, and authentication where the protocol has it",
    main: "establish",
  },
  "message-throughput": {
    subject: "messages through the WebSocket protocol, one client",
    main: "latency",
  },
  "concurrent-connections": { subject: "concurrent clients sending messages", main: "latency" },
  "reconnection": { subject: "disconnect and reconnect validation", main: "recovery" },
  "authentication": { subject: "valid and invalid credentials", main: "accept" },
  "connection-limit": { subject: "connections up to the server's limit", main: "rejection" },
};

/** The scenarios of the phase of heavy tools. */
const HEAVY_SCENARIOS: Record<string, ScenarioText> = {
  "heavy-tools": {
    subject: "load, concurrent connections and end-to-end latency with heavy tools",
    main: "latency",
  },
  "head-of-line": { subject: "cheap calls beside a heavy one", main: "otherConnection" },
};

const TEXTS = new Map(Object.entries({ ...CORE_SCENARIOS, ...HEAVY_SCENARIOS }));

/** The names of the scenarios that the document speaks of for the phase of a run, in its order. */
export function coreScenarioNames(report: Report): string[] {
  return Object.keys(isHeavyPhase(report) ? HEAVY_SCENARIOS : CORE_SCENARIOS);
}

/** `message-throughput` as a title: `Message Throughput`. */
export function scenarioTitle(name: string): string {
  return name.replace(
    /(?:^|-)([a-z])/g,
    (match, letter: string) => (match.startsWith("-") ? " " : "") + letter.toUpperCase(),
  );
}

/** What a scenario covers, in a few words; its question where it is not a core scenario. */
export function scenarioSubject(name: string, question = ""): string {
  return TEXTS.get(name)?.subject ?? question;
}

/**
 * The distribution that stands for a scenario: the one named above, else its first. The steps of a search
 * for a rate stand for nothing but the search.
 */
export function mainDistribution(scenario: ScenarioReport): Distribution | undefined {
  const main = TEXTS.get(scenario.name)?.main ?? "latency";
  if (findScalar(scenario, "sustainableRate") !== undefined) return undefined;
  return findDistribution(scenario, main) ??
    findDistribution(scenario, "layer.tool") ??
    scenario.metrics.find((metric) => metric.kind === "distribution");
}
