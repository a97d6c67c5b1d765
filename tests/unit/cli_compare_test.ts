import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dirname } from "node:path";
import { runCompare } from "../../lib/cli/offline_commands.ts";
import { renderJson } from "../../lib/report/export/json.ts";
import { latencyOf, reportOf, scenarioOf } from "../support/comparable_report.ts";
import { makeTempFolder, NO_FILES as ignore } from "../support/files.ts";
import { silentProgram } from "../support/silent_program.ts";

async function makeFolder() {
  const folder = await makeTempFolder();
  const { path } = folder;
  const compare = async (...args: string[]) => {
    const program = silentProgram();
    const place = { env: {}, directory: path, vocabulary: {} };
    const exitCode = await runCompare(args, place, program);
    return { exitCode, text: program.printed.join("") };
  };
  return {
    ...folder,
    compare,
    /** Writes the report of a run with this median call. */
    async write(name: string, us: number, given: { parameters?: Record<string, number> } = {}) {
      await Deno.mkdir(dirname(`${path}/${name}`), { recursive: true });
      const scenario = scenarioOf("message-throughput", {
        metrics: [latencyOf(us * 1e3)],
        ...given,
      });
      await Deno.writeTextFile(`${path}/${name}`, renderJson(reportOf(scenario)));
    },
    messageOf: async (...args: string[]) =>
      (await assertRejects(() => compare(...args), Error)).message.replace(path, "…"),
  };
}

const GROUPS = ["a.json", "b.json", "c.json", "d.json"];

Deno.test("compare: two files need no --, and pass without --noise", { ignore }, async () => {
  await using folder = await makeFolder();
  await folder.write("old.json", 100);
  await folder.write("new.json", 150);
  for (const args of [["old.json", "new.json"], ["old.json", "--", "new.json"]]) {
    const { text, exitCode } = await folder.compare(...args, "--format", "md");
    assertEquals(exitCode, 0);
    assertStringIncludes(text, "+50.0 %");
  }
  assertEquals((await folder.compare("old.json", "new.json", "--noise", "5")).exitCode, 5);
  assertEquals((await folder.compare("new.json", "old.json", "--noise", "5")).exitCode, 0);
});

Deno.test("compare: a change within --band passes", { ignore }, async () => {
  await using folder = await makeFolder();
  await folder.write("old.json", 100);
  await folder.write("new.json", 106);
  const codeOf = async (...options: string[]) =>
    (await folder.compare("old.json", "new.json", "--noise", "0", ...options)).exitCode;
  assertEquals(await codeOf(), 5);
  assertEquals(await codeOf("--band", "10"), 0);
  assertEquals(await codeOf("--band", "5"), 5);
});

Deno.test("compare: the noise is learned from four earlier runs", { ignore }, async () => {
  await using folder = await makeFolder();
  for (const [index, name] of GROUPS.entries()) await folder.write(name, 100 + index);
  await folder.write("new.json", 150);
  await folder.write("same.json", 101);
  assertEquals((await folder.compare(...GROUPS, "--", "new.json")).exitCode, 5);
  assertEquals((await folder.compare(...GROUPS, "--", "same.json")).exitCode, 0);
  // Three are too few.
  assertEquals((await folder.compare(...GROUPS.slice(1), "--", "new.json")).exitCode, 0);
  // Each new run has its own table, and the worst decides.
  const both = await folder.compare(...GROUPS, "--", "same.json", "new.json", "--format", "md");
  assertEquals(both.exitCode, 5);
  assertEquals(both.text.match(/^# Comparison$/gm)?.length, 2, both.text);
});

Deno.test("compare: a folder stands for its reports, each counted once", { ignore }, async () => {
  await using folder = await makeFolder();
  for (const [index, name] of GROUPS.entries()) {
    await folder.write(index < 2 ? `runs/${name}` : `runs/run-${index}/report.json`, 100 + index);
  }
  await folder.write("new.json", 150);
  assertEquals((await folder.compare("runs", "--", "new.json")).exitCode, 5);
  // Naming two of them again changes nothing.
  const again = await folder.compare("runs", "runs/a.json", "runs/b.json", "--", "new.json");
  assertEquals(again, await folder.compare("runs", "--", "new.json"));
});

Deno.test("compare: another workload is refused, unless forced", { ignore }, async () => {
  await using folder = await makeFolder();
  await folder.write("old.json", 100);
  await folder.write("new.json", 100, { parameters: { payloadBytes: 7 } });
  const message = await folder.messageOf("old.json", "new.json");
  assertStringIncludes(message, "message-throughput.payloadBytes");
  assertStringIncludes(message, "--force");
  assertEquals((await folder.compare("old.json", "new.json", "--force")).exitCode, 0);
});

Deno.test("compare: errors name the argument and what is accepted", { ignore }, async () => {
  await using folder = await makeFolder();
  await folder.write("old.json", 100);
  await folder.write("empty/not-a-report.txt", 100);
  await Deno.writeTextFile(`${folder.path}/text.json`, "passed");
  await Deno.writeTextFile(`${folder.path}/{}.json`, "{}");
  const cases: [args: string[], message: string][] = [
    [[], "Cannot run compare without arguments: accepted is OLD… -- NEW…, report.json files"],
    [["old.json"], "Cannot compare 1 file: accepted are OLD and NEW, or several with --"],
    [["old.json", "--"], "Cannot compare 1 file"],
    [["old.json", "old.json", "old.json"], "Cannot compare 3 files"],
    [["old.json", "none.json"], 'Cannot read the file of the argument "none.json"'],
    [
      ["text.json", "old.json"],
      'Cannot read the file of the argument "text.json" as a report: it is',
    ],
    [["{}.json", "old.json"], "accepted is 2; it is not a report.json of this suite"],
    [["empty", "--", "old.json"], 'Cannot use the argument "empty": accepted is a report.json, or'],
    [["old.json", "old.json", "--noise", "x"], 'Cannot use --noise "x": accepted is a number from'],
    [["old.json", "old.json", "--noise=-1"], 'Cannot use --noise "-1": accepted is a number from'],
    [["old.json", "old.json", "--band", "101"], "accepted is a number from 0 to 100 percent"],
    [["old.json", "old.json", "--format", "pdf"], 'Cannot use --format "pdf": accepted is one of'],
    [["old.json", "old.json", "--epochs", "3"], "Unknown option --epochs"],
  ];
  for (const [args, message] of cases) {
    assertStringIncludes(await folder.messageOf(...args), message, args.join(" "));
  }
});

Deno.test("compare: names that are numbers stay text", { ignore }, async () => {
  await using folder = await makeFolder();
  await folder.write("007", 100);
  await folder.write("1e3", 150);
  for (const args of [["007", "1e3"], ["007", "--", "1e3"]]) {
    assertEquals((await folder.compare(...args)).exitCode, 0);
  }
});

Deno.test(
  "compare: the value of an option is no file, even with a file of that name",
  { ignore },
  async () => {
    await using folder = await makeFolder();
    await folder.write("5", 100);
    await folder.write("new.json", 150);
    const { exitCode, text } = await folder.compare("5", "--", "new.json", "--noise", "5");
    assertEquals(exitCode, 5);
    // Judged once, against one earlier run.
    assertEquals(text, (await folder.compare("5", "new.json", "--noise", "5")).text);
  },
);
