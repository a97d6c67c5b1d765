import { assert, assertEquals, assertThrows } from "@std/assert";
import { NO_READ as ignore } from "../support/files.ts";
import { assertGolden, GOLDEN_FOLDER, reportGoldens } from "../support/golden.ts";

for (const { name, text } of reportGoldens()) {
  Deno.test(`${name} is as expected`, { ignore }, async () => {
    const expected = await Deno.readTextFile(new URL(name, GOLDEN_FOLDER)).catch(() => "");
    assertGolden(name, text, { expected });
  });
}

Deno.test("a difference fails, and is written next to the expected file if files can be written", () => {
  const url = new URL("../golden/difference.txt.got", import.meta.url);
  const may = (name: "read" | "write") =>
    Deno.permissions.querySync({ name, path: url }).state === "granted";
  const { message } = assertThrows(
    () => assertGolden("difference.txt", "new", { expected: "old" }),
    Error,
  );
  assert(message.includes("tests/golden/difference.txt differs"), message);
  if (!may("write")) return;
  if (may("read")) assertEquals(Deno.readTextFileSync(url), "new");
  Deno.removeSync(url);
});
