import { assert, assertEquals } from "@std/assert";
import { assertGolden, GOLDEN_FOLDER, reportGoldens } from "../support/golden.ts";

/** `deno task test` runs these; a bare `deno test` may not read. */
const ignore = Deno.permissions.querySync({ name: "read" }).state !== "granted";

for (const { name, text } of reportGoldens()) {
  Deno.test({
    name: `${name} is as expected`,
    ignore,
    fn: async () => {
      const expected = await Deno.readTextFile(new URL(name, GOLDEN_FOLDER)).catch(() => "");
      assertGolden(name, text, { expected });
    },
  });
}

Deno.test("a difference fails, and is left beside the expectation where files may be written", () => {
  const url = new URL("../golden/difference.txt.got", import.meta.url);
  const may = (name: "read" | "write") =>
    Deno.permissions.querySync({ name, path: url }).state === "granted";
  let message = "";
  try {
    assertGolden("difference.txt", "new", { expected: "old" });
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message.includes("tests/golden/difference.txt differs"), message);
  if (!may("write")) return;
  if (may("read")) assertEquals(Deno.readTextFileSync(url), "new");
  Deno.removeSync(url);
});
