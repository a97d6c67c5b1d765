import { assertEquals } from "@std/assert";
import {
  formatByteRate,
  formatBytes,
  formatCompactRate,
  formatCount,
  formatCountTick,
  formatDuration,
  formatDurationTick,
  formatInterval,
  formatMilliseconds,
  formatNumber,
  formatPercent,
  formatQuantity,
  formatRate,
  formatRatio,
  formatTimestamp,
} from "../../lib/report/units.ts";

Deno.test("formatDuration() picks a unit that keeps two or three digits", () => {
  const expected: [number, string][] = [
    [0, "0 ns"],
    [431, "431 ns"],
    [999.4, "999 ns"],
    [999.5, "1.00 µs"],
    [9_996, "10.0 µs"],
    [37_900, "37.9 µs"],
    [99_960, "0.10 ms"],
    [860_000, "0.86 ms"],
    [1_310_000, "1.31 ms"],
    [9_996_000, "10.0 ms"],
    [65_300_000, "65.3 ms"],
    [999_600_000, "1.0 s"],
    [1_200_000_000, "1.2 s"],
    [123_000_000_000, "123 s"],
    [3_600_000_000_000, "3,600 s"],
    [-860_000, "-0.86 ms"],
  ];
  for (const [ns, text] of expected) assertEquals(formatDuration(ns), text);
});

Deno.test("formatMilliseconds() agrees with formatDuration()", () => {
  assertEquals(formatMilliseconds(0.86), formatDuration(860_000));
  assertEquals(formatMilliseconds(2300), "2.3 s");
});

Deno.test("formatRate() is a whole number with separators, but never hides a slow rate", () => {
  assertEquals(formatRate(1151.4), "1,151 msg/s");
  assertEquals(formatRate(3_100_000), "3,100,000 msg/s");
  assertEquals(formatRate(0.4), "0.4 msg/s");
  assertEquals(formatRate(9.96), "10 msg/s");
  assertEquals(formatRate(0), "0 msg/s");
});

Deno.test("the marks of an axis have no decimals that say nothing", () => {
  assertEquals([0, 200, 1000, 200_000, 1e6, 2.5e6, 5e9, 2e12].map(formatDurationTick), [
    ...["0", "200 ns", "1 µs", "200 µs", "1 ms", "2.5 ms", "5 s", "2,000 s"],
  ]);
  assertEquals([0, 5, 200, 1000, 1150, 10_000, 2e6, 5e9].map(formatCountTick), [
    ...["0", "5", "200", "1K", "1.15K", "10K", "2M", "5G"],
  ]);
});

Deno.test("formatCompactRate() shortens from ten thousand on", () => {
  assertEquals(formatCompactRate(3_100_000), "3.1M msg/s");
  assertEquals(formatCompactRate(1151), "1,151 msg/s");
  assertEquals(formatCompactRate(999_960), "1.0M msg/s");
});

Deno.test("formatRatio() has decimals only where they matter", () => {
  assertEquals(formatRatio(2693.31), "2,693x");
  assertEquals(formatRatio(1.5387), "1.5x");
  assertEquals(formatRatio(0.62), "0.62x");
  assertEquals(formatRatio(0.999), "1.0x");
  assertEquals(formatRatio(9.96), "10x");
});

Deno.test("formatPercent() says 100% and 0% only of all and nothing", () => {
  assertEquals(formatPercent(1), "100%");
  assertEquals(formatPercent(0.9999), ">99.9%");
  assertEquals(formatPercent(0.985), "98.5%");
  assertEquals(formatPercent(0.0001), "<0.1%");
  assertEquals(formatPercent(0), "0%");
});

Deno.test("formatBytes(), formatCount() and formatNumber() group digits", () => {
  assertEquals(formatBytes(16_750_000_000), "15.6 GiB");
  assertEquals(formatBytes(1023), "1,023 B");
  assertEquals(formatBytes(1024), "1.0 KiB");
  assertEquals(formatCount(1_234_567), "1,234,567");
  assertEquals(formatNumber(0.9914), "0.991");
  assertEquals(formatNumber(1234.5678), "1,234.568");
});

Deno.test("formatQuantity() goes by the unit of the metric", () => {
  assertEquals(formatQuantity(860_000, "ns"), "0.86 ms");
  assertEquals(formatQuantity(1151, "msg/s"), "1,151 msg/s");
  assertEquals(formatQuantity(1.5, "x"), "1.5x");
  assertEquals(formatQuantity(-20_100, "ns/h"), "-20.1 µs/h");
  assertEquals(formatQuantity(null, "ns/h"), "–");
  assertEquals(formatQuantity(10, "connections"), "10 connections");
  assertEquals(formatQuantity(0.99, "index"), "0.99");
  assertEquals(formatInterval([1102, 1198], "msg/s"), "1,102 msg/s to 1,198 msg/s");
});

Deno.test("what was not measured is a dash in every unit", () => {
  const formats = [
    formatDuration,
    formatMilliseconds,
    formatRate,
    formatCompactRate,
    formatRatio,
    formatPercent,
    formatBytes,
    formatCount,
    formatNumber,
  ];
  for (const format of formats) {
    for (const value of [null, NaN, Infinity]) assertEquals(format(value), "–");
  }
  assertEquals(formatQuantity(null, "ns"), "–");
  assertEquals(formatInterval(null, "ns"), "–");
});

Deno.test("formatTimestamp() is UTC to the minute, and leaves other text alone", () => {
  assertEquals(formatTimestamp("2025-10-26T17:10:59.000Z"), "2025-10-26 17:10 UTC");
  assertEquals(formatTimestamp("yesterday"), "yesterday");
});

Deno.test("formatByteRate writes millions of bytes a second, with three digits where it is little", () => {
  const expected: [number | null, string][] = [
    [null, "–"],
    [0, "0.00 MB/s"],
    [920_427, "0.92 MB/s"],
    [9_994_000, "9.99 MB/s"],
    [9_996_000, "10.0 MB/s"],
    [99_960_000, "100 MB/s"],
    [1_007_094_327, "1,007 MB/s"],
  ];
  for (const [bytesPerSecond, text] of expected) {
    assertEquals(formatByteRate(bytesPerSecond), text);
    assertEquals(formatQuantity(bytesPerSecond, "bytes/s"), text);
  }
});

Deno.test("small numbers keep three digits, and clients have a tenth at most", () => {
  assertEquals([0.01034567, 0.0994, 0.1234, 12].map((value) => formatNumber(value)), [
    "0.0103",
    "0.0994",
    "0.123",
    "12",
  ]);
  assertEquals([10, 9.309, 6.25].map((value) => formatQuantity(value, "connections")), [
    "10 connections",
    "9.3 connections",
    "6.3 connections",
  ]);
});
