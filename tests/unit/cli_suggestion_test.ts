import { assertEquals } from "@std/assert";
import { closestTo } from "../../lib/cli/usage_error.ts";

Deno.test("a misspelled word suggests the closest one", () => {
  assertEquals(closestTo("--scenarois", ["--seed", "--scenarios"]), "--scenarios");
  assertEquals(closestTo("STANDRAD", ["quick", "standard"]), "standard");
  assertEquals(closestTo("mpc", ["exai", "mcp", "jsonrpc"]), "mcp");
  assertEquals(closestTo("serv", ["compare", "serve"]), "serve");
});

Deno.test("a word that resembles none suggests nothing", () => {
  assertEquals(closestTo("fast", ["quick", "standard", "phase2"]), null);
  assertEquals(closestTo("x", []), null);
  assertEquals(closestTo("pdf", ["json", "md", "html", "junit", "github", "benchmark"]), null);
  assertEquals(closestTo("xml", ["json", "md", "html", "junit", "github", "benchmark"]), null);
});
