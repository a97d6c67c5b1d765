import { assertEquals } from "@std/assert";
import { closestTo } from "../../lib/cli/usage_error.ts";

Deno.test("a word with a slip of the finger suggests what was meant", () => {
  assertEquals(closestTo("--scenarois", ["--seed", "--scenarios"]), "--scenarios");
  assertEquals(closestTo("STANDRAD", ["quick", "standard"]), "standard");
});

Deno.test("a word that is like none suggests none", () => {
  assertEquals(closestTo("fast", ["quick", "standard", "phase2"]), null);
  assertEquals(closestTo("x", []), null);
});
