import { assertEquals } from "@std/assert";
import scaleOut from "../../docs/scale-out.md" with { type: "text" };
import { SCENARIOS } from "../../scenarios/mod.ts";

/** Scenarios named in the rows of the table under "What is split" that end with `ending`. */
function namedIn(ending: string): string[] {
  const rows = scaleOut.split("\n").filter((line) =>
    line.startsWith("| `") && line.trimEnd().replace(/ *\|$/, "").endsWith(ending)
  );
  return rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)).sort();
}

Deno.test("docs/scale-out.md: how each scenario is split is right", () => {
  const names = (sharding?: string) =>
    SCENARIOS.filter((scenario) => scenario.sharding === sharding).map(({ name }) => name).sort();
  assertEquals(namedIn("| not at all"), names());
  assertEquals(namedIn("| its connections"), names("connections"));
  assertEquals(namedIn("| their connections and their rate"), names("rate"));
});
