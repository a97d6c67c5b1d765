import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parseReport } from "../../lib/report/json.ts";
import { renderMarkdown } from "../../lib/report/markdown.ts";
import { REPORT_FORMATS, ReportWriteError, writeReports } from "../../lib/report/write.ts";
import { sampleReport } from "../support/sample_report.ts";

/** `deno task test` runs these; a bare `deno test` may neither read nor write. */
const ignore = ["read", "write"].some((name) =>
  Deno.permissions.querySync({ name: name as "read" | "write" }).state !== "granted"
);

/** Runs `test` with a new folder that is removed afterwards. */
async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("writeReports() makes the folder and returns the paths", { ignore }, async () => {
  await withFolder(async (folder) => {
    const report = sampleReport("passed");
    const directory = `${folder}/new/reports`;
    const paths = await writeReports(report, { directory, formats: REPORT_FORMATS });
    assertEquals(
      paths,
      ["report.json", "report.md", "report.html", "junit.xml"].map((name) =>
        `${directory}/${name}`
      ),
    );
    assertEquals(await names(directory), ["junit.xml", "report.html", "report.json", "report.md"]);
    assertEquals(parseReport(await Deno.readTextFile(paths[0]), paths[0]), report);
    assertEquals(await Deno.readTextFile(paths[1]), renderMarkdown(report));
  });
});

Deno.test("writeReports() writes what was asked for, over what was there", { ignore }, async () => {
  await withFolder(async (directory) => {
    await Deno.writeTextFile(`${directory}/report.md`, "old");
    const options = { directory: `${directory}/`, formats: ["md"] as const };
    assertEquals(await writeReports(sampleReport("passed"), options), [`${directory}/report.md`]);
    assertEquals(await names(directory), ["report.md"]);
    assertStringIncludes(await Deno.readTextFile(`${directory}/report.md`), "# Phase 2");
  });
});

Deno.test("a file where the folder should be is one clear error", { ignore }, async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/reports`, "a file");
    await assertRejects(
      () =>
        writeReports(sampleReport("passed"), { directory: `${folder}/reports`, formats: ["md"] }),
      ReportWriteError,
      `Cannot create the folder ${folder}/reports: `,
    );
  });
});

Deno.test(
  "a failure leaves no temporary file and the old reports as they were",
  { ignore },
  async () => {
    await withFolder(async (directory) => {
      // A folder in the place of the first file makes its renaming fail.
      await Deno.mkdir(`${directory}/report.json`);
      await Deno.writeTextFile(`${directory}/report.md`, "old");
      await assertRejects(
        () => writeReports(sampleReport("passed"), { directory, formats: ["json", "md"] }),
        ReportWriteError,
        `Cannot write ${directory}/report.json: `,
      );
      assertEquals(await names(directory), ["report.json", "report.md"]);
      assertEquals(await Deno.readTextFile(`${directory}/report.md`), "old");
    });
  },
);

Deno.test("a report that cannot be rendered touches no file", { ignore }, async () => {
  await withFolder(async (directory) => {
    const report = sampleReport("passed");
    report.seed = Infinity;
    await assertRejects(
      () => writeReports(report, { directory, formats: ["md", "json"] }),
      RangeError,
    );
    assertEquals(await names(directory), []);
  });
});

Deno.test({
  name: "a place where nothing can be written is one clear error",
  ignore: ignore || Deno.build.os !== "linux",
  fn: async () => {
    const error = await assertRejects(
      () => writeReports(sampleReport("passed"), { directory: "/proc/reports", formats: ["md"] }),
      ReportWriteError,
      "Cannot create the folder /proc/reports: ",
    );
    assert(error.cause instanceof Error);
  },
});
