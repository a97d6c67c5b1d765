import { assertEquals } from "@std/assert";
import type { Calibration } from "../../lib/calibrate/calibrate.ts";
import { costOfCallNs, renderCalibration, shareOfBare } from "../../lib/calibrate/render.ts";

const CALIBRATION: Calibration = {
  environment: {
    os: "linux",
    arch: "x86_64",
    cpuModel: "A | B",
    cpuCount: 2,
    memoryBytes: 1,
    deno: "2.9.6",
    v8: "15.0",
    mitata: "1.0.34",
  },
  parts: [
    { name: "encode a call", timesACall: 1, medianNs: 100, fastestNs: 90, p99Ns: 120 },
    { name: "tell the time", timesACall: 3, medianNs: 80, fastestNs: 70, p99Ns: 99 },
    { name: "schedule a slot", timesACall: 0, medianNs: 25, fastestNs: 20, p99Ns: 50 },
  ],
  turns: [
    { connections: 1, inFlight: 1, suite: [9_000, 8_000, 10_000], bare: [10_000, 10_000, 10_000] },
    {
      connections: 10,
      inFlight: 8,
      suite: [80_000, 85_000, 90_000, 95_000, 99_000],
      bare: [100_000, 100_000, 100_000, 100_000, 100_000],
    },
  ],
};

Deno.test("calibrate: each step with its rate, its share of a call, and the sum", () => {
  assertEquals(costOfCallNs(CALIBRATION.parts), 100 + 3 * 80);
  const [head, , partsHead, , ...rows] = renderCalibration(CALIBRATION).split("\n");
  assertEquals(head, "On A &#124; B, 2 cores, with Deno 2.9.6 (V8 15.0) and mitata 1.0.34.");
  assertEquals(
    partsHead,
    "| Step | Median | Fastest batch | P99 of batches | A second | Times a call | A call |",
  );
  assertEquals(rows.slice(0, 4), [
    "| encode a call | 100 ns | 90 ns | 120 ns | 10,000,000 | 1 | 100 ns |",
    "| tell the time | 80 ns | 70 ns | 99 ns | 12,500,000 | 3 | 240 ns |",
    "| schedule a slot | 25 ns | 20 ns | 50 ns | 40,000,000 | – | – |",
    "| all steps of a call |  |  |  |  |  | 340 ns |",
  ]);
});

Deno.test("calibrate: turns are compared round by round, with an interval from five rounds on", () => {
  const [one, many] = CALIBRATION.turns;
  assertEquals(shareOfBare(one!), { ratio: 0.9, ci95: null });
  const { ratio, ci95 } = shareOfBare(many!);
  assertEquals([ratio, ci95], [0.9, [0.8, 0.99]]);
  assertEquals(renderCalibration(CALIBRATION).split("\n").slice(-2), [
    "| 1 x 1 | 9,000 msg/s | 10,000 msg/s | 0.11 ms | 0.10 ms | 0.90x | – |",
    "| 10 x 8 | 90,000 msg/s | 100,000 msg/s | 11.1 µs | 10.0 µs | 0.90x | 0.80x to 0.99x |",
  ]);
});
