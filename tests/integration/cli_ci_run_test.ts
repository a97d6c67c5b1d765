import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runCommand } from "../support/commands.ts";
import { makeUserFolder, NEEDS_PROCESSES, PROJECT_FOLDER } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES || Deno.build.os === "windows" };

/** Output and exit codes of the fake commands. */
interface Fakes {
  /** Keyed by the words after `npx --yes deno@2.9.6`: `task test`, `test`, `lint -q`, … */
  steps?: Record<string, { text?: string; code?: number }>;
  /** Status of each package according to `dpkg-query`. Default: `installed`. */
  packageStatus?: string;
  apt?: { text: string; code: number };
}

/** Runs `.ci/run` with a fake npx and a fake package manager. */
async function runCi(
  { steps = {}, packageStatus = "installed", apt = { text: "", code: 0 } }: Fakes,
) {
  await using folder = await makeUserFolder();
  const table = Object.entries<{ text?: string; code?: number }>({
    "task test": { text: "ok | 3 passed | 0 failed (1s)" },
    ...steps,
  });
  const branches = table.map(([words, { text = "", code = 0 }]) =>
    `  "--yes deno@2.9.6 ${words}") printf '%s\\n' ${quote(text)}; exit ${code};;`
  );
  const fake = async (name: string, ...lines: string[]) => {
    await folder.write(name, ["#!/bin/sh", ...lines, ""].join("\n"));
    await Deno.chmod(`${folder.path}/${name}`, 0o755);
  };
  const note = `echo "\${0##*/} $*" >> '${folder.path}/calls'`;
  await fake("npx", note, 'case "$*" in', ...branches, "esac");
  await fake("dpkg-query", `printf '%s' '${packageStatus}'`);
  await fake("apt-get", note, `echo ${quote(apt.text)} >&2`, `exit ${apt.code}`);
  const result = await runCommand(`${PROJECT_FOLDER}.ci/run`, [], {
    cwd: folder.path,
    env: { PATH: `${folder.path}:${Deno.env.get("PATH")}`, CI_RESULTS: `${folder.path}/results` },
  });
  const files = await folder.files();
  return {
    ...result,
    closing: result.stdout.trimEnd().split("\n").at(-1)!,
    skipped: result.stdout.trimEnd().split("\n").at(-2)!,
    calls: files.get("calls")!.trimEnd().split("\n"),
    kept: files.get("results/test.txt"),
  };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

Deno.test(
  "ci: runs the README's command, a bare test and the checks; counts the first",
  options,
  async () => {
    const { code, closing, calls, kept } = await runCi({
      steps: { test: { text: "ok | 1 passed | 0 failed | 9 ignored (1s)" } },
    });
    assertEquals([code, closing], [0, "3 passed, 0 failed"]);
    assertEquals(calls.slice(0, 2), [
      "npx --yes deno@2.9.6 task test",
      "npx --yes deno@2.9.6 test",
    ]);
    for (const part of ["fmt -q --check", "lint -q", "check -q ."]) {
      assert(calls.includes(`npx --yes deno@2.9.6 ${part}`), part);
    }
    assertStringIncludes(kept!, "3 passed");
  },
);

Deno.test("ci: reads deno's summary with steps, ignored tests and colours", options, async () => {
  const cases = [
    [
      "ok | 432 passed (7 steps) | 0 failed | 167 ignored (11s)",
      "skipped: 167",
      "432 passed, 0 failed",
    ],
    ["\x1b[0m\x1b[32mok\x1b[0m | 5 passed | 0 failed \x1b[0m(2s)\x1b[0m", "", "5 passed, 0 failed"],
    ["ok | 9 passed | 0 failed (1s)\nok | 2 passed | 0 failed (1s)", "", "2 passed, 0 failed"],
  ];
  for (const [text, skipped, closing] of cases) {
    const run = await runCi({ steps: { "task test": { text } } });
    assertEquals([run.code, run.skipped, run.closing], [0, skipped, closing], run.stderr);
  }
});

Deno.test("ci: failed tests give their count and their exit code", options, async () => {
  const text =
    "FAILED | 3 passed (1 step) | 2 failed (4 steps) | 1 ignored (1s)\nerror: Test failed";
  const { code, skipped, closing } = await runCi({ steps: { "task test": { text, code: 7 } } });
  assertEquals([code, skipped, closing], [7, "skipped: 1", "3 passed, 2 failed"]);
});

Deno.test("ci: no tests, no summary or a summary that hides failures fails", options, async () => {
  const cases = [
    ["ok | 0 passed | 0 failed (1s)", "ran no test"],
    ["ok | 0 passed | 0 failed | 9 ignored (1s)", "ran no test"],
    ["done", "wrote no summary"],
    ["some ok | 3 passed | 0 failed", "wrote no summary"],
    ["FAILED | 1 passed | 1 failed (1s)", "ended with exit code 0"],
  ];
  for (const [text, message] of cases) {
    const { code, stderr } = await runCi({ steps: { "task test": { text } } });
    assertEquals(code, 1, text);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("ci: any other step that fails is named and fails the run", options, async () => {
  const steps = ["test", "fmt -q --check", "lint -q", "check -q ."];
  for (const words of steps) {
    const { code, closing, stderr, calls } = await runCi({ steps: { [words]: { code: 5 } } });
    assertEquals([code, closing], [1, "3 passed, 0 failed"], words);
    assertStringIncludes(stderr, "ended with exit code 5");
    assertEquals(calls.length, 8, "later steps still run");
  }
});

/** What the tests need beyond Node and npm. */
const PACKAGES = "python3-websockets munge slurmctld slurmd slurm-client chromium";

Deno.test("ci: installed packages are left alone, missing ones installed", options, async () => {
  const isApt = (call: string) => call.startsWith("apt-get");
  const present = await runCi({});
  assertEquals(present.calls.filter(isApt), []);
  const absent = await runCi({ packageStatus: "config-files" });
  assertEquals(absent.calls.filter(isApt), [
    "apt-get update -qq",
    `apt-get install -y -qq --no-install-recommends ${PACKAGES}`,
  ]);
  assertEquals([absent.code, absent.closing], [0, "3 passed, 0 failed"]);
  assert(!absent.stdout.includes("note:"));
});

Deno.test("ci: a machine that cannot install runs the tests and says so", options, async () => {
  const apt = { text: "E: Unable to acquire the dpkg frontend lock, are you root?", code: 100 };
  const run = await runCi({ packageStatus: "", apt });
  assertEquals([run.code, run.closing], [0, "3 passed, 0 failed"]);
  assertStringIncludes(
    run.stdout,
    `note: tests that need ${PACKAGES} are skipped, as apt-get cannot install them: ${apt.text}`,
  );
  assertEquals(run.calls.filter((call) => call.startsWith("apt-get")), ["apt-get update -qq"]);
});
