import { assertEquals } from "@std/assert";
import { isCleanClose } from "../../lib/run/describe_end.ts";

Deno.test("a close is clean with 1000, or with a close frame that has no code", () => {
  const codes = [1000, 1001, 1005, 1006, 1008, 1011, 4003];
  assertEquals(codes.filter((code) => isCleanClose({ code })), [1000, 1005]);
});
