import { assertEquals, assertStringIncludes } from "@std/assert";
import { renderBoxplot } from "../../lib/stats/terminal_plots.ts";

const box = { min: 1e4, p25: 2e4, avg: 3e4, p75: 4e4, p99: 9e4 };
const plain = { width: 5, colors: false, format: (ns: number) => `<${Math.round(ns)}>` };

Deno.test("renderBoxplot names its rows in full and labels its scale", () => {
  const rows = { "a-long-scenario-name": box, b: { ...box, p99: 1e5 } };
  const text = renderBoxplot(rows, plain).join("\n");
  for (const part of ["a-long-scenario-name ", "<10000>", "<100000>"]) {
    assertStringIncludes(text, part);
  }
});

Deno.test("renderBoxplot draws on a log scale, and in colour if asked to", () => {
  const wide = { ...box, p99: 1e8 };
  const text = renderBoxplot({ wide }, plain);
  for (const label of ["<10000>", "<1000000>", "<100000000>"]) {
    assertStringIncludes(text.join("\n"), label);
  }
  for (const colors of [false, true]) {
    assertEquals(renderBoxplot({ box }, { ...plain, colors }).join("").includes("\u001b"), colors);
  }
});
