import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { FloorGauge } from "../../lib/run/client_floor.ts";
import { systemClock } from "../../lib/client/clock.ts";
import { runSuite, type SuiteInput } from "../../lib/run/runner.ts";
import type { FloorOptions, LoopContext, Parameters, Scenario } from "../../lib/run/scenario.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { type NullServer, startNullServer } from "../../lib/server/null_server.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/serve.ts";
import { median } from "../../lib/stats/rounds.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { pipelining } from "../../scenarios/pipelining.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { targetAt, TOKEN } from "../support/targets.ts";

const ignore = ["net", "read"].some((name) =>
  Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state !== "granted"
);

const ROUNDS = 2;
const MESSAGES = 30;
const MEASURED = { rounds: ROUNDS, messages: MESSAGES, durationMs: null, warmupMs: 0 };

/** Starts null servers, and counts how many were started and stopped. */
function countingStart() {
  const counts = { started: 0, stopped: 0 };
  const start = async (): Promise<NullServer> => {
    const server = await startNullServer();
    counts.started++;
    const stop = async () => {
      counts.stopped++;
      await server.stop();
    };
    return { ...server, stop, [Symbol.asyncDispose]: stop };
  };
  return { counts, start };
}

/** Runs scenarios against a reference server, with some rounds of a few messages. */
async function reportsOf(
  scenarios: readonly Scenario[],
  options: Partial<SuiteInput> & { floorGauge: FloorGauge },
): Promise<ScenarioReport[]> {
  const signal = options.signal ?? new AbortController().signal;
  await using server = await startServer(defaultServerOptions({ token: TOKEN, limits: "off" }));
  using target = targetAt(server.url, { timeoutMs: 2_000, signal });
  const { scenarios: reports } = await runSuite({
    planned: scenarios.map((scenario) => ({ scenario, parameters: parametersOf(scenario) })),
    target,
    workload: createWorkload("status", { argsJson: "{}", payloadBytes: 0 }),
    bundled: null,
    heavyTools: { status: "refused", reason: "none is called here" },
    toolArgsJson: "{}",
    payloadBytes: 0,
    clock: systemClock,
    signal,
    seed: 1,
    maxRatePerSecond: null,
    onProgress() {},
    onScenario: () => Promise.resolve(),
    ...options,
  });
  return reports;
}

function parametersOf({ defaults }: Scenario): Parameters {
  return { ...defaults.quick, ...MEASURED };
}

/** The scenario's share of its floor, worked out anew from its own rounds. */
function shareOf({ metrics, validity }: ScenarioReport): number {
  const throughput = metrics.find(({ name }) => name === "throughput");
  assert(throughput?.kind === "scalar" && validity.floor !== undefined);
  return median(throughput.rounds) / validity.floor.throughput;
}

Deno.test(
  { name: "floor: stands beside each throughput, apart from its ledger", ignore },
  async () => {
    const { counts, start } = countingStart();
    {
      await using floorGauge = new FloorGauge({ start });
      const reports = await reportsOf([messageThroughput, concurrentConnections], { floorGauge });
      assertEquals(reports.map(({ status }) => status), ["passed", "passed"]);
      assertEquals(reports.map(({ validity }) => validity.floor?.connections), [1, 5]);
      for (const report of reports) {
        const { floor } = report.validity;
        assert(floor !== undefined && floor.throughput > 0 && floor.latencyP50Ns > 0);
        assertEquals(floor.share, shareOf(report));
      }
      // One client's rounds; all five clients' and one alone's. One more call of each round is mitata's.
      assertEquals(reports.map(({ ledger }) => ledger.sent), [
        ROUNDS * MESSAGES,
        ROUNDS * MESSAGES * (5 + 1),
      ]);
      assertEquals(reports.map(({ warmupLedger }) => warmupLedger.sent), [ROUNDS, 0]);
      assertEquals(counts, { started: 1, stopped: 0 });
    }
    assertEquals(counts, { started: 1, stopped: 1 });
  },
);

Deno.test({ name: "floor: pipelining is held against its deepest step", ignore }, async () => {
  await using floorGauge = new FloorGauge();
  const [report] = await reportsOf([pipelining], { floorGauge });
  const deepest = report!.metrics.find(({ name }) => name === "throughput@64");
  const { floor } = report!.validity;
  assert(deepest?.kind === "scalar" && floor !== undefined);
  assertEquals(floor.share, median(deepest.rounds) / floor.throughput);
});

Deno.test(
  { name: "floor: no null server is started where no throughput is measured", ignore },
  async () => {
    const { counts, start } = countingStart();
    {
      await using floorGauge = new FloorGauge({ start });
      const [report] = await reportsOf([connectionEstablishment], { floorGauge });
      assertEquals([report!.status, report!.validity.floor], ["passed", undefined]);
    }
    assertEquals(counts, { started: 0, stopped: 0 });
  },
);

Deno.test({ name: "floor: one that cannot be told is noted, and no failure", ignore }, async () => {
  const start = () => Promise.reject(new Error("Cannot start the null server as it is forbidden"));
  await using floorGauge = new FloorGauge({ start });
  const [report] = await reportsOf([messageThroughput], { floorGauge });
  const { status, validity, notMeasured } = report!;
  assertEquals([status, validity.valid, validity.floor], ["passed", true, undefined]);
  assertEquals(notMeasured, [{
    name: "client floor",
    reason: "Cannot start the null server as it is forbidden",
  }]);
});

Deno.test({ name: "floor: an interrupt ends it; what was measured stays", ignore }, async () => {
  const controller = new AbortController();
  const { counts, start } = countingStart();
  const interrupting = async () => {
    const server = await start();
    // In the midst of the floor's rounds, of which there are four of 100 ms.
    setTimeout(() => controller.abort(new Error("interrupted")), 150);
    return server;
  };
  {
    await using floorGauge = new FloorGauge({ start: interrupting });
    const options = { floorGauge, signal: controller.signal };
    const [report, next] = await reportsOf([messageThroughput, concurrentConnections], options);
    assertEquals([report!.status, next!.status], ["interrupted", "interrupted"]);
    assertMatch(next!.reason!, /^not begun/);
    assertEquals(report!.validity.floor, undefined);
    assertEquals([report!.ledger.ok, report!.ledger.aborted], [ROUNDS * MESSAGES, 0]);
  }
  assertEquals(counts, { started: 1, stopped: 1 });
});

/** What a loop is given of a scenario, in whose place the tests themselves run it. */
function loopContext(signal: AbortSignal): LoopContext {
  return {
    parameters: { rounds: 10, messages: 5, durationMs: null, inFlight: 3 },
    workload: createWorkload("status", { argsJson: "{}", payloadBytes: 0 }),
    clock: systemClock,
    signal,
    maxRatePerSecond: 7,
    warmupLedger: openLedger(),
    ledger: openLedger(),
  };
}

Deno.test(
  { name: "floor: the best of three short rounds, after one that is discarded", ignore },
  async () => {
    await using floorGauge = new FloorGauge();
    const context = loopContext(new AbortController().signal);
    const seen: LoopContext[] = [];
    const floor = await floorGauge.measure(context, {
      connections: 2,
      round(given, { connections, latency }) {
        seen.push(given);
        assertEquals(connections.map(({ isOpen }) => isOpen), [true, true]);
        const rate = [900, 10, 30, 20][seen.length - 1]!;
        latency.record(rate * 1_000);
        return Promise.resolve(rate);
      },
    });
    assertEquals(floor, { connections: 2, throughput: 30, latencyP50Ns: 10_000 });
    assertEquals(seen.length, 4);
    for (const { parameters, maxRatePerSecond, ledger, warmupLedger } of seen) {
      assertEquals(parameters, { rounds: 10, messages: null, durationMs: 100, inFlight: 3 });
      assertEquals(maxRatePerSecond, null);
      assert(ledger !== context.ledger && warmupLedger !== context.warmupLedger);
    }
  },
);

Deno.test(
  { name: "floor: none of a round cut short, nor of one without a success", ignore },
  async () => {
    await using floorGauge = new FloorGauge();
    const controller = new AbortController();
    let rounds = 0;
    const round: FloorOptions["round"] = (_, { latency }) => {
      latency.record(1_000);
      if (++rounds === 4) controller.abort(new Error("interrupted"));
      return Promise.resolve(100);
    };
    await assertRejects(
      () => floorGauge.measure(loopContext(controller.signal), { connections: 1, round }),
      Error,
      "interrupted",
    );
    assertEquals(rounds, 4);
    await assertRejects(
      () =>
        floorGauge.measure(loopContext(new AbortController().signal), {
          connections: 1,
          round(_, { latency }) {
            latency.record(1_000);
            return Promise.resolve(0);
          },
        }),
      Error,
      "the null server answered no call",
    );
  },
);

Deno.test(
  { name: "floor: a server as fast as the null server is client-bound", ignore },
  async () => {
    await using nullServer = await startNullServer();
    using target = targetAt(nullServer.url, { timeoutMs: 2_000 });
    // A floor a hundred times lower than it is, so that whatever the machine does it is reached.
    const gauge = new FloorGauge();
    const measure = gauge.measure.bind(gauge);
    gauge.measure = async (context, options) => {
      const floor = await measure(context, options);
      return { ...floor, throughput: floor.throughput / 100 };
    };
    await using floorGauge = gauge;
    const [report] = await reportsOf([messageThroughput], { floorGauge, target });
    assertEquals([report!.status, report!.validity.valid], ["passed", false]);
    assertMatch(report!.validity.warnings.join(), /^client-bound: the throughput is \d+ %/);
  },
);
