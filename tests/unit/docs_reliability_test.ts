import { assertEquals } from "@std/assert";
import reliability from "../../docs/reliability.md" with { type: "text" };
import { FAULTS, HARMLESS_FAULTS } from "../support/hostile_server.ts";

/** Faults named in the first cell of each row under "The faults". */
const ROWS = reliability.split("\n## The faults\n")[1]!.split("\n## ")[0]!.split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((row) => [...row.split("|")[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));

Deno.test("docs/reliability.md: every fault is listed, the harmless ones in the last two rows", () => {
  assertEquals(ROWS.flat().toSorted(), FAULTS.toSorted());
  assertEquals(ROWS.slice(-2).flat().toSorted(), HARMLESS_FAULTS.toSorted());
});
