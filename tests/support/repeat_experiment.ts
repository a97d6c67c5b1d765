/**
 * Repeats the same run of the bundled server, each in its own process as a user would, and counts
 * how many intervals of each headline metric cover the median of the runs. Run manually:
 *
 *   deno run -q -P=test tests/support/repeat_experiment.ts [RUNS] [options of bench]
 *
 * @module
 */

import type { Interval, Metric, Report } from "../../lib/schema.ts";
import { metricLabel } from "../../lib/report/quantities.ts";
import { parseReport } from "../../lib/report/export/json.ts";
import { median } from "../../lib/stats/median.ts";
import { printLine } from "./print.ts";
import { makeUserFolder, PROJECT_FOLDER } from "./run_cli.ts";

/** One metric in all the runs. */
interface Repeated {
  name: string;
  values: number[];
  /** Number of intervals that contain the median of the values; 0 without intervals. */
  covered: number;
  /** Number of pairs of consecutive runs whose intervals do not overlap. */
  disjoint: number;
}

/** The headline metrics, and those that a comparison judges, of several reports of the same run. */
export function repeatedFigures(reports: readonly Report[]): Repeated[] {
  const figures = new Map<string, { value: number; interval: Interval | null }[]>();
  for (const { scenarios } of reports) {
    for (const { name, metrics } of scenarios) {
      for (const metric of metrics.filter(({ role }) => role !== "detail")) {
        const key = `${name} ${metricLabel(metric)}`;
        const seen = figures.get(key) ?? [];
        figures.set(key, [...seen, { value: valueOf(metric), interval: intervalOf(metric) }]);
      }
    }
  }
  return [...figures].map(([name, seen]) => {
    const values = seen.map(({ value }) => value);
    const middle = median(values);
    return {
      name,
      values,
      covered: seen.filter(({ interval }) => holds(interval, middle)).length,
      disjoint: seen.filter(({ interval }, index) =>
        index > 0 && areDisjoint(interval, seen[index - 1]!.interval)
      ).length,
    };
  });
}

function valueOf(metric: Metric): number {
  return metric.kind === "scalar" ? metric.value : metric.p50;
}

function intervalOf(metric: Metric): Interval | null {
  return metric.kind === "scalar" ? metric.ci95 : metric.ci95.p50;
}

function holds(interval: Interval | null, value: number): boolean {
  return interval !== null && interval[0] <= value && value <= interval[1];
}

function areDisjoint(one: Interval | null, other: Interval | null): boolean {
  return one !== null && other !== null && (one[1] < other[0] || other[1] < one[0]);
}

if (import.meta.main) {
  const [runs = "10", ...options] = Deno.args;
  await using folder = await makeUserFolder();
  const reports: Report[] = [];
  for (let run = 1; run <= Number(runs); run++) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-q", "--no-prompt", "-P=bench"],
        ...["--v8-flags=--expose-gc,--max-semi-space-size=2", "main.ts", "--quiet"],
        ...["--format", "json", "--out", `run-${run}`, ...options],
      ],
      cwd: PROJECT_FOLDER,
      env: { INIT_CWD: folder.path },
      stdout: "null",
      stderr: "piped",
    }).output();
    if (code !== 0) printLine(`run ${run}: exit ${code} ${new TextDecoder().decode(stderr)}`);
    const path = `${folder.path}/run-${run}/report.json`;
    reports.push(parseReport(await Deno.readTextFile(path), path));
    const pressure = reports.at(-1)!.environment.cpuPressure;
    printLine(`run ${run}: CPU pressure ${Math.round(100 * (pressure ?? NaN))} %`);
  }
  printLine("| figure | lowest | median | highest | intervals with the median | disjoint pairs |");
  printLine("| --- | ---: | ---: | ---: | ---: | ---: |");
  for (const { name, values, covered, disjoint } of repeatedFigures(reports)) {
    const numbers = [Math.min(...values), median(values), Math.max(...values)];
    const cells = numbers.map((value) => Number(value.toPrecision(4)).toLocaleString("en"));
    const of = `${covered} of ${values.length}`;
    printLine(`| ${name} | ${cells.join(" | ")} | ${of} | ${disjoint} of ${values.length - 1} |`);
  }
}
