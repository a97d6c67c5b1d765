import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Procedure } from "../../lib/run/scenario.ts";
import { type NullServer, startNullServer } from "../../lib/server/null_server.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { lacks } from "../support/permissions.ts";
import { metricNamed, runScenarios, startReference } from "../support/run_scenarios.ts";

const ignore = lacks("net", "read");
const CALLS = { messages: 30, durationMs: null };

/** Starts null servers, and counts starts and stops. */
function countingStart() {
  const counts = { started: 0, stopped: 0 };
  const startFloor = async (): Promise<NullServer> => {
    const server = await startNullServer();
    counts.started++;
    const stop = async () => {
      counts.stopped++;
      await server.stop();
    };
    return { ...server, stop, [Symbol.asyncDispose]: stop };
  };
  return { counts, startFloor };
}

Deno.test(
  { name: "floor: one null server has a slice in every block and is in no ledger", ignore },
  async () => {
    const { counts, startFloor } = countingStart();
    await using server = await startReference();
    const { scenarios } = await runScenarios([
      [messageThroughput, CALLS],
      [concurrentConnections, CALLS],
    ], { ...server, epochs: 5, cold: true, startFloor });
    assertEquals(scenarios.map(({ status }) => status), ["passed", "passed"]);
    assertEquals(scenarios.map(({ ledger }) => ledger.sent), [5 * 30, 5 * 5 * 30]);
    for (const { validity } of scenarios) {
      const { client, clientShare, clientShareCi95, floor } = validity;
      assert(floor !== undefined && floor.throughput > 0 && floor.latencyP50Ns! > 0);
      assert(client !== null && clientShare !== null && clientShareCi95 !== null);
      assert(clientShareCi95[0] <= clientShare && clientShare <= clientShareCi95[1]);
    }
    // The share is a geometric mean over the epochs, so it is also the ratio of such means.
    const { floor, clientShare } = scenarios[0]!.validity;
    const throughput = metricNamed(scenarios[0]!, "throughput", "scalar").value;
    assertAlmostEquals(clientShare! / (throughput / floor!.throughput), 1, 1e-6);
    assertEquals(counts, { started: 1, stopped: 1 });
  },
);

Deno.test("floor: no null server is started if nothing is compared with it", async () => {
  const { counts, startFloor } = countingStart();
  const procedure: Procedure = {
    ...{ kind: "procedure", name: "x", title: "X", question: "?", gates: [], profiles: [] },
    metrics: {},
    headline: { metric: "none" },
    defaults: { standard: {} },
    begin: () => ({ epoch: () => Promise.resolve() }),
  };
  await runScenarios([[procedure, {}]], { url: "ws://127.0.0.1:1", startFloor });
  assertEquals(counts, { started: 0, stopped: 0 });
});

Deno.test({ name: "floor: one that cannot be measured is only noted", ignore }, async () => {
  await using server = await startReference();
  const reason = "Cannot start the null server as it is forbidden";
  const { scenarios: [report] } = await runScenarios([[messageThroughput, CALLS]], {
    ...server,
    startFloor: () => Promise.reject(new Error(reason)),
  });
  const { status, validity, notMeasured } = report!;
  assertEquals([status, validity.valid, validity.client], ["passed", true, null]);
  assertEquals(notMeasured, [{ name: "client floor", reason }]);
});

Deno.test({ name: "floor: an interrupt while measuring it ends the run", ignore }, async () => {
  const controller = new AbortController();
  const { counts, startFloor } = countingStart();
  await using server = await startReference();
  const { scenarios: [report] } = await runScenarios([[messageThroughput, CALLS]], {
    ...server,
    signal: controller.signal,
    startFloor: async () => {
      const floor = await startFloor();
      setTimeout(() => controller.abort(new Error("interrupted")), 30);
      return floor;
    },
  });
  assertEquals(report!.status, "interrupted");
  assertEquals(counts, { started: 1, stopped: 1 });
});
