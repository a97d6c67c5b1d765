import type { Distribution, Report, Shard } from "../schema.ts";
import { EXIT } from "../run/verdict.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { findWorkloadDifferences } from "../stats/comparability.ts";
import type { Part } from "./merge.ts";

/** A report and its file name. */
export interface NamedReport {
  file: string;
  report: Report;
}

/** Thrown if files are not the shards of one run. The message names each file and field. */
export class ShardSetError extends Error {
  override name = "ShardSetError";

  constructor(problems: readonly string[]) {
    const list = problems.map((problem) => `  - ${problem}`).join("\n");
    super(`Cannot merge the reports as they are not the shards of one run:\n${list}`);
  }
}

type NamedShard = NamedReport & { shard: Shard };

/**
 * Reads reports as the parts of one run.
 *
 * @throws {ShardSetError} naming every report that is missing, duplicate, not of a shard, or of
 *   another run or workload
 */
export function readShardSet(files: readonly NamedReport[]): { parts: Part[]; count: number } {
  const shards = files.flatMap(({ file, report }): NamedShard[] =>
    report.shard === undefined ? [] : [{ file, report, shard: report.shard }]
  );
  const [first, ...others] = shards;
  const problems = [
    ...files.filter(({ report }) => report.shard === undefined).map(({ file }) =>
      `${file}: it has no field shard, so it is the report of a whole run`
    ),
    ...shards.flatMap(unreadable),
    ...others.flatMap((other) => differences(first!, other)),
    ...(first === undefined ? [] : gaps(shards, first.shard.count)),
  ];
  if (problems.length > 0 || first === undefined) throw new ShardSetError(problems);
  const parts = shards.map(({ report, shard }) => ({ index: shard.index, report }));
  return { parts, count: first.shard.count };
}

/** Lists what differs from the first shard. */
function differences(first: NamedShard, other: NamedShard): string[] {
  const changed = (name: string, valueOf: (one: NamedShard) => unknown) => {
    const [before, after] = [valueOf(first), valueOf(other)];
    return before === after ? [] : [`${name}: ${before} -> ${after}`];
  };
  // A run that ended early may lack scenarios and epochs.
  const changedPlan: typeof changed = (name, valueOf) =>
    [first, other].some(({ report }) => endedEarly(report)) ? [] : changed(name, valueOf);
  return [
    ...changed("shard.count", ({ shard }) => shard.count),
    ...changed("shard.startAtMs", ({ shard }) => shard.startAtMs),
    ...changed("seed", ({ report }) => report.seed),
    ...changed("suite.version", ({ report }) => report.suite.version),
    ...changedPlan(
      "scenarios",
      ({ report }) => report.scenarios.map(({ name }) => name).sort().join(", "),
    ),
    ...findWorkloadDifferences(first.report, other.report),
    // A comparison ignores epochs; here they are part of the work that was split.
    ...changedPlan("epochs", ({ report }) => report.epochs),
  ].map((difference) => `${difference} (${first.file} -> ${other.file})`);
}

function endedEarly({ verdict }: Report): boolean {
  return verdict.exitCode === EXIT.targetUnusable || verdict.status === "interrupted";
}

/** Metrics of split scenarios that cannot be merged exactly: a histogram is missing or damaged. */
function unreadable({ file, report }: NamedShard): string[] {
  return report.scenarios.filter(({ share }) => share !== undefined).flatMap(({ name, metrics }) =>
    metrics.filter((metric) => metric.kind === "distribution" && !hasHistograms(metric))
      .map((metric) => `${file}: ${name}.${metric.name} has no readable histogram`)
  );
}

function hasHistograms({ count, histogram, epochs, series }: Distribution): boolean {
  return [{ count, histogram }, ...epochs, ...series].every(({ count, histogram }) => {
    if (count === 0) return true;
    if (histogram === undefined) return false;
    try {
      using decoded = LatencyHistogram.decode(histogram);
      return decoded.count === count;
    } catch {
      return false;
    }
  });
}

/** Shards that are missing, duplicate, or beyond the count. */
function gaps(shards: readonly NamedShard[], count: number): string[] {
  const places = Array.from({ length: count }, (_, index) => {
    const place = `shard ${index + 1} of ${count}`;
    const files = shards.filter(({ shard }) => shard.index === index + 1).map(({ file }) => file);
    if (files.length === 0) return [`${place} is in none of the files`];
    return files.length > 1 ? [`${place} appears twice: ${files.join(", ")}`] : [];
  });
  const beyond = shards.filter(({ shard }) => shard.index > count)
    .map(({ file, shard }) => `${file}: shard.index ${shard.index} is beyond ${count}`);
  return [...places.flat(), ...beyond];
}
