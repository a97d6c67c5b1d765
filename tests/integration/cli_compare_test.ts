import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report } from "../../lib/schema.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };

/** Six rounds a side are enough for the rows of one scenario. */
const RUN = [...SHORT_RUN, "--rounds", "6"];

/** Further apart than rounds on the busiest machine, so that each round of one run beats all of the other. */
const FAR = 10_000;

/** The report of a run that was so many times as fast. */
function faster(report: Report, times: number): Report {
  return {
    ...report,
    scenarios: report.scenarios.map((scenario) => ({
      ...scenario,
      metrics: scenario.metrics.map((metric) => {
        if (metric.kind === "scalar") {
          const rounds = metric.rounds.map((value) => value * times);
          return { ...metric, value: metric.value * times, rounds };
        }
        const divided = (ns: number | null) => ns === null ? null : ns / times;
        const rounds = metric.rounds.map((round) => ({
          ...round,
          p50: divided(round.p50),
          p95: divided(round.p95),
          p99: divided(round.p99),
        }));
        const { p95, p99 } = metric;
        return { ...metric, p50: metric.p50 / times, p95: divided(p95), p99: divided(p99), rounds };
      }),
    })),
  };
}

Deno.test(
  "cli: a missed threshold exits 4, and every threshold is in the report",
  options,
  async () => {
    await using folder = await makeUserFolder();
    const { code, stdout } = await runCli(
      [
        ...SHORT_RUN,
        ...["--threshold", "message-throughput.latency.p50<1h", "--threshold", "errors=0"],
        ...["--threshold", "message-throughput.throughput>1000000000"],
      ].map((arg) => arg.replace("1h", "3600s")),
      { folder: folder.path },
    );
    assertEquals(code, 4);
    assertStringIncludes(
      stdout,
      "threshold message-throughput.throughput>1000000000 missed: observed",
    );
    const { thresholds, scenarios } = await folder.report();
    const [{ metrics }] = scenarios;
    const rate = metrics.find(({ name }) => name === "throughput");
    const times = metrics.find(({ name }) => name === "latency");
    assert(rate?.kind === "scalar" && times?.kind === "distribution");
    assertEquals(thresholds?.map(({ observed, passed }) => [observed, passed]), [
      [times.p50, true],
      [0, true],
      [rate.value, false],
    ]);
  },
);

Deno.test("cli: a threshold on what is not there exits 2 and names what is", options, async () => {
  await using folder = await makeUserFolder();
  const args = [...SHORT_RUN, "--threshold", "message-throughput.latncy.p50<1ms"];
  const { code, stderr } = await runCli(args, { folder: folder.path });
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    '"latncy.p50" is no metric: accepted are latency, throughput, errors',
  );
});

Deno.test(
  "cli: a run that is slower than its baseline exits 5, a faster one 0",
  options,
  async () => {
    await using folder = await makeUserFolder();
    await runCli(RUN, { folder: folder.path });
    const first = await folder.report();
    await folder.write("faster.json", JSON.stringify(faster(first, FAR)));
    await folder.write("slower.json", JSON.stringify(faster(first, 1 / FAR)));
    const regressed = await runCli([...RUN, "--baseline", "faster.json", "--out", "second"], {
      folder: folder.path,
    });
    assertEquals(regressed.code, 5, regressed.stderr);
    assertStringIncludes(regressed.stdout, "slower");
    const { comparison, verdict } = await folder.report("second");
    const gating = comparison?.rows.filter((row) => row.gating) ?? [];
    assert(gating.length >= 2 && gating.every(({ verdict }) => verdict === "slower"));
    assertEquals(verdict.reasons.map(({ code }) => code), comparison?.regressions.map(() => 5));
    const better = await runCli([...RUN, "--baseline", "slower.json", "--out", "third"], {
      folder: folder.path,
    });
    assertEquals(better.code, 0, better.stderr);
    assertStringIncludes(better.stdout, "faster");
  },
);

Deno.test(
  "cli: a baseline of another workload exits 2 before anything is measured",
  options,
  async () => {
    await using folder = await makeUserFolder();
    await runCli(RUN, { folder: folder.path });
    const args = [
      ...RUN,
      "--payload",
      "100",
      "--baseline",
      "reports/report.json",
      "--out",
      "second",
    ];
    const { code, stderr } = await runCli(args, { folder: folder.path });
    assertEquals(code, 2);
    assertStringIncludes(stderr, "message-throughput.payloadBytes: 0 -> 100");
    assertEquals((await folder.files("second")).size, 0);
    const forced = await runCli([...args, "--force"], { folder: folder.path });
    assertStringIncludes(
      forced.stdout,
      "Compared although they differ in message-throughput.payloadBytes",
    );
  },
);

Deno.test(
  "cli: compare shows what has changed, exits 5 on a regression and 0 without",
  options,
  async () => {
    await using folder = await makeUserFolder();
    await runCli(RUN, { folder: folder.path });
    await folder.write("faster.json", JSON.stringify(faster(await folder.report(), FAR)));
    const file = "reports/report.json";
    const compare = (...args: string[]) => runCli(["compare", ...args], { folder: folder.path });
    const slower = await compare("faster.json", file);
    assertEquals([slower.code, slower.stderr], [5, ""]);
    assertStringIncludes(slower.stdout, "message-throughput throughput");
    const same = await compare(file, file, "--format", "md");
    assertEquals(same.code, 0);
    assertStringIncludes(same.stdout, "| Metric | Old | New |");
    assertEquals((await compare(file)).code, 2);
    assertEquals((await compare(file, "reports/report.md")).code, 2);
  },
);

Deno.test("cli: report writes the pages again, byte for byte", options, async () => {
  await using folder = await makeUserFolder();
  await runCli(SHORT_RUN, { folder: folder.path });
  const before = await folder.files("reports");
  const args = ["report", "reports/report.json", "--out", "again", "--format", "json,md,html"];
  assertEquals((await runCli(args, { folder: folder.path })).code, 0);
  const after = await folder.files("again");
  for (const name of ["report.json", "report.md", "report.html"]) {
    assertEquals(after.get(`again/${name}`), before.get(`reports/${name}`), name);
  }
});

Deno.test("cli: a file that is no report is refused by its name", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write("broken.json", "{");
  const { code, stderr } = await runCli(["report", "broken.json"], { folder: folder.path });
  assertEquals(code, 2);
  assertStringIncludes(stderr, "broken.json");
});

Deno.test("cli: a payload is part of every scenario's workload", options, async () => {
  await using folder = await makeUserFolder();
  const run = ["--profile", "quick", "--scenarios", "reconnection", "--rounds", "1"];
  await runCli(run, { folder: folder.path });
  const args = [...run, "--payload", "100", "--baseline", "reports/report.json", "--out", "second"];
  const { code, stderr } = await runCli(args, { folder: folder.path });
  assertEquals(code, 2);
  assertStringIncludes(stderr, "reconnection.payloadBytes: 0 -> 100");
});
