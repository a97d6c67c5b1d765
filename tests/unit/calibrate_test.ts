import { assertAlmostEquals, assertEquals } from "@std/assert";
import { type Calibration, renderCalibration } from "../../lib/calibrate/calibrate.ts";
import { rateRatio } from "../../lib/calibrate/turns.ts";

const SUITE = [80_000, 180_000, 160_000];
const BARE = [100_000, 200_000, 200_000];

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
    { name: "encode a call", timesACall: 1, medianNs: 100 },
    { name: "read the clock", timesACall: 2, medianNs: 80 },
    { name: "schedule a slot", timesACall: 0, medianNs: 25 },
  ],
  turns: [
    { connections: 10, inFlight: 8, suite: SUITE, bare: BARE, ratio: rateRatio(SUITE, BARE) },
  ],
};

Deno.test("calibrate: loops are compared round by round, with an interval on a log scale", () => {
  const { mean, interval, spread } = rateRatio(SUITE, BARE);
  assertAlmostEquals(mean, Math.cbrt(0.8 * 0.9 * 0.8));
  // The standard deviation of ln 0.8, ln 0.9 and ln 0.8 is 0.068.
  assertAlmostEquals(Math.log(spread), 0.068, 1e-3);
  assertAlmostEquals(Math.log(interval[1] / mean), 1.96 * 0.068 / Math.sqrt(3), 1e-3);
  assertAlmostEquals(interval[0] * interval[1], mean ** 2);
  assertEquals(rateRatio([90], [100]), { mean: 0.9, interval: [0.9, 0.9], spread: 1 });
});

Deno.test("calibrate: the text lists each step of a call, their sum, and the compared loops", () => {
  assertEquals(renderCalibration(CALIBRATION).split("\n"), [
    "On A &#124; B, 2 cores, with Deno 2.9.6 (V8 15.0).",
    "",
    "| Step | Median | Times per call | Per call |",
    "| --- | ---: | ---: | ---: |",
    "| encode a call | 100 ns | 1 | 100 ns |",
    "| read the clock | 80 ns | 2 | 160 ns |",
    "| schedule a slot | 25 ns | – | – |",
    "| all steps of a call |  |  | 260 ns |",
    "",
    "| Connections x in flight | Suite | Bare loop | Suite, per call | Bare loop, per call " +
    "| Suite / bare loop | 95 % interval | Spread of rounds (factor) |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    "| 10 x 8 | 132,000 msg/s | 159,000 msg/s | 7.57 µs | 6.30 µs | 0.832 | 0.770 to 0.899 | 1.07 |",
  ]);
});
