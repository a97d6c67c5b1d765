import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Case, CaseLength, CaseScenario } from "../../lib/run/scenario.ts";
import { ONE_CLIENT, THROUGHPUT, TIMES } from "../../lib/run/scenario.ts";
import { Suite } from "../../lib/run/suite.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  createTestRun,
  metricNamed,
  runScenario,
  runScenarios,
  startReference,
} from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";

/** A scenario that records the rate of each case at its number of clients. */
function sweep(
  name: string,
  cases: readonly Case[],
  onSlice: (one: Case) => void = () => {},
): CaseScenario<CaseLength> {
  return {
    kind: "cases",
    name,
    title: name,
    question: "?",
    metrics: { throughput: THROUGHPUT, latency: TIMES },
    headline: { metric: "throughput", at: { clients: 1 } },
    gates: [],
    profiles: [],
    defaults: { standard: { messages: 20, durationMs: null } },
    begin: () => ({
      cases,
      onSlice,
      derive(derivation) {
        for (const one of cases) derivation.calls(one, { clients: one.clients });
      },
    }),
  };
}

const CLIENTS = [1, 2, 3, 4].map((clients) => ({ ...ONE_CLIENT, clients }));

Deno.test({ name: "every case follows every other equally often", ignore }, async () => {
  await using server = await startReference();
  const order: number[] = [];
  const scenario = sweep("sweep", CLIENTS, ({ clients }) => order.push(clients));
  // Four cases have four orders: four epochs of one block go through all of them.
  await runScenario(scenario, { messages: 1, durationMs: null }, { ...server, epochs: 4 });
  const blocks = Array.from({ length: 4 }, (_, block) => order.slice(4 * block, 4 * block + 4));
  const pairs = blocks.flatMap((block) =>
    block.slice(1).map((clients, index) => `${block[index]} before ${clients}`)
  );
  for (const block of blocks) assertEquals(block.toSorted(), [1, 2, 3, 4]);
  assertEquals([pairs.length, new Set(pairs).size], [12, 12]);
});

Deno.test({ name: "one client's rate is consistent with its times", ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(messageThroughput, { messages: 200, durationMs: null }, {
    ...server,
    epochs: 5,
  });
  const { value: throughput, epochs: rates } = metricNamed(report, "throughput", "scalar");
  const { epochs: times, count, mean, histogram } = metricNamed(report, "latency", "distribution");
  assertEquals([count, times.map((epoch) => epoch.count)], [1000, Array(5).fill(200)]);
  assert(histogram.length > 0);
  // The next call is sent by the last reply's handler: a rate is 1/mean, or slightly less.
  for (const [epoch, rate] of rates.entries()) {
    const ratio = rate / (1e9 / times[epoch]!.mean!);
    assert(ratio > 0.8 && ratio <= 1.001, `${ratio}`);
  }
  // That holds for geometric means too.
  const whole = throughput * mean / 1e9;
  assert(whole > 0.8 && whole <= 1.001);
  const logs = rates.map(Math.log);
  const value = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  assertAlmostEquals(throughput / value, 1, 1e-12);
});

Deno.test({ name: "lead-ins are warm-up, and the number of calls is exact", ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(messageThroughput, { messages: 30, durationMs: null }, {
    ...server,
    epochs: 2,
    cold: true,
    leadInMs: 10,
  });
  assertEquals([report.status, report.ledger.sent], ["passed", 60]);
  assert(report.warmupLedger.ok > 0 && report.warmupLedger.ok === report.warmupLedger.sent);
  assertEquals(server.stats().callsServed, report.ledger.ok + report.warmupLedger.ok);
});

Deno.test(
  { name: "the warm-up of a closed loop lasts three quarters of the measured time", ignore },
  async () => {
    await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 4 }) });
    const of = { messages: null, durationMs: 40 };
    const { ledger, warmupLedger } = await runScenario(messageThroughput, of, {
      ...server,
      epochs: 8,
    });
    const share = warmupLedger.ok / ledger.ok;
    assert(share > 0.5 && share < 1, `${warmupLedger.ok} calls of ${ledger.ok}`);
  },
);

Deno.test({ name: "no more connections are open than the widest case needs", ignore }, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 4 } });
  const { scenarios } = await runScenarios([
    [sweep("wide", CLIENTS), { messages: 2, durationMs: null }],
    [sweep("narrow", CLIENTS.slice(0, 2)), { messages: 2, durationMs: null }],
    [sweep("apart", [{ ...ONE_CLIENT, clients: 3, inFlight: 2 }]), {
      messages: 2,
      durationMs: null,
    }],
  ], { ...server, epochs: 3 });
  assertEquals(scenarios.map(({ status }) => status), ["passed", "passed", "passed"]);
  assertEquals(server.stats().connectionsRefused, 0);
  assertEquals(checkNamed(scenarios[0]!, "all clients connected").observed, "12 of 12");
  // Calls that two scenarios share are in the first one's ledger.
  assertEquals(scenarios.map(({ ledger }) => ledger.sent), [3 * 2 * 10, 0, 3 * 2 * 3]);
});

Deno.test({
  name: "a scenario that cannot connect all its clients fails, the others are measured",
  ignore,
}, async () => {
  await using server = await startReference({ limits: { maxConnectionsPerIp: 2 } });
  const { scenarios } = await runScenarios([
    [sweep("narrow", CLIENTS.slice(0, 2)), { messages: 2, durationMs: null }],
    [sweep("wide", CLIENTS), { messages: 2, durationMs: null }],
  ], { ...server, epochs: 1, cold: true });
  assertEquals(scenarios.map(({ status }) => status), ["passed", "failed"]);
  const connected = checkNamed(scenarios[1]!, "all clients connected");
  assertEquals([connected.seen, connected.wanted], [2, 4]);
  const slices = checkNamed(scenarios[1]!, "every slice measured");
  assertEquals([slices.seen, slices.wanted], [2, 4]);
});

Deno.test({
  name: "each of two servers is in every block, and comes first once in an epoch",
  ignore,
}, async () => {
  await using server = await startReference();
  const order: string[] = [];
  const runOf = (name: string) =>
    createTestRun([{
      scenario: sweep(
        "sweep",
        CLIENTS.slice(0, 2),
        ({ clients }) => order.push(`${name}${clients}`),
      ),
      parameters: { messages: 2, durationMs: null },
    }], { ...server, epochs: 3, cold: true });
  await using a = runOf("a");
  await using b = runOf("b");
  using suite = new Suite([a, b]);
  await suite.run();
  assertEquals(order.length, 3 * 2 * 4);
  for (let epoch = 0; epoch < 3; epoch++) {
    const [first, second] = [order.splice(0, 4), order.splice(0, 4)];
    assertEquals(first.toSorted(), ["a1", "a2", "b1", "b2"]);
    assertEquals(second, first.toReversed());
  }
  for (const run of [a, b]) {
    const { scenarios: [report] } = suite.resultOf(run);
    assertEquals([report!.status, report!.ledger.sent], ["passed", 3 * 2 * 3]);
  }
});
