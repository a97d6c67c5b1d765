import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  formatTime,
  renderBarplot,
  renderBoxplot,
  renderHistogram,
  renderLineplot,
} from "../../lib/stats/terminal_plots.ts";

const ESCAPE = "\u001b";

Deno.test("formatTime picks the unit", () => {
  assertEquals([12, 1_250, 1.25e6, 2e9].map(formatTime), [
    "12.00 ns",
    "1.25 µs",
    "1.25 ms",
    "2.00 s",
  ]);
});

Deno.test("renderHistogram draws as many lines and columns as asked for", () => {
  const lines = renderHistogram([1, 1, 1, 1, 2, 3, 4, 9], { width: 10, height: 2 });
  assertEquals(lines.map((line) => line.length), [10, 10]);
  assertEquals(lines[0][0], "█");
  assertEquals(renderHistogram([5, 5, 5], { width: 10, height: 1 }).length, 1);
  assertThrows(() => renderHistogram([]), RangeError, "no samples");
});

Deno.test("renderBoxplot names its rows in full and labels its scale", () => {
  const box = { min: 1e4, p25: 2e4, avg: 3e4, p75: 4e4, p99: 9e4 };
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

Deno.test("renderBarplot draws bars from 0, in the order of the rows", () => {
  const lines = renderBarplot({ one: 100, four: 400, "8": 200 }, { width: 40, format: String });
  assertEquals(lines.map((line) => line.split("■").length - 1), [0, 20, 10, 40, 0]);
  assertEquals(lines.slice(1, -1).map((line) => line.trim().split(" ")[0]), ["8", "one", "four"]);
  assertStringIncludes(lines[3], " 400");
  assertEquals(renderBarplot({ nothing: 0 }).length, 3);
});

Deno.test("renderLineplot leaves gaps and labels its ends", () => {
  const axes = { xmin: 0, xmax: 10, ymin: 0, ymax: 10, labels: { xmin: "0", xmax: "10 msg/s" } };
  const lines = renderLineplot({ p50: { x: [0, 5, 10], y: [0, null, 10] } }, axes);
  assertStringIncludes(lines.join("\n"), "10 msg/s");
  assert(!/[⠁-⣿]/.test(lines.join("")), "a gap on either side of the only ends leaves nothing");
  assertThrows(() => renderLineplot({}, { ...axes, xmax: 0 }), RangeError, "x from 0 to 0");
});

Deno.test("plots are coloured only where asked for", () => {
  const axes = { xmin: 0, xmax: 1, ymin: 0, ymax: 1 };
  const box = { min: 1, p25: 2, avg: 3, p75: 4, p99: 5 };
  const line = { x: [0, 1], y: [0, 1] };
  for (const colors of [false, true]) {
    const plots = [
      renderHistogram([1, 2, 3], { colors }),
      renderBoxplot({ box }, { colors }),
      renderBarplot({ bar: 1 }, { colors }),
      renderLineplot({ line }, { ...axes, colors }),
    ];
    assertEquals(plots.map((plot) => plot.join("").includes(ESCAPE)), Array(4).fill(colors));
  }
});
