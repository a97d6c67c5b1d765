/**
 * `compare OLD… -- NEW…` on report.json files of a temporary folder.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { runCompare } from "../../lib/cli/offline_commands.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { renderJson } from "../../lib/report/export/json.ts";
import { latencyOf, reportOf, scenarioOf } from "../support/comparable_report.ts";

/** `deno task test` runs these; a bare `deno test` may not write. */
const ignore = (["read", "write"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

interface Folder extends AsyncDisposable {
  /** A run whose median call took so many microseconds. */
  write(name: string, us: number, given?: { parameters?: Record<string, number> }): Promise<void>;
  compare(...args: string[]): ReturnType<typeof runCompare>;
  messageOf(...args: string[]): Promise<string>;
}

async function makeFolder(): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "bench-compare-" });
  const compare = (...args: string[]) =>
    runCompare(args, { directory: path, color: false, width: 100 });
  return {
    async write(name, us, given = {}) {
      const folder = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "";
      await Deno.mkdir(`${path}/${folder}`, { recursive: true });
      const scenario = scenarioOf("message-throughput", {
        metrics: [latencyOf(us * 1e3)],
        ...given,
      });
      await Deno.writeTextFile(`${path}/${name}`, renderJson(reportOf(scenario)));
    },
    compare,
    messageOf: async (...args) =>
      (await assertRejects(() => compare(...args), UsageError)).message.replace(path, "…"),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

const GROUPS = ["a.json", "b.json", "c.json", "d.json"];

Deno.test(
  "compare: two files need no dashes, and decide nothing without a noise",
  { ignore },
  async () => {
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
  },
);

Deno.test("compare: a change within the band does not matter", { ignore }, async () => {
  await using folder = await makeFolder();
  await folder.write("old.json", 100);
  await folder.write("new.json", 106);
  const codeOf = async (...options: string[]) =>
    (await folder.compare("old.json", "new.json", "--noise", "0", ...options)).exitCode;
  assertEquals([await codeOf(), await codeOf("--band", "10"), await codeOf("--band", "5")], [
    ...[5, 0, 5],
  ]);
});

Deno.test("compare: from several earlier runs the noise is learned", { ignore }, async () => {
  await using folder = await makeFolder();
  for (const [index, name] of GROUPS.entries()) await folder.write(name, 100 + index);
  await folder.write("new.json", 150);
  await folder.write("same.json", 101);
  assertEquals((await folder.compare(...GROUPS, "--", "new.json")).exitCode, 5);
  assertEquals((await folder.compare(...GROUPS, "--", "same.json")).exitCode, 0);
  // Three of them are too few.
  assertEquals((await folder.compare(...GROUPS.slice(1), "--", "new.json")).exitCode, 0);
  // The worst of the new ones decides, and each has its table.
  const both = await folder.compare(...GROUPS, "--", "same.json", "new.json", "--format", "md");
  assertEquals(both.exitCode, 5);
  assertEquals(both.text.match(/^# Comparison$/gm)?.length, 2, both.text);
});

Deno.test("compare: a folder stands for the reports in it, each once", { ignore }, async () => {
  await using folder = await makeFolder();
  for (const [index, name] of GROUPS.entries()) {
    await folder.write(index < 2 ? `runs/${name}` : `runs/run-${index}/report.json`, 100 + index);
  }
  await folder.write("new.json", 150);
  assertEquals((await folder.compare("runs", "--", "new.json")).exitCode, 5);
  // The same four, though two of them are named again.
  const again = await folder.compare("runs", "runs/a.json", "runs/b.json", "--", "new.json");
  assertEquals(again, await folder.compare("runs", "--", "new.json"));
});

Deno.test(
  "compare: other workloads are refused by their difference, unless forced",
  { ignore },
  async () => {
    await using folder = await makeFolder();
    await folder.write("old.json", 100);
    await folder.write("new.json", 100, { parameters: { payloadBytes: 7 } });
    const message = await folder.messageOf("old.json", "new.json");
    assertStringIncludes(message, "message-throughput.payloadBytes");
    assertStringIncludes(message, "--force");
    assertEquals((await folder.compare("old.json", "new.json", "--force")).exitCode, 0);
  },
);

Deno.test("compare: what cannot be used is named, with what is accepted", { ignore }, async () => {
  await using folder = await makeFolder();
  await folder.write("old.json", 100);
  await folder.write("empty/not-a-report.txt", 100);
  const cases: [args: string[], message: string][] = [
    [[], "Cannot run without arguments: accepted is OLD… -- NEW…, see --help"],
    [["old.json"], "Cannot compare 1 file: accepted are OLD and NEW, or several with --"],
    [["old.json", "--"], "Cannot compare 1 file"],
    [["old.json", "old.json", "old.json"], "Cannot compare 3 files"],
    [["old.json", "none.json"], 'Cannot read the file of the argument "none.json"'],
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
