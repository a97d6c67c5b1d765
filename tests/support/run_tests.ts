/**
 * `deno task test`: all test files side by side, then those that say `// Runs alone:` in their first line, as
 * others would disturb what they look at. Types are another task's. A file in which something failed is run once more by
 * itself, which is said: what fails then too has failed. Closes with the sum. With arguments, they go to one
 * `deno test`.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** How many test files run at once: more than there are cores, as most of them wait most of the time. */
const JOBS = 4 + navigator.hardwareConcurrency;
/** Of those that compare times, and wait nearly all of it. */
const QUIET_JOBS = 3;

/** How much of a run's output is looked at: its list of failures, and its summary. */
const END_CHARACTERS = 200_000;
/** More files than this do not fail for a busy machine. */
const MOST_AGAIN = 5;

type Counts = Record<"passed" | "failed" | "ignored", number>;

/** Every test file under a folder, and its first line. */
async function* testFiles(folder = "tests"): AsyncGenerator<{ path: string; head: string }> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* testFiles(path);
    else if (name.endsWith("_test.ts")) {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      yield { path, head: text.slice(0, text.indexOf("\n")) };
    }
  }
}

/** How one `deno test` ended, and the files in which a test failed. */
interface Ended {
  code: number;
  counts: Counts;
  failedFiles: string[];
}

/** Runs `deno test`, with so many files at once, shows what it writes, and reads its end. */
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
 * Once more what failed, file by file: on a busy machine a test may be right and too late. A file that cannot be
 * loaded is in no list, so that its step keeps its code.
 */
async function runAgain(step: Ended): Promise<Ended> {
  const { counts, failedFiles } = step;
  if (step.code === 0 || failedFiles.length === 0 || failedFiles.length > MOST_AGAIN) return step;
  // deno-lint-ignore no-console
  console.log(`\nOnce more, by themselves: ${failedFiles.join(", ")}\n`);
  const again = await run(failedFiles);
  if (again.code !== 0) return step;
  const { passed, failed, ignored } = counts;
  return { code: 0, counts: { passed: passed + failed, failed: 0, ignored }, failedFiles: [] };
}

/** Both steps, the second whatever becomes of the first. */
async function runAll(): Promise<number> {
  const startMs = performance.now();
  const files = await Array.fromAsync(testFiles());
  const pathsOf = (alone: boolean) =>
    files.filter(({ head }) => head.startsWith("// Runs alone: ") === alone)
      .map(({ path }) => path).sort();
  const steps = [
    await runAgain(await run(pathsOf(false), JOBS)),
    await runAgain(await run(pathsOf(true), QUIET_JOBS)),
  ];
  const sum = (word: keyof Counts) => steps.reduce((total, { counts }) => total + counts[word], 0);
  const code = steps.find((step) => step.code !== 0)?.code ?? 0;
  const ignored = sum("ignored");
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  // deno-lint-ignore no-console
  console.log(
    `${code === 0 ? "ok" : "FAILED"} | ${sum("passed")} passed | ${sum("failed")} failed${
      ignored === 0 ? "" : ` | ${ignored} ignored`
    } (${seconds}s)`,
  );
  return code;
}

if (import.meta.main) {
  Deno.exit(Deno.args.length > 0 ? (await run(Deno.args)).code : await runAll());
}
