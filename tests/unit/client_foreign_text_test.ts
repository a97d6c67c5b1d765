import { assertEquals } from "@std/assert";
import { foreignText } from "../../lib/client/foreign_text.ts";

Deno.test("a secret is masked before the text is cut, so that no part of it is left", () => {
  const foreign = foreignText(["secret-token", ""]);
  assertEquals(foreign("no secret-token here"), "no *** here");
  assertEquals(foreign(`${"x".repeat(10)}secret-token`, 14), `${"x".repeat(10)}***`);
  assertEquals(foreign("y".repeat(200)), `${"y".repeat(160)}…`);
});
