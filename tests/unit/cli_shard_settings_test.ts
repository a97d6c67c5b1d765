import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  noteUnusedShard,
  readShard,
  readStartAt,
  readWorkers,
} from "../../lib/cli/shard_settings.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const given = (source: string, text: string) => ({ source, text });
const shard = (text: string) => readShard(given("--shard", text), { env: {} });
const SLURM = {
  SLURM_ARRAY_TASK_ID: "7",
  SLURM_ARRAY_TASK_COUNT: "4",
  SLURM_ARRAY_TASK_MIN: "5",
  SLURM_ARRAY_TASK_MAX: "8",
};
const AUTO = given("--shard", "auto");
const KUBERNETES = { JOB_COMPLETION_INDEX: "2", BENCH_SHARDS: "4" };

/** The error about `--shard auto` in this environment. */
function autoMessage(env: Record<string, string | undefined>): string {
  return assertThrows(() => readShard(AUTO, { env }), UsageError).message;
}

Deno.test("--shard I/N names a share", () => {
  assertEquals(shard("2/4"), { index: 2, count: 4 });
  assertEquals(shard(" 1 / 1 "), { index: 1, count: 1 });
});

for (const text of ["0/4", "5/4", "1", "1/0", "a/b", "1/4/2", "-1/4", "1.5/4", "1/10001"]) {
  Deno.test(`--shard ${text} is refused`, () => {
    const { message } = assertThrows(() => shard(text), UsageError);
    assertStringIncludes(message, `Cannot use --shard "${text}": accepted is I/N`);
  });
}

Deno.test("a Slurm array job names a share, wherever its task IDs begin", () => {
  assertEquals(readShard(AUTO, { env: SLURM }), { index: 3, count: 4 });
  const { SLURM_ARRAY_TASK_MAX: _, ...older } = SLURM;
  assertEquals(readShard(AUTO, { env: older }), { index: 3, count: 4 });
});

Deno.test("a Slurm array with gaps is refused: --array=1-7:2", () => {
  const ids = { SLURM_ARRAY_TASK_MIN: "1", SLURM_ARRAY_TASK_MAX: "7", SLURM_ARRAY_TASK_ID: "3" };
  const message = autoMessage({ ...SLURM, ...ids });
  assertStringIncludes(message, "SLURM_ARRAY_TASK_ID");
  assertStringIncludes(message, "without gaps");
});

Deno.test("a Slurm task without a count is refused, naming the variable", () => {
  assertStringIncludes(
    autoMessage({ SLURM_ARRAY_TASK_ID: "1" }),
    "SLURM_ARRAY_TASK_COUNT is missing",
  );
});

Deno.test("an indexed Kubernetes Job names a share, with indexes from 0", () => {
  assertEquals(readShard(AUTO, { env: KUBERNETES }), { index: 3, count: 4 });
});

Deno.test("an indexed Job without BENCH_SHARDS is not a share", () => {
  for (const env of [{ JOB_COMPLETION_INDEX: "2" }, {}]) {
    assertStringIncludes(
      autoMessage(env),
      'Cannot use --shard "auto": accepted is I/N, or auto in a Slurm',
    );
  }
});

Deno.test("an array job without --shard, such as a parameter sweep, is not split, which is noted", () => {
  assertStringIncludes(noteUnusedShard(SLURM)!, "SLURM_ARRAY_TASK_ID is set but not used");
  assertStringIncludes(noteUnusedShard(KUBERNETES)!, "BENCH_SHARDS is set but not used");
  assertEquals(noteUnusedShard({}), null);
  assertEquals(noteUnusedShard({ JOB_COMPLETION_INDEX: "2" }), null);
  assertEquals(noteUnusedShard({ ...SLURM, SLURM_ARRAY_TASK_COUNT: "1" }), null);
});

Deno.test("BENCH_SHARDS without an index, or with one out of range, is refused", () => {
  assertStringIncludes(autoMessage({ BENCH_SHARDS: "4" }), "JOB_COMPLETION_INDEX");
  assertStringIncludes(
    autoMessage({ ...KUBERNETES, JOB_COMPLETION_INDEX: "4" }),
    'JOB_COMPLETION_INDEX "4": accepted is a whole number from 0 to 3',
  );
});

Deno.test("--shard I/N wins over the environment, and Slurm over Kubernetes", () => {
  const both = { ...SLURM, ...KUBERNETES };
  assertEquals(readShard(given("--shard", "1/2"), { env: both }), { index: 1, count: 2 });
  assertEquals(readShard(AUTO, { env: both }), { index: 3, count: 4 });
});

const NOW_MS = Date.parse("2026-01-31T12:00:00Z");
const startAt = (text: string) => readStartAt(given("--start-at", text), NOW_MS);

Deno.test("--start-at takes ISO 8601 with a zone, or unix seconds", () => {
  assertEquals(startAt("2026-01-31T12:00:30Z"), NOW_MS + 30_000);
  assertEquals(startAt("2026-01-31T13:00:30.250+01:00"), NOW_MS + 30_250);
  assertEquals(startAt(String(NOW_MS / 1000 + 30)), NOW_MS + 30_000);
  assertEquals(startAt(`${NOW_MS / 1000}.5`), NOW_MS + 500);
});

for (const text of ["soon", "2026-01-31T12:00:30", "2026-03-31T12:00:30Z", "12", "+60", "1e9"]) {
  Deno.test(`--start-at ${text} is refused, with an example`, () => {
    const { message } = assertThrows(() => startAt(text), UsageError);
    assertStringIncludes(
      message,
      `Cannot use --start-at "${text}": accepted is a time within a day`,
    );
    assertStringIncludes(message, "2026-01-31T12:01:00.000Z");
  });
}

Deno.test("--workers takes a number or auto", () => {
  assertEquals(readWorkers(given("--workers", "auto")), "auto");
  assertEquals(readWorkers(given("--workers", "3")), 3);
  for (const text of ["0", "1.5", "many", "257"]) {
    const { message } = assertThrows(() => readWorkers(given("--workers", text)), UsageError);
    assertStringIncludes(message, `Cannot use --workers "${text}": accepted is auto, or a whole`);
  }
});
