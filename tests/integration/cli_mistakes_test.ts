/**
 * Mistakes that only show in a process: each ends in one line and exit code 2.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runCommand } from "../support/commands.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };

const MISTAKES: [string[], Record<string, string>, string][] = [
  [["serve"], {}, "Cannot run serve here, as it requires env access"],
  [
    ["ab", "--start-a", "a {port}", "--start-b", "b {port}"],
    {},
    'Cannot run ab here, as it requires run access to "sh": start it with deno task ab',
  ],
  [["--header", "X-Name: →"], {}, "Cannot use --header: accepted is 'Name: value'"],
  [["--out", "file"], {}, '/file": it is a file, not a folder; accepted is a folder that is'],
  [["ab", "--a", "ws://a"], {}, "Cannot compare two servers with --a alone, without --b: accepted"],
  [["ab", "--start-b", "x"], {}, "with --start-b alone, without --start-a: accepted are --a URL"],
  [["ab"], {}, "with neither named: accepted are --a URL and --b URL, or --start-a CMD"],
  [["serv", "--port", "0"], {}, 'Unknown command "serv": did you mean deno task serve?'],
  [["--workload", "none"], {}, 'Cannot read the file of --workload "none"'],
  [["merge"], {}, "Cannot run merge without arguments: accepted is FILES, the report.json of each"],
  [["report", "a", "b"], {}, "Cannot run report with 2 arguments: accepted is FILE, a report.json"],
  [["--ca-cert", "."], {}, 'Cannot read the file of --ca-cert ".": Is a directory'],
  [["--inject", "reports/report.md"], {}, "report.md in --out is overwritten by each run"],
];

Deno.test("cli: mistakes end in one line that says what is accepted", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write("file", "mine");
  await Deno.mkdir(`${folder.path}/reports`);
  await folder.write("reports/report.md", "<!-- bench:start -->\n<!-- bench:end -->\n");
  await Promise.all(MISTAKES.map(async ([args, env, message]) => {
    const { code, stdout, stderr } = await runCli(args, { folder: folder.path, env });
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }));
});

Deno.test("cli: a variable that is not UTF-8 is named without its value", {
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows",
}, async () => {
  const { code, stderr } = await inShell("EXAI_WS_TOKEN=$(printf 'a\\377b') ", "--list");
  assertEquals([code, stderr], [2, "error: Cannot use EXAI_WS_TOKEN: accepted is text in UTF-8\n"]);
});

Deno.test("cli: if stdout is full, the reports are written and the exit code is 2", {
  ignore: NEEDS_PROCESSES || Deno.build.os !== "linux",
}, async () => {
  await using folder = await makeUserFolder();
  const args = [...SHORT_RUN, "--quiet", "--out", folder.path, "> /dev/full"].join(" ");
  const { code, stderr } = await inShell(`INIT_CWD=${folder.path} `, args);
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, "error: Cannot write to standard output: No space left on device");
  assert(!stderr.includes("    at "), stderr);
  assert((await folder.files()).has("report.json"));
});

Deno.test("cli: if a report cannot be written whole, none is left and the verdict is printed", {
  ignore: NEEDS_PROCESSES || Deno.build.os !== "linux",
}, async () => {
  await using folder = await makeUserFolder();
  const args = [...SHORT_RUN, "--quiet", "--epochs", "2"].join(" ");
  // Room for report.json and report.md only: a write fails, as on a disk that is nearly full.
  const { code, stdout, stderr } = await inShell(
    `trap '' XFSZ; ulimit -f 32; INIT_CWD=${folder.path} `,
    args,
  );
  assertEquals(code, 2, stderr);
  assertStringIncludes(stdout, "PASSED");
  assertStringIncludes(stderr, `error: Cannot write ${folder.path}/reports/`);
  assertStringIncludes(stderr, "File too large");
  assert(!stderr.includes("    at "), stderr);
  assertEquals([...(await folder.files()).keys()], []);
});

Deno.test("power: --help explains the task, and simulates nothing", options, async () => {
  const args = ["run", "-q", "--no-prompt", "tests/support/power.ts", "--help"];
  const { code, stdout } = await runCommand(Deno.execPath(), args);
  assertEquals([code, stdout.split("\n")[0]], [0, "Usage: deno task power"]);
});

/** Runs the program from a shell line. */
function inShell(before: string, args: string) {
  const line = `${before}'${Deno.execPath()}' run -q --no-prompt -P=bench main.ts ${args}`;
  return runCommand("sh", ["-c", line]);
}
