import { assertEquals } from "@std/assert";
import {
  comparisonNotes,
  comparisonRows,
  thresholdRows,
} from "../../lib/report/comparison_rows.ts";
import { sampleReport } from "../support/sample_report.ts";

const { comparison, thresholds } = sampleReport("compared");

Deno.test("a comparison's changes are the ratios less one, in per cent", () => {
  const changes = comparisonRows(comparison!).map((cells) => cells[3]);
  assertEquals(
    changes,
    comparison!.rows.map(({ ratio }) => {
      const tenths = Math.round(ratio * 1000 - 1000);
      const digits = String(Math.abs(tenths)).padStart(2, "0");
      return `${tenths < 0 ? "-" : "+"}${digits.slice(0, -1)}.${digits.slice(-1)}%`;
    }),
  );
});

Deno.test("a comparison says of each row what was, what is, how sure, and whether it counts", () => {
  assertEquals(comparisonRows(comparison!), [
    [
      "message-throughput latency p50",
      "0.70 ms",
      "0.82 ms",
      "+17.1%",
      "+12.0% to +23.0%",
      "<0.001",
      "slower",
    ],
    [
      "message-throughput latency p95",
      "0.70 ms",
      "0.82 ms",
      "+17.1%",
      "+12.0% to +23.0%",
      "–",
      "not gating",
    ],
    [
      "message-throughput throughput",
      "1,000 msg/s",
      "1,151 msg/s",
      "+15.1%",
      "+12.0% to +23.0%",
      "<0.001",
      "faster",
    ],
    [
      "concurrent-connections throughput",
      "700,000 msg/s",
      "820,000 msg/s",
      "-1.0%",
      "-3.0% to +1.0%",
      "0.400",
      "~",
    ],
    [
      "soak throughput",
      "700,000 msg/s",
      "820,000 msg/s",
      "+17.1%",
      "–",
      "1.000",
      "too few rounds: 6 needed",
    ],
  ]);
});

Deno.test("a comparison's notes name the noise band, the differences, new errors and lone scenarios", () => {
  assertEquals(comparisonNotes(comparison!), [
    "A change counts where its adjusted p is under 0.05 and its interval lies wholly outside ±3 %.",
    "Compared although they differ in message-throughput.messages: 200 -> 100.",
    "New errors in message-throughput: 3 timeout.",
    "Only in the old report: pipelining.",
    "Only in the new report: soak.",
  ]);
});

Deno.test("a threshold shows what was observed, or why nothing was, and whether it was met", () => {
  assertEquals(thresholdRows(thresholds!), [
    ["message-throughput.latency.p95<5ms", "1.31 ms", "yes"],
    ["errors=1", "0", "no"],
    ["soak.latency.p99<1ms", "soak was not run", "no"],
  ]);
});
