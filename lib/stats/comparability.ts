/**
 * Did two reports measure the same thing in the same place?
 *
 * @module
 */

import type { Report, ScenarioReport } from "../schema.ts";

/** Thrown where two reports cannot be compared; `differences` names each reason. */
export class IncomparableError extends Error {
  override name = "IncomparableError";
  readonly differences: readonly string[];

  constructor(differences: readonly string[]) {
    const list = differences.map((difference) => `  - ${difference}`).join("\n");
    super(`Cannot compare the reports as they differ in what was measured:\n${list}`);
    this.differences = differences;
  }
}

/** Parameters that make a measurement longer or repeatable, and no other one. */
const NOT_OF_THE_WORKLOAD = new Set(["epochs", "seed"]);

/**
 * Every difference of workload, server or environment, as `what: old -> new`. The embedded server's
 * port is not one, nor are the numbers of epochs, the seeds, or scenarios that only one report has.
 */
export function findDifferences(oldReport: Report, newReport: Report): string[] {
  const shared = sharedScenarios(oldReport, newReport);
  return [
    ...targetDifferences(oldReport, newReport),
    ...compareFields("environment", describeHost(oldReport), describeHost(newReport)),
    ...(shared.length === 0 ? ["scenarios: the reports have none in common"] : []),
    ...scenarioDifferences(oldReport, newReport),
  ];
}

/** Those of workload and server alone, whatever machines the clients ran on. */
export function findWorkloadDifferences(oldReport: Report, newReport: Report): string[] {
  return [
    ...targetDifferences(oldReport, newReport),
    ...scenarioDifferences(oldReport, newReport),
  ];
}

function targetDifferences(oldReport: Report, newReport: Report): string[] {
  return [
    ...compareFields("target", describeTarget(oldReport), describeTarget(newReport)),
    ...compareFields("", { profile: oldReport.profile }, { profile: newReport.profile }),
  ];
}

function scenarioDifferences(oldReport: Report, newReport: Report): string[] {
  return sharedScenarios(oldReport, newReport).flatMap(([before, after]) =>
    compareFields(before.name, workloadOf(before), workloadOf(after))
  );
}

/** The scenarios that both reports have, in the order of the new one. */
function sharedScenarios(
  oldReport: Report,
  newReport: Report,
): [ScenarioReport, ScenarioReport][] {
  return newReport.scenarios.flatMap((after): [ScenarioReport, ScenarioReport][] => {
    const before = oldReport.scenarios.find(({ name }) => name === after.name);
    return before === undefined ? [] : [[before, after]];
  });
}

type Fields = Record<string, unknown>;

function describeTarget({ target }: Report): Fields {
  const { kind, url, protocol, tool, noDelay, proxy = null, insecure = false } = target;
  const isExternal = kind === "external";
  return { kind, url: isExternal ? url : null, protocol, tool, noDelay, proxy, insecure };
}

function describeHost({ environment }: Report): Fields {
  const { os, arch, cpuModel, cpuCount, deno, mitata } = environment;
  return { os, arch, cpuModel, cpuCount, deno, mitata };
}

function workloadOf({ parameters }: ScenarioReport): Fields {
  const entries = Object.entries(parameters).filter(([name]) => !NOT_OF_THE_WORKLOAD.has(name));
  return Object.fromEntries(entries);
}

function compareFields(prefix: string, before: Fields, after: Fields): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]).map((name) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    return `${path}: ${describe(before[name])} -> ${describe(after[name])}`;
  });
}

function describe(value: unknown): string {
  return value === undefined || value === null ? "none" : JSON.stringify(value);
}
