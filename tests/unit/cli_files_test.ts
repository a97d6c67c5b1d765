import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readBaselines, readCaCert, readToolArgs, refuseOwnFile } from "../../lib/cli/files.ts";
import { readHeavyTools } from "../../lib/cli/workload_file.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { renderJson } from "../../lib/report/export/json.ts";
import { sampleReport } from "../support/sample_report.ts";
import { makeTempFolder, NO_FILES as ignore } from "../support/files.ts";

const BOM = "\uFEFF";
const given = (text: string) => ({ source: "--option", text });

Deno.test("files: a byte order mark is not part of a file's content", { ignore }, async () => {
  const report = sampleReport("passed");
  await using folder = await makeTempFolder({
    "args.json": `${BOM}{"n":1}`,
    "heavy.json": `${BOM}[{"tool":"chat"}]`,
    "report.json": `${BOM}${renderJson(report)}`,
  });
  const place = { directory: folder.path };
  assertEquals(await readToolArgs(given("@args.json"), place), '{"n":1}');
  assertEquals((await readHeavyTools(given("heavy.json"), place))[0]?.tool, "chat");
  assertEquals(await readBaselines([given("report.json")], place), [report]);
});

Deno.test("files: an invalid certificate is refused by name", { ignore }, async () => {
  const [begin, end] = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"];
  const files = { broken: `${begin}\nnope\n${end}\n`, half: `${begin}\nMIIB`, empty: "" };
  await using folder = await makeTempFolder(files);
  for (const name of Object.keys(files)) {
    const { message } = await assertRejects(
      () => readCaCert(given(name), { directory: folder.path }),
      UsageError,
    );
    assertStringIncludes(message, `Cannot use --option "${name}": accepted is a PEM file`);
  }
});

Deno.test("files: a folder where a file should be is refused", { ignore }, async () => {
  await using folder = await makeTempFolder();
  for (const read of [readCaCert, readHeavyTools]) {
    const { message } = await assertRejects(
      () => read(given("."), { directory: folder.path }),
      UsageError,
    );
    assertStringIncludes(message, 'Cannot read the file of --option ".": Is a directory');
    assertStringIncludes(message, "accepted is a readable file");
  }
});

Deno.test("files: --inject refuses a page that is a report of this run", { ignore }, async () => {
  await using folder = await makeTempFolder({ "report.md": "", "README.md": "" });
  const { path } = folder;
  const own = () => refuseOwnFile(`${path}/report.md`, path);
  const { message } = await assertRejects(own, UsageError);
  assertStringIncludes(message, `Cannot use --inject "${path}/report.md": report.md in --out`);
  await refuseOwnFile(`${path}/README.md`, path);
  await refuseOwnFile(`${path}/report.md`, `${path}/reports`);
  await refuseOwnFile(null, path);
});
