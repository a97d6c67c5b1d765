/**
 * `deno task test`: runs all test files in parallel, then those whose first line says
 * `// Runs alone:`, because other tests would disturb their measurements. Failed files are run once
 * more by themselves. Prints the total at the end. With arguments: one `deno test` with them.
 *
 * @module
 */

import { filesUnder } from "./project_files.ts";

const ROOT = new URL("../../", import.meta.url);

/** Parallel test files: more than there are cores, because most tests wait most of the time. */
const JOBS = 4 + navigator.hardwareConcurrency;
/** Parallel files of those that run alone, which wait nearly all of the time. */
const QUIET_JOBS = 3;

/** The end of the output that is parsed: the list of failures and the summary. */
const END_CHARACTERS = 200_000;
/** If more files fail, a busy machine is not the cause, and they are not run again. */
const MAX_RETRIED_FILES = 5;

type Counts = Record<"passed" | "failed" | "ignored", number>;

/** Outcome of one `deno test`, and the files in which a test failed. */
interface Ended {
  code: number;
  counts: Counts;
  failedFiles: string[];
}

/** Runs `deno test`, passes its output on, and parses the end of it. */
async function run(args: readonly string[], jobs = 1): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-q", "-P=test", "--no-check", ...(jobs > 1 ? ["--parallel"] : []), ...args],
    cwd: ROOT,
    env: { DENO_JOBS: String(jobs) },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let end = "";
  for await (const part of child.stdout) {
    for (let rest = part; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
    end = (end + new TextDecoder().decode(part)).slice(-END_CHARACTERS);
  }
  const { code } = await child.status;
  // deno-lint-ignore no-control-regex
  const plain = end.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const summary = plain.match(/^(?:ok|FAILED) \| \d+ passed.*$/gm)?.at(-1) ?? "";
  const count = (word: string) => Number(summary.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  if (summary === "" && code === 0) {
    throw new Error("Cannot count tests: deno test gave no summary");
  }
  const counts = { passed: count("passed"), failed: count("failed"), ignored: count("ignored") };
  const list = plain.split("\n FAILURES \n").at(1) ?? "";
  const failed = [...list.matchAll(/ => \.\/(tests\/\S+_test\.ts):\d+:\d+$/gm)];
  return { code, counts, failedFiles: [...new Set(failed.map(([, path]) => path!))] };
}

/**
 * Runs the failed files once more, because a test can be too slow on a busy machine. Files that
 * cannot be loaded are not listed, so their step keeps its exit code.
 */
async function retry(step: Ended): Promise<Ended> {
  const { code, counts, failedFiles } = step;
  const isRetried = failedFiles.length > 0 && failedFiles.length <= MAX_RETRIED_FILES;
  if (code === 0 || !isRetried) return step;
  // deno-lint-ignore no-console
  console.log(`\nRunning again, by themselves: ${failedFiles.join(", ")}\n`);
  const again = await run(failedFiles);
  if (again.code !== 0) return step;
  const { passed, failed, ignored } = counts;
  return { code: 0, counts: { passed: passed + failed, failed: 0, ignored }, failedFiles: [] };
}

/** Runs both steps, the second even if the first fails. */
async function runAll(): Promise<number> {
  const startMs = performance.now();
  const parallel: string[] = [];
  const alone: string[] = [];
  for (const path of (await filesUnder("tests")).filter((path) => path.endsWith("_test.ts"))) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    (text.startsWith("// Runs alone: ") ? alone : parallel).push(path);
  }
  const steps = [
    await retry(await run(parallel.sort(), JOBS)),
    await retry(await run(alone.sort(), QUIET_JOBS)),
  ];
  const sum = (word: keyof Counts) => steps.reduce((total, { counts }) => total + counts[word], 0);
  const code = steps.find((step) => step.code !== 0)?.code ?? 0;
  const ignored = sum("ignored") === 0 ? "" : ` | ${sum("ignored")} ignored`;
  const outcome = `${code === 0 ? "ok" : "FAILED"} | ${sum("passed")} passed`;
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  // deno-lint-ignore no-console
  console.log(`${outcome} | ${sum("failed")} failed${ignored} (${seconds}s)`);
  return code;
}

if (import.meta.main) {
  Deno.exit(Deno.args.length > 0 ? (await run(Deno.args)).code : await runAll());
}
