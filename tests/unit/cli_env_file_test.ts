import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readEnvFile } from "../../lib/cli/environment.ts";
import { prepareOutput } from "../../lib/cli/report_folder.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { makeTempFolder, namesIn, NO_FILES as ignore } from "../support/files.ts";

Deno.test(".env: only the first file found is read", { ignore }, async () => {
  await using folder = await makeTempFolder();
  const [near, far] = [`${folder.path}/near`, `${folder.path}/far`];
  assertEquals(await readEnvFile([near, far]), {});
  await Deno.writeTextFile(far, "A=far\nB=far\n");
  assertEquals(await readEnvFile([near, far]), { A: "far", B: "far" });
  await Deno.writeTextFile(near, "A=near\n");
  assertEquals(await readEnvFile([near, far]), { A: "near" });
});

Deno.test(".env: comments, quotes and Windows line breaks are understood", { ignore }, async () => {
  const text =
    "# a comment\r\n\r\nA=plain # why\r\nB=\"two words\"\r\nC='$A #x'\r\nD=a=b==\r\nE=\r\n";
  await using folder = await makeTempFolder({ ".env": text });
  const expected = { A: "plain", B: "two words", C: "$A #x", D: "a=b==", E: "" };
  assertEquals(await readEnvFile([`${folder.path}/.env`]), expected);
});

Deno.test(".env: a byte order mark is not part of the first name", { ignore }, async () => {
  await using folder = await makeTempFolder({ ".env": "\uFEFFEXAI_WS_TOKEN=t\n" });
  assertEquals(await readEnvFile([`${folder.path}/.env`]), { EXAI_WS_TOKEN: "t" });
});

Deno.test(".env: an unreadable file is an error", { ignore }, async () => {
  await using folder = await makeTempFolder({ file: "" });
  const path = `${folder.path}/file/.env`;
  const error = await assertRejects(() => readEnvFile([path]), UsageError);
  assertStringIncludes(error.message, `Cannot read ${path}`);
});

Deno.test(".env: a folder, such as a virtual environment, is skipped", { ignore }, async () => {
  await using folder = await makeTempFolder({ far: "A=far\n" });
  await Deno.mkdir(`${folder.path}/.env`);
  assertEquals(await readEnvFile([`${folder.path}/.env`, `${folder.path}/far`]), { A: "far" });
});

Deno.test("--out: the folder is made and left empty", { ignore }, async () => {
  await using folder = await makeTempFolder();
  await prepareOutput(`${folder.path}/a/b`);
  assertEquals(await namesIn(`${folder.path}/a/b`), []);
});

Deno.test("--out: a file, or a path under one, is refused by name", { ignore }, async () => {
  await using folder = await makeTempFolder({ file: "mine" });
  const file = `${folder.path}/file`;
  for (const path of [file, `${file}/below`]) {
    const error = await assertRejects(() => prepareOutput(path), UsageError);
    assertStringIncludes(error.message, `Cannot use --out "${path}"`);
    assertStringIncludes(error.message, "accepted is a folder");
  }
  assertEquals(await Deno.readTextFile(file), "mine");
});
