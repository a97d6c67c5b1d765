import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readBaselines, readCaCert, readToolArgs, refuseOwnFile } from "../../lib/cli/files.ts";
import { readHeavyTools } from "../../lib/cli/workload_file.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { renderJson } from "../../lib/report/export/json.ts";
import { sampleReport } from "../support/sample_report.ts";

/** `deno task test` runs these; a bare `deno test` may neither read nor write. */
const ignore = (["read", "write"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

const BOM = "\uFEFF";
const given = (text: string) => ({ source: "--option", text });

/** Runs a test in a new folder with these files. */
async function withFiles(
  files: Record<string, string>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await test(await Deno.realPath(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("files: a byte order mark is no part of what a file says", { ignore }, async () => {
  const report = sampleReport("passed");
  const files = {
    "args.json": `${BOM}{"n":1}`,
    "heavy.json": `${BOM}[{"tool":"chat"}]`,
    "report.json": `${BOM}${renderJson(report)}`,
  };
  await withFiles(files, async (directory) => {
    const place = { directory };
    assertEquals(await readToolArgs(given("@args.json"), place), '{"n":1}');
    assertEquals((await readHeavyTools(given("heavy.json"), place))[0]?.tool, "chat");
    assertEquals(await readBaselines([given("report.json")], place), [report]);
  });
});

Deno.test("files: a certificate that cannot be read is refused by name", { ignore }, async () => {
  const [begin, end] = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"];
  const files = { broken: `${begin}\nnope\n${end}\n`, half: `${begin}\nMIIB`, empty: "" };
  await withFiles(files, async (folder) => {
    for (const name of Object.keys(files)) {
      const { message } = await assertRejects(
        () => readCaCert(given(name), { directory: folder }),
        UsageError,
      );
      assertStringIncludes(message, `Cannot use --option "${name}": accepted is a PEM file`);
    }
  });
});

Deno.test("files: a folder where a file should be is refused in one line", { ignore }, async () => {
  await withFiles({}, async (folder) => {
    for (const read of [readCaCert, readHeavyTools]) {
      const { message } = await assertRejects(
        () => read(given("."), { directory: folder }),
        UsageError,
      );
      assertStringIncludes(message, 'Cannot read the file of --option ".": Is a directory');
      assertStringIncludes(message, "accepted is a readable file");
    }
  });
});

Deno.test("files: a page to fill is none that the reports go to", { ignore }, async () => {
  await withFiles({ "report.md": "", "README.md": "" }, async (folder) => {
    const own = () => refuseOwnFile(`${folder}/report.md`, folder);
    const { message } = await assertRejects(own, UsageError);
    assertStringIncludes(message, `Cannot use --inject "${folder}/report.md": report.md in --out`);
    await refuseOwnFile(`${folder}/README.md`, folder);
    await refuseOwnFile(`${folder}/report.md`, `${folder}/reports`);
    await refuseOwnFile(null, folder);
  });
});
