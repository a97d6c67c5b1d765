import { assert, assertEquals } from "@std/assert";
import type { Distribution, Scalar } from "../../lib/schema.ts";
import { renderBenchmarkJson } from "../../lib/report/export/benchmark.ts";
import { metricLabel } from "../../lib/report/quantities.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";

interface Entry {
  name: string;
  unit: string;
  value: number;
  range?: string;
  extra: string;
}

const read = (...args: Parameters<typeof renderBenchmarkJson>): Entry[] =>
  JSON.parse(renderBenchmarkJson(...args));

Deno.test("rates are listed as bigger-is-better, percentiles of times as smaller-is-better", () => {
  const report = sampleReport("passed");
  const bigger = read(report, "higher");
  const throughput = report.scenarios[1]!.metrics.find(({ name }) => name === "throughput");
  const { value, ci95 } = throughput as Scalar;
  const reach = Math.max(value - ci95![0], ci95![1] - value);
  assertEquals(bigger.find(({ name }) => name === "message-throughput throughput"), {
    name: "message-throughput throughput",
    unit: "msg/s",
    value,
    range: `± ${Number(reach.toPrecision(3))}`,
    extra: "10 epochs; profile standard",
  });
  const smaller = read(report, "lower").filter(({ name }) => name.startsWith("message-throughput"));
  const { p50, p95, p99 } = report.scenarios[1]!.metrics[0] as Distribution;
  assertEquals(smaller.map(({ name, unit, value, range }) => [name, unit, value, range]), [
    ["message-throughput latency p50", "ms", p50 / 1e6, "± 0.0246"],
    ["message-throughput latency p95", "ms", p95! / 1e6, "± 0.0372"],
    ["message-throughput latency p99", "ms", p99! / 1e6, undefined],
  ]);
});

Deno.test("a metric measured at several places is labelled with the place", () => {
  assertEquals(metricLabel({ name: "latency" }), "latency");
  assertEquals(metricLabel({ name: "throughput", at: { inFlight: 8 } }), "throughput@8");
  assertEquals(metricLabel({ name: "latency", at: { tool: "chat" } }), "latency.chat");
  const at = { clients: 5, inFlight: 1 };
  assertEquals(metricLabel({ name: "latency", at }), "latency@clients=5,inFlight=1");
  const names = read(sampleReport("sweeps"), "higher").map(({ name }) => name);
  assert(names.includes("pipelining throughput@16") && names.includes("scaling throughput@8"));
  const single = read(sampleReport("passed"), "higher").map(({ name }) => name);
  assert(single.includes("concurrent-connections throughput"), "only one metric of that name");
});

Deno.test("every entry has the fields that the action reads, and a unique name", () => {
  for (const kind of SAMPLE_KINDS) {
    const report = sampleReport(kind);
    if (kind === "hostile") continue;
    const entries = [...read(report, "higher"), ...read(report, "lower")];
    for (const { name, unit, value, extra } of entries) {
      assert(name !== "" && unit !== "" && Number.isFinite(value) && extra !== "");
    }
    assertEquals(new Set(entries.map(({ name }) => name)).size, entries.length);
  }
});

Deno.test("failed scenarios are left out, invalid ones are marked", () => {
  const report = sampleReport("passed");
  report.scenarios[1]!.status = "failed";
  report.scenarios[2]!.validity.valid = false;
  const entries = [...read(report, "higher"), ...read(report, "lower")];
  assert(!entries.some(({ name }) => name.startsWith("message-throughput")));
  const concurrent = entries.filter(({ name }) => name.startsWith("concurrent-connections"));
  assert(concurrent.length > 0);
  for (const { extra } of concurrent) assert(extra.endsWith("; not valid: see the report"));
  assertEquals(read(sampleReport("preflight_failure"), "higher"), []);
});

Deno.test("metrics without a better direction are left out", () => {
  const report = sampleReport("passed");
  const [scenario] = report.scenarios;
  const before = read(report, "lower").length;
  const metric = scenario!.metrics.find(({ kind }) => kind === "distribution") as Distribution;
  metric.better = null;
  assert(read(report, "lower").length < before);
});

Deno.test("text from the server becomes one line of plain text", () => {
  const report = sampleReport("hostile");
  report.scenarios[0]!.status = "passed";
  for (const { name, extra } of read(report, "higher")) {
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/.test(name + extra));
  }
});
