import { assert, assertEquals } from "@std/assert";
import { formatElapsed } from "../../lib/cli/progress_line.ts";
import * as units from "../../lib/report/units.ts";

Deno.test("a number shares the unit of its row, unless it would be unreadable in it", () => {
  const microseconds = { unit: "µs", size: 1e3 };
  const inRow = [997e3, 99.9e6, 100e6, 10e9].map((ns) =>
    units.formatQuantity(ns, "ns", microseconds)
  );
  assertEquals(inRow, ["997 µs", "99,900 µs", "100 ms", "10 s"]);
});

Deno.test("durations have three digits, in the largest unit they reach", () => {
  const expected: [number, string][] = [
    [0, "0 s"],
    [431, "431 ns"],
    [999.6, "1.00 µs"],
    [37_912, "37.9 µs"],
    [999_600, "1.00 ms"],
    [1_314_159, "1.31 ms"],
    [65_300_400, "65.3 ms"],
    [1_200_000_001, "1.20 s"],
    [123_400_000_000, "123 s"],
    [-860_400, "−860 µs"],
  ];
  for (const [ns, text] of expected) assertEquals(units.formatDuration(ns), text);
  assertEquals(units.formatDuration(null), "–");
  for (const extreme of [5e-324, 1e-310, 1.79e308, -1.79e308]) {
    for (const unit of ["ns", "msg/s", "bytes"]) {
      const text = units.formatQuantity(extreme, unit);
      assert(/\d/.test(text) && !/NaN|Infinity/.test(text) && text.length < 24, text);
    }
  }
  assertEquals(units.formatMilliseconds(0.8604), "860 µs");
});

Deno.test("rates, ratios, sizes and shares are formatted with their units", () => {
  assertEquals([9412.3, 0.94123, 34, 34.55].map(units.formatRate), [
    ...["9,410 msg/s", "0.941 msg/s", "34 msg/s", "34.5 msg/s"],
  ]);
  assertEquals([1151, 31_000, 3_100_000].map(units.formatCompactRate), [
    ...["1,150 msg/s", "31K msg/s", "3.10M msg/s"],
  ]);
  assertEquals([1.5387, 2693.4, Infinity].map(units.formatRatio), ["1.54x", "2,690x", "–"]);
  assertEquals([1e6, 64].map(units.formatBytes), ["977 KiB", "64 B"]);
  assertEquals(units.formatQuantity(12_345_678, "bytes/s"), "11.8 MiB/s");
  assertEquals([0, 0.0004, 0.0412, 0.6, 0.99999, 1].map(units.formatPercent), [
    ...["0 %", "under 0.1 %", "4.1 %", "60 %", "over 99.9 %", "100 %"],
  ]);
});

Deno.test("an interval has one unit, and the precision of its value", () => {
  assertEquals(units.formatInterval([85_000, 110_400], "ns", 97_000), "85.0 to 110.4 µs");
  assertEquals(units.formatInterval([9103, 9512], "msg/s", 9412), "9,100 to 9,510 msg/s");
  assertEquals(units.formatInterval([0.981, 1], "x", 0.991), "0.981 to 1.000x");
  assertEquals(units.formatInterval([0.9e6, 1.2e6], "ns", 1.1e6, false), "0.90 to 1.20");
});

Deno.test("figures in a row share one unit", () => {
  const scale = units.scaleOf(820_400, "ns");
  assertEquals([240_000, 820_400, 2_620_000].map((ns) => units.formatQuantity(ns, "ns", scale)), [
    ...["240 µs", "820 µs", "2,620 µs"],
  ]);
});

Deno.test("counts are exact, time spans are rounded for reading", () => {
  assertEquals([12_345, 1_000_000].map(units.formatCount), ["12,345", "1,000,000"]);
  assertEquals(units.formatCounted(1, "call"), "1 call");
  assertEquals([900, 41_200, 180_000, 750_000].map(units.formatSpan), [
    ...["0.9 s", "41 s", "3 min", "12 min 30 s"],
  ]);
  assertEquals([7e9, 750e9, 3723e9].map(formatElapsed), ["0:07", "12:30", "1:02:03"]);
  assertEquals(units.formatTimestamp("2025-10-26T17:10:00.000Z"), "2025-10-26 17:10 UTC");
  assertEquals(units.formatTimestamp("whenever"), "whenever");
});

Deno.test("axis ticks have no unnecessary digits", () => {
  assertEquals([0, 200, 200_000, 1e6, 2.5e6, 5e9].map(units.formatDurationTick), [
    ...["0", "200 ns", "200 µs", "1 ms", "2.5 ms", "5 s"],
  ]);
  assertEquals([0, 200, 1150, 2e6].map(units.formatCountTick), ["0", "200", "1.15K", "2M"]);
});
