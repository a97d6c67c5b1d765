/**
 * Are files the shards of one run, all of them and each once?
 *
 * @module
 */

import type { Distribution, Report, Shard } from "../schema.ts";
import { LatencyHistogram } from "../stats/histogram.ts";
import { findWorkloadDifferences } from "../stats/comparability.ts";
import type { Part } from "./parts.ts";

/** A report and the name of its file. */
export interface NamedReport {
  file: string;
  report: Report;
}

/** Thrown for files that are not the shards of one run; the message names each file and field. */
export class ShardSetError extends Error {
  override name = "ShardSetError";

  constructor(problems: readonly string[]) {
    const list = problems.map((problem) => `  - ${problem}`).join("\n");
    super(`Cannot merge the reports as they are not the shards of one run:\n${list}`);
  }
}

interface NamedShard extends NamedReport {
  shard: Shard;
}

/**
 * The reports as the parts of one run.
 *
 * @throws {ShardSetError} naming every report that is of no shard, of another run or workload, missing, or
 *   there twice
 */
export function readShardSet(files: readonly NamedReport[]): { parts: Part[]; count: number } {
  const shards = files.flatMap(({ file, report }): NamedShard[] =>
    report.shard === undefined ? [] : [{ file, report, shard: report.shard }]
  );
  const strangers = files.filter(({ report }) => report.shard === undefined).map(({ file }) =>
    `${file}: it has no field shard, so that it is the report of a whole run`
  );
  const [first, ...others] = shards;
  const problems = [
    ...strangers,
    ...shards.flatMap(unreadable),
    ...(first === undefined ? [] : others.flatMap((other) => differences(first, other))),
    ...(first === undefined ? [] : gaps(shards, first.shard.count)),
  ];
  if (problems.length > 0 || first === undefined) throw new ShardSetError(problems);
  const parts = shards.map(({ report, shard }) => ({ index: shard.index, report }));
  return { parts, count: first.shard.count };
}

/** What a shard has otherwise than the first of the files. */
function differences(first: NamedShard, other: NamedShard): string[] {
  const between = `${first.file} -> ${other.file}`;
  const fields = (["count", "startAtMs"] as const)
    .filter((name) => first.shard[name] !== other.shard[name])
    .map((name) => `shard.${name}: ${first.shard[name]} -> ${other.shard[name]}`);
  const seed = first.report.seed === other.report.seed
    ? []
    : [`seed: ${first.report.seed} -> ${other.report.seed}`];
  const version = first.report.suite.version === other.report.suite.version
    ? []
    : [`suite.version: ${first.report.suite.version} -> ${other.report.suite.version}`];
  return [
    ...fields,
    ...seed,
    ...version,
    ...scenarioNames(first, other),
    ...findWorkloadDifferences(first.report, other.report),
    ...epochs(first, other),
  ].map((difference) => `${difference} (${between})`);
}

/** A run that ended early has not come to all of its scenarios. */
function scenarioNames(first: NamedShard, other: NamedShard): string[] {
  if ([first, other].some(({ report }) => endedEarly(report))) return [];
  const [before, after] = [first, other].map(({ report }) =>
    report.scenarios.map(({ name }) => name).sort().join(", ")
  );
  return before === after ? [] : [`scenarios: ${before} -> ${after}`];
}

function endedEarly({ verdict }: Report): boolean {
  return verdict.exitCode === 3 || verdict.status === "interrupted";
}

/** Other than in a comparison, the number of epochs is part of the work that was split. */
function epochs(first: NamedShard, other: NamedShard): string[] {
  if ([first, other].some(({ report }) => endedEarly(report))) return [];
  const [before, after] = [first.report.epochs, other.report.epochs];
  return before === after ? [] : [`epochs: ${before} -> ${after}`];
}

/** The metrics of split scenarios whose histograms are missing or damaged: nothing exact is made of them. */
function unreadable({ file, report }: NamedShard): string[] {
  return report.scenarios.filter(({ share }) => share !== undefined).flatMap(({ name, metrics }) =>
    metrics.filter((metric) => metric.kind === "distribution" && !hasHistograms(metric))
      .map((metric) => `${file}: ${name}.${metric.name} has no histogram that can be read`)
  );
}

function hasHistograms({ count, histogram, epochs, series }: Distribution): boolean {
  const parts = [{ count, histogram }, ...epochs, ...series];
  return parts.every((part) =>
    part.count === 0 ||
    (part.histogram !== undefined && countIn(part.histogram) === part.count)
  );
}

/** How many times it has recorded; `null` where it cannot be read. */
function countIn(histogram: string): number | null {
  try {
    using decoded = LatencyHistogram.decode(histogram);
    return decoded.count;
  } catch {
    return null;
  }
}

/** Shards that are missing, there twice, or beyond the count. */
function gaps(shards: readonly NamedShard[], count: number): string[] {
  const missing: string[] = [];
  for (let index = 1; index <= count; index++) {
    const files = shards.filter(({ shard }) => shard.index === index).map(({ file }) => file);
    if (files.length === 0) missing.push(`shard ${index} of ${count} is in none of the files`);
    if (files.length > 1) {
      missing.push(`shard ${index} of ${count} is there twice: ${files.join(", ")}`);
    }
  }
  const beyond = shards.filter(({ shard }) => shard.index > count)
    .map(({ file, shard }) => `${file}: shard.index ${shard.index} is beyond ${count}`);
  return [...missing, ...beyond];
}
