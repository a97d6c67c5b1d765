import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Report, ScenarioReport } from "../../lib/schema.ts";
import { comparePaired } from "../../lib/stats/compare_paired.ts";
import { summariseScalar } from "../../lib/stats/summary.ts";
import { latencyOf, ledgerOf, reportOf, scenarioOf } from "../support/comparable_report.ts";

const OPTIONS = { bandPercent: 3, floorOf: () => null };

/** Rates of 10 epochs that vary by up to a fifth, for both servers alike. */
const EPOCHS = [1_000, 1_150, 900, 1_050, 1_200, 980, 1_100, 940, 1_020, 1_080];

function throughputOf(factor: (epoch: number) => number) {
  return summariseScalar({
    ...{ name: "throughput", unit: "msg/s", better: "higher", role: "headline", gates: ["value"] },
    epochs: EPOCHS.map((rate, epoch) => rate * factor(epoch)),
  });
}

function report(factor: (epoch: number) => number, given: Partial<ScenarioReport> = {}): Report {
  return reportOf(scenarioOf("load", { metrics: [throughputOf(factor)], ...given }));
}

function invalid(...kinds: string[]): Partial<ScenarioReport> {
  const warnings = kinds.map((kind) => ({ kind, message: kind }));
  return { validity: { ...scenarioOf("load").validity, valid: false, warnings } };
}

const same = report(() => 1);
const slower = report((epoch) => 0.8 + 0.01 * (epoch % 2));

Deno.test("comparePaired: the ratio within each epoch decides, however much epochs vary", () => {
  const { rows: [row], regressions, noise } = comparePaired(same, slower, OPTIONS);
  assertEquals([row!.verdict, row!.gating, noise], ["slower", true, "paired"]);
  const logs = [0.8, 0.81].map(Math.log);
  assertAlmostEquals(row!.ratio!, Math.exp((logs[0]! + logs[1]!) / 2), 1e-9);
  assertEquals(regressions.length, 1);
  const back = comparePaired(slower, same, OPTIONS);
  assertEquals([back.rows[0]!.verdict, back.regressions], ["faster", []]);
  const still = comparePaired(same, report((epoch) => 1 + 0.001 * (epoch % 2)), OPTIONS);
  assertEquals(still.rows[0]!.verdict, "same");
  const wild = comparePaired(same, report((epoch) => epoch % 2 === 0 ? 0.7 : 1.2), OPTIONS);
  assertEquals([wild.rows[0]!.verdict, wild.regressions], ["undecided", []]);
  assert(wild.rows[0]!.need! > EPOCHS.length);
});

Deno.test("comparePaired: drift does not keep a ratio from gating; other invalidity does", () => {
  for (const kind of ["drift", "changed"]) {
    const drifting = report((epoch) => 0.8 + 0.01 * (epoch % 2), invalid(kind));
    const { rows: [row] } = comparePaired(same, drifting, OPTIONS);
    assertEquals([row!.verdict, row!.gating, row!.why], ["slower", true, null]);
  }
  for (const kinds of [["clientBound"], ["drift", "clientBound"]]) {
    const { rows: [row], regressions } = comparePaired(
      same,
      report(() => 0.5, invalid(...kinds)),
      OPTIONS,
    );
    assertEquals([row!.verdict, row!.gating, row!.why], ["undecided", false, "invalid"]);
    assertEquals(regressions, []);
  }
  const failed = comparePaired(report(() => 1, { status: "failed" }), slower, OPTIONS);
  assertEquals([failed.rows[0]!.gating, failed.rows[0]!.why], [false, "failed"]);
});

Deno.test("comparePaired: a vanished figure is listed as undecided; more errors are a regression", () => {
  const alone = reportOf(scenarioOf("load", { metrics: [] }));
  const [row] = comparePaired(same, alone, OPTIONS).rows;
  assertEquals([row!.verdict, row!.gating, row!.new], ["undecided", true, null]);
  // 20 calls per epoch give a p5 of all epochs together, but none of a single one.
  const few = reportOf(scenarioOf("load", { metrics: [latencyOf(1e6, { gates: ["p5", "p50"] })] }));
  assertEquals(
    comparePaired(few, few, OPTIONS).rows
      .map(({ statistic, gating, verdict }) => [statistic, gating, verdict]),
    [["p5", false, "undecided"], ["p50", true, "same"]],
  );
  const failing = report(() => 1, { ledger: ledgerOf(1_000, { toolError: 40 }) });
  assertEquals(comparePaired(same, failing, OPTIONS).newErrors.map(({ kind }) => kind), [
    "toolError",
  ]);
  assertEquals(comparePaired(same, same, OPTIONS).newErrors, []);
});
