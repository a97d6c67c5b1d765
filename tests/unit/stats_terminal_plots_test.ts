import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { renderBoxplot } from "../../lib/stats/terminal_plots.ts";

const box = { min: 1e4, p25: 2e4, avg: 3e4, p75: 4e4, p99: 9e4 };

Deno.test("renderBoxplot names its rows in full and labels its scale", () => {
  const plot = renderBoxplot({ "a-long-scenario-name": box, b: { ...box, p99: 1e5 } }, {
    width: 5,
  });
  const text = plot.join("\n");
  for (const part of ["a-long-scenario-name ", "10.00 µs", "100.00 µs"]) {
    assertStringIncludes(text, part);
  }
  const flat = { min: 1, p25: 1, avg: 1, p75: 1, p99: 1 };
  assertThrows(() => renderBoxplot({ flat }), RangeError, "1 to 1 ns");
});

Deno.test("renderBoxplot draws on a log scale, in its own words, and coloured, where asked for", () => {
  const wide = { ...box, p99: 1e8 };
  const text = renderBoxplot({ wide }, { scale: "log", format: (ns) => `<${Math.round(ns)}>` });
  for (const label of ["<10000>", "<1000000>", "<100000000>"]) {
    assertStringIncludes(text.join("\n"), label);
  }
  for (const colors of [false, true]) {
    assertEquals(renderBoxplot({ box }, { colors }).join("").includes("\u001b"), colors);
  }
});
