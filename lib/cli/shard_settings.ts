import type { ShardPlace } from "../schema.ts";
import { type Given, unacceptable, UsageError } from "./usage_error.ts";
import { whole } from "./values.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of a task in a Slurm array job, and of a pod in an indexed Kubernetes Job. */
export const ENGINE_VARIABLES = [
  "SLURM_ARRAY_TASK_ID",
  "SLURM_ARRAY_TASK_COUNT",
  "SLURM_ARRAY_TASK_MIN",
  "SLURM_ARRAY_TASK_MAX",
  "JOB_COMPLETION_INDEX",
  "BENCH_SHARDS",
] as const;

const MOST_SHARDS = 10_000;

/** Reads `I/N`, or with `auto` the place in a Slurm array job or an indexed Kubernetes Job. */
export function readShard(given: Given, { env }: { env: Environment }): ShardPlace {
  const text = given.text.trim();
  if (text === "auto") {
    const place = readSlurm(env) ?? readKubernetes(env);
    if (place !== null) return place;
    throw unacceptable(
      given,
      "I/N, or auto in a Slurm array job (SLURM_ARRAY_TASK_ID) or an indexed Kubernetes Job " +
        "(BENCH_SHARDS); neither variable is set",
    );
  }
  const [, index, count] = /^(\d+)\s*\/\s*(\d+)$/.exec(text) ?? [];
  const place = { index: Number(index), count: Number(count) };
  if (isPlace(place)) return place;
  const accepted = `I/N with I from 1 to N and N up to ${MOST_SHARDS}, such as 2/4, or auto`;
  throw unacceptable(given, accepted);
}

function isPlace({ index, count }: ShardPlace): boolean {
  return count <= MOST_SHARDS && index >= 1 && index <= count;
}

/**
 * A warning if the environment defines a shard but `--shard` was not given, as in an array job that
 * varies a parameter.
 */
export function noteUnusedShard(env: Environment): string | null {
  const isArray = env.SLURM_ARRAY_TASK_ID && env.SLURM_ARRAY_TASK_COUNT !== "1";
  const name = isArray ? "SLURM_ARRAY_TASK_ID" : env.BENCH_SHARDS ? "BENCH_SHARDS" : null;
  if (name === null) return null;
  return `${name} is set but not used: this run measures the whole load; --shard auto takes a share of it`;
}

/** Task IDs can begin anywhere, but must have no gaps. */
function readSlurm(env: Environment): ShardPlace | null {
  if (!env.SLURM_ARRAY_TASK_ID) return null;
  const id = variable(env, "SLURM_ARRAY_TASK_ID");
  const count = variable(env, "SLURM_ARRAY_TASK_COUNT");
  const min = variable(env, "SLURM_ARRAY_TASK_MIN");
  const max = env.SLURM_ARRAY_TASK_MAX ? variable(env, "SLURM_ARRAY_TASK_MAX") : min + count - 1;
  const place = { index: id - min + 1, count };
  if (max === min + count - 1 && isPlace(place)) return place;
  throw new UsageError(
    `Cannot use SLURM_ARRAY_TASK_ID "${id}" of ${count} tasks from ${min} to ${max}: accepted is an ` +
      "array without gaps, such as --array=1-4, or --shard I/N",
  );
}

function readKubernetes(env: Environment): ShardPlace | null {
  if (!env.BENCH_SHARDS) return null;
  const count = variable(env, "BENCH_SHARDS", 1, MOST_SHARDS);
  if (!env.JOB_COMPLETION_INDEX) {
    throw new UsageError(
      `Cannot use BENCH_SHARDS "${count}" without JOB_COMPLETION_INDEX, which an indexed Kubernetes Job ` +
        "sets: name the share with --shard I/N instead",
    );
  }
  const index = variable(env, "JOB_COMPLETION_INDEX", 0, count - 1);
  return { index: index + 1, count };
}

function variable(
  env: Environment,
  source: typeof ENGINE_VARIABLES[number],
  min = 0,
  max = 1e9,
): number {
  const text = env[source];
  if (text) return whole(min, max)({ source, text });
  throw new UsageError(`Cannot take a share as ${source} is missing: accepted is --shard I/N`);
}

/** A start further away is probably a typo. */
const FURTHEST_START_MS = 24 * 3600 * 1000;

/** Reads an ISO 8601 time with a zone, or unix seconds, and returns unix milliseconds. */
export function readStartAt(given: Given, nowMs: number): number {
  const text = given.text.trim();
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(text);
  const unixMs = isIso ? Date.parse(text) : /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : NaN;
  if (Math.abs(unixMs - nowMs) <= FURTHEST_START_MS) return unixMs;
  const example = new Date(Math.ceil((nowMs + 60_000) / 1000) * 1000).toISOString();
  throw unacceptable(
    given,
    `a time within a day, as unix seconds or in ISO 8601 with a zone, such as ${example}`,
  );
}

/** Reads the number of event loops. */
export function readWorkers(given: Given): number | "auto" {
  if (given.text.trim() === "auto") return "auto";
  try {
    return whole(1, 256)(given);
  } catch {
    throw unacceptable(given, "auto, or a whole number from 1 to 256");
  }
}
