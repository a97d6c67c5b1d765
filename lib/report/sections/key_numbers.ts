/**
 * The five key numbers of the phase document, and its scenarios: the only part of a report that
 * knows scenarios by name.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import { type Content, type FigureName, foreign, prose } from "../document.ts";
import { findMetric, headlines, label, type Measured, ranScenarios } from "../quantities.ts";

/** Scenarios of the phase document: what it calls each, and the line in its checklist. */
type DocumentScenarios = Readonly<Record<string, readonly [subject: string, checked: string]>>;

/** The four tests of the document, in its order, and two that it only claims. */
const INTEGRATION: DocumentScenarios = {
  "connection-establishment": [
    "WebSocket connection and authentication",
    "WebSocket protocol validated (handshake, framing, auth)",
  ],
  "message-throughput": ["messages through WebSocket protocol", "Performance baseline established"],
  "concurrent-connections": [
    "concurrent clients sending messages",
    "Concurrent connections tested",
  ],
  reconnection: ["disconnect and reconnect validation", "Reconnection validated"],
  authentication: ["valid and invalid credentials", "Authentication validated"],
  "connection-limit": ["connections up to the server's limit", "Connection limits validated"],
};

const LOAD: DocumentScenarios = {
  "heavy-tools": [
    "load, concurrent connections and end-to-end latency with heavy tools",
    "Heavy tools tested",
  ],
  "head-of-line": ["cheap calls during a heavy one", "Cheap calls during heavy ones tested"],
};

/** True for phase 3, which tests heavy tools. */
export function isLoadPhase({ profile }: Report): boolean {
  return profile === "phase3";
}

/** The scenarios of the phase document, in its order. */
export function documentScenarios(report: Report) {
  return Object.entries(isLoadPhase(report) ? LOAD : INTEGRATION)
    .map(([name, [subject, checked]]) => ({ name, subject, checked }));
}

export function findScenario(report: Report, name: string): ScenarioReport | undefined {
  return report.scenarios.find((scenario) => scenario.name === name);
}

/** One of the numbers that a report leads with. */
export interface KeyNumber {
  label: Content;
  /** The title of its card, which shows the metric's main figure; empty: no card. */
  short: Content;
  figure: FigureName;
  measured: Measured | undefined;
}

/** The key numbers of the phase document, measured or not. */
export function keyNumbers(report: Report): KeyNumber[] {
  if (isLoadPhase(report)) return loadNumbers(report);
  const several = findMetric(report, "throughput", "concurrent-connections");
  const clients = several?.metric.at?.clients;
  const establish = findMetric(report, "establish", "connection-establishment");
  const [count, short] = typeof clients === "number"
    ? [`${clients} Concurrent`, `${clients} clients`]
    : ["Concurrent", "Several clients"];
  const { rate, latency } = pyramidMetrics(report);
  return [
    { label: "Throughput (Single Client)", short: "One client", figure: "value", measured: rate },
    { label: `Throughput (${count})`, short, figure: "value", measured: several },
    { label: "Average Latency", short: "Latency", figure: "mean", measured: latency },
    { label: "P95 Latency", short: "", figure: "p95", measured: latency },
    { label: "Connection Time", short: "Connect", figure: "p50", measured: establish },
  ];
}

const MOST_CARDS = 4;

/** The numbers of the first screen's cards. */
export function cardNumbers(report: Report): { title: Content; measured: Measured }[] {
  const own = keyNumbers(report).filter(({ short }) => short !== "");
  const shown = new Set(own.map(({ measured }) => measured?.scenario.name));
  const ran = ranScenarios(report);
  const others = ran.filter(({ name }) => !shown.has(name))
    .flatMap((scenario) => headlines(scenario).slice(0, 1).map((metric) => ({ scenario, metric })));
  // A single scenario fills the screen with its other values.
  const further = ran.length !== 1 ? [] : ran[0]!.metrics
    .filter(({ kind, unit, at }) => kind === "scalar" && unit !== "" && at === undefined)
    .map((metric) => ({ scenario: ran[0]!, metric }));
  const titled = new Map([...others, ...further].map((one) => [one.metric, one]));
  for (const { measured } of own) if (measured !== undefined) titled.delete(measured.metric);
  return [
    ...own.flatMap(({ short, measured }) => measured ? [{ title: short, measured }] : []),
    ...[...titled.values()].map((measured) => ({
      title: prose`${foreign(measured.scenario.title)}: ${foreign(label(measured.metric))}`,
      measured,
    })),
  ].slice(0, MOST_CARDS);
}

function loadNumbers(report: Report): KeyNumber[] {
  const scenario = findScenario(report, "heavy-tools");
  const rate = (label: string, metric: string): KeyNumber => (
    { label, short: label, figure: "value", measured: findMetric(report, metric, "heavy-tools") }
  );
  const tools = scenario?.metrics.filter(({ name, at }) => name === "latency" && at !== undefined);
  return [
    rate("One client", "throughputAlone"),
    rate("Several clients", "throughput"),
    ...(tools ?? []).map((metric): KeyNumber => {
      const tool = foreign(String(Object.values(metric.at ?? {})[0]));
      const measured = { scenario: scenario!, metric };
      return { label: ["Latency of ", tool], short: tool, figure: "p50", measured };
    }),
  ];
}

/** The levels of the testing pyramid above the unit tests. */
export function pyramidMetrics(report: Report) {
  return {
    rate: findMetric(report, "throughput", "message-throughput"),
    latency: findMetric(report, "latency", "message-throughput"),
    heavy: findMetric(report, "throughputAlone", "heavy-tools"),
  };
}
