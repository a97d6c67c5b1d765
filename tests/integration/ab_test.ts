// Runs alone: compares times.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needsAnother, runAb } from "../../lib/run/ab.ts";
import { planScenarios } from "../../lib/run/plan.ts";
import type { RunSettings } from "../../lib/run/settings.ts";
import type { Report } from "../../lib/schema.ts";
import { authentication } from "../../scenarios/authentication.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import { NO_OVERRIDES, settingsAt, startReference } from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";

const SCENARIOS = [
  messageThroughput,
  concurrentConnections,
  connectionEstablishment,
  authentication,
];

/** Compares two servers in a few epochs of a few calls. */
function compare(
  urls: { a: string; b: string },
  { settings = {}, signal = new AbortController().signal, restart = null, ended = [] }: {
    settings?: Partial<RunSettings>;
    signal?: AbortSignal;
    restart?: (() => Promise<void>) | null;
    /** Collects the names of scenarios that ended. */
    ended?: string[];
  } = {},
): Promise<Report> {
  const of = (url: string) =>
    settingsAt(url, {
      scenarios: ["message-throughput"],
      epochs: 6,
      timeoutMs: 2_000,
      ...settings,
      overrides: { ...NO_OVERRIDES, messages: 12, ...settings.overrides },
    });
  return runAb({ a: of(urls.a), b: of(urls.b) }, {
    planned: planScenarios(SCENARIOS, of(urls.b)),
    restart,
    bundled: null,
    signal,
    onWarning: () => {},
    onProgress: (progress) => progress.state === "ended" && ended.push(progress.scenario),
    onPartialReport: () => Promise.resolve(),
  });
}

Deno.test(
  { name: "ab: a server whose calls take twice as long is slower, exit 5", ignore },
  async () => {
    await using a = await startFaultyServer({ script: () => ({ kind: "late", ms: 6 }) });
    await using b = await startFaultyServer({ script: () => ({ kind: "late", ms: 14 }) });
    const ended: string[] = [];
    const report = await compare({ a: a.url, b: b.url }, { ended });
    assertEquals(ended.sort(), ["A: message-throughput", "B: message-throughput"]);
    assertEquals([report.verdict.exitCode, report.comparison!.noise], [5, "paired"]);
    const row = report.comparison!.rows.find(({ statistic }) => statistic === "p50")!;
    assertEquals([row.verdict, row.gating], ["slower", true], JSON.stringify(row));
    // Six epochs of one sign: the smallest p that the sign-flip test can give.
    assertEquals([row.epochs!.length, row.p], [6, 2 / 64]);
    const mean = row.epochs!.reduce((sum, ratio) => sum + Math.log(ratio), 0) / 6;
    assert(Math.abs(Math.log(row.ratio!) - mean) < 1e-9);
    assert(row.ci![0] > 1.03 && row.ci![0] <= row.ratio! && row.ratio! <= row.ci![1]);
    // Without the client's own time, the change of the server's part is larger.
    assert(row.own === undefined || row.own.ratio >= row.ratio!);
    assertStringIncludes(report.comparison!.regressions.join(), "latency p50 is up by");
    const { ab, target } = report;
    assertEquals([ab!.a.url, ab!.b.url, target.url], [a.url, b.url, b.url]);
  },
);

Deno.test({ name: "ab: the same server is not slower than itself", ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 20 } });
  const report = await compare({ a: server.url, b: server.url }, {
    settings: {
      scenarios: ["message-throughput", "concurrent-connections", "connection-establishment"],
    },
  });
  const verdicts = report.comparison!.rows.map(({ verdict }) => verdict);
  assertEquals(report.verdict.reasons, [], JSON.stringify(report.comparison!.rows));
  assert(verdicts.length > 0 && !verdicts.includes("slower"), verdicts.join());
  // The scenarios are B's, once each.
  assertEquals(report.scenarios.map(({ name }) => name).length, 3);
});

Deno.test(
  { name: "ab: both servers restart before every epoch, with no client connected", ignore },
  async () => {
    const limits = { maxConnectionsPerIp: 20 };
    await using server = await startReference({ limits, helloTimeoutMs: 2_000 });
    const connected: number[] = [];
    const report = await compare({ a: server.url, b: server.url }, {
      // The wait for the hello timeout comes after the last restart.
      settings: {
        ...{ epochs: 2, profile: "standard" },
        scenarios: ["message-throughput", "authentication"],
      },
      restart: () => {
        connected.push(server.stats().connections);
        return Promise.resolve();
      },
    });
    assertEquals([report.ab!.restarted, connected], [true, [0, 0, 0]]);
    assertEquals(report.scenarios.map(({ status }) => status), ["passed", "passed"]);
  },
);

Deno.test({ name: "ab: a wait for one server leaves the other room", ignore }, async () => {
  const startWith = (maxConnectionsPerIp: number) =>
    startReference({ limits: { maxConnectionsPerIp }, helloTimeoutMs: 2_000 });
  await using a = await startWith(20);
  await using b = await startWith(5);
  const { scenarios } = await compare({ a: a.url, b: b.url }, {
    settings: {
      ...{ epochs: 1, profile: "standard" },
      scenarios: ["concurrent-connections", "authentication"],
    },
  });
  assertEquals(scenarios.map(({ status }) => status), ["passed", "passed"]);
});

Deno.test({ name: "ab: a server that cannot be reached is named, exit 3", ignore }, async () => {
  await using server = await startReference();
  const nobody = "ws://127.0.0.1:1";
  for (
    const [urls, name] of [[{ a: nobody, b: server.url }, "A"], [
      { a: server.url, b: nobody },
      "B",
    ]] as const
  ) {
    const { verdict } = await compare(urls);
    assertEquals(verdict.exitCode, 3);
    const { message } = verdict.reasons[0]!;
    assertStringIncludes(message, `${name}: Cannot connect to ${nobody}`);
  }
});

Deno.test({ name: "ab: with --strict, what is undecided fails the run", ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 3 }) });
  const { verdict } = await compare({ a: server.url, b: server.url }, {
    settings: { epochs: 2, strict: true },
  });
  assertEquals(verdict.exitCode, 6);
  const messages = verdict.reasons.map(({ message }) => message);
  assert(messages.includes("latency p50: undecided against A"), messages.join("\n"));
});

Deno.test({ name: "ab: a failure on A fails the run, and nothing is judged", ignore }, async () => {
  await using a = await startFaultyServer({
    script: (nth) => ({ kind: nth > 40 ? "toolError" : "ok" }),
  });
  // Slow enough that the client is never the limit.
  await using b = await startFaultyServer({ script: () => ({ kind: "late", ms: 3 }) });
  const { verdict, comparison } = await compare({ a: a.url, b: b.url });
  assertEquals(verdict.exitCode, 1);
  assert(verdict.reasons.some(({ message }) => message.startsWith("A: ")));
  assertEquals(new Set(comparison!.rows.map(({ why }) => why)), new Set(["failed"]));
});

Deno.test({ name: "ab: a limiter that refuses calls on B is reported", ignore }, async () => {
  await using a = await startFaultyServer({ script: () => ({ kind: "late", ms: 1 }) });
  const userRate = { capacity: 20, refillPerSecond: 0.001 };
  await using b = await startReference({ dialect: "nov", limits: { userRate } });
  const report = await compare({ a: a.url, b: b.url }, {
    settings: { epochs: 1, ignoreLimits: true, toolArgsJson: '{"n":"{unique}"}' },
  });
  assertEquals([report.rateLimit?.scenario, report.rateLimit?.atCall], ["message-throughput", 21]);
});

Deno.test({
  name: "ab: with a precision it runs until every gate has an interval that narrow",
  ignore,
}, async () => {
  await using a = await startFaultyServer({ script: () => ({ kind: "late", ms: 5 }) });
  await using b = await startFaultyServer({ script: () => ({ kind: "late", ms: 5 }) });
  const { comparison, epochs } = await compare({ a: a.url, b: b.url }, {
    settings: { epochs: null, precisionPercent: 20, maxTimeMs: 60_000 },
  });
  assert(epochs >= 6);
  assert(!needsAnother(comparison!, 20));
});

Deno.test({ name: "ab: an interrupt leaves a report marked as interrupted", ignore }, async () => {
  const controller = new AbortController();
  let calls = 0;
  const script = () => {
    if (++calls === 60) controller.abort(new Error("interrupted"));
    return { kind: "late", ms: 2 } as const;
  };
  await using a = await startFaultyServer({ script });
  await using b = await startFaultyServer({ script });
  const { verdict } = await compare({ a: a.url, b: b.url }, { signal: controller.signal });
  assertEquals([verdict.status, verdict.exitCode], ["interrupted", 130]);
});

Deno.test("needsAnother: the narrowest interval of each metric counts, whatever its verdict", () => {
  const row = (statistic: "p5" | "p99", ci: [number, number] | null, given = {}) => ({
    ...{ scenario: "load", metric: "latency", statistic, unit: "ns", better: "lower" as const },
    ...{ old: 1, new: 1, ratio: 1, ci, verdict: "undecided" as const, need: null, why: null },
    ...{ smallest: null, gating: true, ...given },
  });
  const narrow = row("p5", [1 / 1.04, 1.04]);
  const wide = row("p99", [0.5, 2]);
  assert(!needsAnother({ rows: [narrow, wide] }, 4.001));
  assert(needsAnother({ rows: [narrow, wide] }, 3.99));
  assert(needsAnother({ rows: [narrow, { ...wide, at: { clients: 5 } }] }, 5));
  assert(!needsAnother({ rows: [narrow, { ...wide, metric: "other", gating: false }] }, 5));
  assert(needsAnother({ rows: [row("p5", null)] }, 50));
});
