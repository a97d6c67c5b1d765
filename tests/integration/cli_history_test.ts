import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };

Deno.test(
  "cli: the next run is compared with the last, a failed one replaces neither",
  options,
  async () => {
    await using folder = await makeUserFolder();
    const run = (...args: string[]) =>
      runCli([...SHORT_RUN, "--quiet", ...args], { folder: folder.path });
    await run();
    const first = await folder.report();
    assertEquals(first.comparison, undefined);
    const wrong = await run("--url", "ws://127.0.0.1:1");
    assertEquals(wrong.code, 3);
    assertStringIncludes(wrong.stdout, "Kept the earlier report of ");
    assertEquals((await folder.report()).startedAt, first.startedAt);
    assertEquals((await folder.report("reports/failed")).verdict.exitCode, 3);
    const second = await run();
    assertEquals(second.code, 0);
    assertStringIncludes(second.stdout, " since the last run");
    const { comparison } = await folder.report();
    assertEquals([comparison?.automatic, comparison?.baselines], [true, 1]);
    const kept = `reports/history/${first.startedAt.replaceAll(":", "-")}.json`;
    assertEquals((await folder.files("reports/history")).has(kept), true);
    // What is asked for wins, and takes no run that measured nothing.
    const asked = await run("--baseline", "reports", "--baseline", kept, "--out", "other");
    assertEquals(asked.code, 0, asked.stderr);
    const { comparison: wanted } = await folder.report("other");
    assertEquals([wanted?.automatic, wanted?.baselines], [undefined, 2]);
  },
);
