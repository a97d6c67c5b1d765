import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readEnvFile } from "../../lib/cli/environment.ts";
import { prepareOutput } from "../../lib/cli/report_folder.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

/** `deno task test` runs these; a bare `deno test` may neither read nor write. */
const ignore = (["read", "write"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(".env: the first file that is there is read, and no other", { ignore }, async () => {
  await withFolder(async (folder) => {
    const [near, far] = [`${folder}/near`, `${folder}/far`];
    assertEquals(await readEnvFile([near, far]), {});
    await Deno.writeTextFile(far, "A=far\nB=far\n");
    assertEquals(await readEnvFile([near, far]), { A: "far", B: "far" });
    await Deno.writeTextFile(near, "A=near\n");
    assertEquals(await readEnvFile([near, far]), { A: "near" });
  });
});

Deno.test(".env: comments, quotes and the line breaks of Windows", { ignore }, async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/.env`;
    const text =
      "# a comment\r\n\r\nA=plain # why\r\nB=\"two words\"\r\nC='$A #x'\r\nD=a=b==\r\nE=\r\n";
    await Deno.writeTextFile(path, text);
    const expected = { A: "plain", B: "two words", C: "$A #x", D: "a=b==", E: "" };
    assertEquals(await readEnvFile([path]), expected);
  });
});

Deno.test(".env: the mark that editors of Windows put before the first line is not in its name", {
  ignore,
}, async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/.env`, "\uFEFFEXAI_WS_TOKEN=t\n");
    assertEquals(await readEnvFile([`${folder}/.env`]), { EXAI_WS_TOKEN: "t" });
  });
});

Deno.test(".env: one that cannot be read is an error, not nothing", { ignore }, async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const path = `${folder}/file/.env`;
    const error = await assertRejects(() => readEnvFile([path]), UsageError);
    assertStringIncludes(error.message, `Cannot read ${path}`);
  });
});

Deno.test(".env: a folder of that name, such as a virtual environment, is passed over", {
  ignore,
}, async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/.env`);
    await Deno.writeTextFile(`${folder}/far`, "A=far\n");
    assertEquals(await readEnvFile([`${folder}/.env`, `${folder}/far`]), { A: "far" });
  });
});

Deno.test("--out: the folder is made and left empty", { ignore }, async () => {
  await withFolder(async (folder) => {
    await prepareOutput(`${folder}/a/b`);
    assertEquals(await Array.fromAsync(Deno.readDir(`${folder}/a/b`)), []);
  });
});

Deno.test("--out: what is or is under a file is refused by name", { ignore }, async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "mine");
    for (const path of [`${folder}/file`, `${folder}/file/below`]) {
      const error = await assertRejects(() => prepareOutput(path), UsageError);
      assertStringIncludes(error.message, `Cannot use --out "${path}"`);
      assertStringIncludes(error.message, "accepted is a folder");
    }
    assertEquals(await Deno.readTextFile(`${folder}/file`), "mine");
  });
});
