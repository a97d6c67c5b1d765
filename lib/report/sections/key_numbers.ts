/**
 * The five numbers that the phase document leads with, and the scenarios that it speaks of: the one place of a
 * report that knows scenarios by their names.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../../schema.ts";
import { type Content, type FigureName, foreign } from "../document.ts";
import type { Measured } from "../quantities.ts";

/** A scenario of the phase document, what it calls it, and its line of the checklist. */
export interface DocumentScenario {
  name: string;
  subject: string;
  checked: string;
}

function named([name, subject, checked]: readonly [string, string, string]): DocumentScenario {
  return { name, subject, checked };
}

/** The four tests of the document, in its order, and the two that it only claims. */
const INTEGRATION = ([
  [
    "connection-establishment",
    "WebSocket connection and authentication",
    "WebSocket protocol validated (handshake, framing, auth)",
  ],
  [
    "message-throughput",
    "messages through WebSocket protocol",
    "Performance baseline established",
  ],
  [
    "concurrent-connections",
    "concurrent clients sending messages",
    "Concurrent connections tested",
  ],
  ["reconnection", "disconnect and reconnect validation", "Reconnection validated"],
  ["authentication", "valid and invalid credentials", "Authentication validated"],
  ["connection-limit", "connections up to the server's limit", "Connection limits validated"],
] as const).map(named);

const LOAD = ([
  [
    "heavy-tools",
    "load, concurrent connections and end-to-end latency with heavy tools",
    "Heavy tools tested",
  ],
  ["head-of-line", "cheap calls beside a heavy one", "Cheap calls beside heavy ones tested"],
] as const).map(named);

/** Is the run of the phase of heavy tools? */
export function isLoadPhase({ profile }: Report): boolean {
  return profile === "phase3";
}

/** The scenarios that the document of the run's phase speaks of. */
export function documentScenarios(report: Report): readonly DocumentScenario[] {
  return isLoadPhase(report) ? LOAD : INTEGRATION;
}

export function findScenario(report: Report, name: string): ScenarioReport | undefined {
  return report.scenarios.find((scenario) => scenario.name === name);
}

/** A metric of a scenario that was not skipped, the first of several places. */
export function findIn(report: Report, name: string, metric: string): Measured | undefined {
  const scenario = findScenario(report, name);
  const found = scenario?.metrics.find((one) => one.name === metric);
  return scenario === undefined || scenario.status === "skipped" || found === undefined
    ? undefined
    : { scenario, metric: found };
}

/** One of the numbers that a report leads with. */
export interface KeyNumber {
  label: Content;
  /** On a card; empty: it has none. */
  short: Content;
  figure: FigureName;
  measured: Measured | undefined;
}

/** The numbers of the phase document, measured or not. */
export function keyNumbers(report: Report): KeyNumber[] {
  if (isLoadPhase(report)) return loadNumbers(report);
  const alone = pyramidMetrics(report);
  const several = findIn(report, "concurrent-connections", "throughput");
  const clients = several?.metric.at?.clients;
  const establish = findIn(report, "connection-establishment", "establish");
  const number = (
    [label, short]: readonly [string, string],
    figure: FigureName,
    measured: Measured | undefined,
  ) => ({ label, short, figure, measured });
  return [
    number(["Throughput (Single Client)", "One client"], "value", alone.rate),
    number(
      typeof clients === "number"
        ? [`Throughput (${clients} Concurrent)`, `${clients} clients`]
        : ["Throughput (Concurrent)", "Several clients"],
      "value",
      several,
    ),
    number(["Average Latency", ""], "mean", alone.latency),
    number(["P95 Latency", ""], "p95", alone.latency),
    number(["Connection Time", "Connect"], "p50", establish),
  ];
}

function loadNumbers(report: Report): KeyNumber[] {
  const scenario = findScenario(report, "heavy-tools");
  const rate = (label: string, metric: string): KeyNumber => (
    { label, short: label, figure: "value", measured: findIn(report, "heavy-tools", metric) }
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

/** The numbers on the cards of the first screen, as far as they were measured. */
export function cardNumbers(report: Report): (KeyNumber & { measured: Measured })[] {
  const numbers = keyNumbers(report).filter(({ short }) => short !== "");
  const { latency: measured } = pyramidMetrics(report);
  const latency: KeyNumber = { label: "Latency", short: "Latency", figure: "p50", measured };
  return (isLoadPhase(report) ? numbers : numbers.toSpliced(2, 0, latency)).flatMap((card) =>
    card.measured === undefined ? [] : [{ ...card, measured: card.measured }]
  );
}

/** The levels of the testing pyramid above the unit tests. */
export function pyramidMetrics(
  report: Report,
): Record<"rate" | "latency" | "heavy", Measured | undefined> {
  return {
    rate: findIn(report, "message-throughput", "throughput"),
    latency: findIn(report, "message-throughput", "latency"),
    heavy: findIn(report, "heavy-tools", "throughputAlone"),
  };
}
