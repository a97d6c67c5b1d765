import { assertEquals } from "@std/assert";
import reliability from "../../docs/reliability.md" with { type: "text" };
import { FAULTS, HARMLESS_FAULTS } from "../support/hostile_server.ts";

/** The faults that the first cells of the table under "The faults" name, by row. */
const ROWS = reliability.split("\n## The faults\n")[1]!.split("\n## ")[0]!.split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((row) => [...row.split("|")[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));

Deno.test("docs/reliability.md: every fault of the hostile server has its row, the harmless ones the last two", () => {
  assertEquals(ROWS.flat().toSorted(), FAULTS.toSorted());
  assertEquals(ROWS.slice(-2).flat().toSorted(), HARMLESS_FAULTS.toSorted());
});
