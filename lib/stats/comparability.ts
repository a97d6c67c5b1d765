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

/**
 * Every difference of workload, server or environment, as `what: old -> new`. The embedded server's
 * port is not one, nor are the numbers of epochs, the seeds, or scenarios that only one report has.
 */
export function findDifferences(oldReport: Report, newReport: Report): string[] {
  const [target, ...scenarios] = workloadDifferences(oldReport, newReport);
  return [
    ...target!,
    ...compareFields("environment", describeHost(oldReport), describeHost(newReport)),
    ...(scenarios.length === 0 ? ["scenarios: the reports have none in common"] : scenarios.flat()),
  ];
}

/** Those of workload and server alone, whatever machines the clients ran on. */
export function findWorkloadDifferences(oldReport: Report, newReport: Report): string[] {
  return workloadDifferences(oldReport, newReport).flat();
}

/** Of the target, and then of each scenario that both reports have, in the order of the new one. */
function workloadDifferences(oldReport: Report, newReport: Report): string[][] {
  const byName = new Map(oldReport.scenarios.map((scenario) => [scenario.name, scenario]));
  return [
    [
      ...compareFields("target", describeTarget(oldReport), describeTarget(newReport)),
      ...compareFields("", { profile: oldReport.profile }, { profile: newReport.profile }),
    ],
    ...newReport.scenarios.filter(({ name }) => byName.has(name)).map((after) =>
      compareFields(after.name, workloadOf(byName.get(after.name)!), workloadOf(after))
    ),
  ];
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

/** Without what makes a measurement longer or repeatable, and no other one. */
function workloadOf({ parameters }: ScenarioReport): Fields {
  const { epochs: _epochs, seed: _seed, ...workload } = parameters;
  return workload;
}

function compareFields(prefix: string, before: Fields, after: Fields): string[] {
  const names = Object.keys({ ...before, ...after });
  return names.filter((name) => before[name] !== after[name]).map((name) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    return `${path}: ${describe(before[name])} -> ${describe(after[name])}`;
  });
}

function describe(value: unknown): string {
  return value === undefined || value === null ? "none" : JSON.stringify(value);
}
