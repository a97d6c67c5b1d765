import type { Report, ScenarioReport } from "../schema.ts";

/** Two reports cannot be compared; `differences` lists why. */
export class IncomparableError extends Error {
  override name = "IncomparableError";

  constructor(differences: readonly string[]) {
    const list = differences.map((difference) => `  - ${difference}`).join("\n");
    super(
      `Cannot compare the reports as they differ in what was measured:\n${list}\n` +
        "Use --force to compare them anyway",
    );
  }
}

/**
 * Lists the differences in workload, server and environment as `what: old -> new`. Ignores the
 * embedded server's port, the number of epochs, the seed, and scenarios that only one report has.
 */
export function findDifferences(oldReport: Report, newReport: Report): string[] {
  const [target, ...scenarios] = workloadDifferences(oldReport, newReport);
  return [
    ...target,
    ...compareFields("environment", describeHost(oldReport), describeHost(newReport)),
    ...(scenarios.length === 0 ? ["scenarios: the reports have none in common"] : scenarios.flat()),
  ];
}

/**
 * Lists the differences of several earlier reports, each once. If it does not concern all of them,
 * the number of reports follows.
 */
export function findAllDifferences(oldReports: readonly Report[], newReport: Report): string[] {
  const found = oldReports.flatMap((old) => findDifferences(old, newReport));
  const total = oldReports.length;
  return [...Map.groupBy(found, (one) => one)].map(([difference, { length }]) =>
    length === total ? difference : `${difference} (${length} of ${total} earlier reports)`
  );
}

/** Lists the differences in workload and server; the client machines may differ. */
export function findWorkloadDifferences(oldReport: Report, newReport: Report): string[] {
  return workloadDifferences(oldReport, newReport).flat();
}

/** Differences of the target, then of each scenario that both reports have. */
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

/** Leaves out the parameters that do not change what is measured. */
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
