/**
 * Epochs of shards: shared scenarios begin simultaneously, and the first shard runs the rest alone.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { StartGate, Turn } from "../../lib/run/start_times.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { scaling } from "../../scenarios/scaling.ts";
import { soak } from "../../scenarios/soak.ts";
import { metricNamed, runScenarios, startReference } from "../support/run_scenarios.ts";
import { NO_NET } from "../support/targets.ts";

const options = { ignore: NO_NET };

/** No null server: it takes a thread and is not needed. */
const NO_FLOOR = { startFloor: () => Promise.reject(new Error("none")) };
const COUNT = { durationMs: null, messages: 4 };
const LENGTH = { durationMs: 10, messages: null };

Deno.test("shards: what one shard runs alone, it runs with all clients", options, async () => {
  await using server = await startReference();
  const { scenarios: [concurrent, alone] } = await runScenarios([
    [concurrentConnections, { ...COUNT, connections: 4 }],
    // The same case, but not split.
    [scaling, { ...COUNT, connections: 4 }],
  ], { url: server.url, epochs: 1, ...NO_FLOOR, settings: { shard: { index: 1, count: 2 } } });
  assertEquals([concurrent!.status, alone!.status], ["passed", "passed"]);
  assertEquals(concurrent!.share, { connections: 2, of: 4 });
  assertEquals(alone!.share, undefined);
  // 2 of 4 connections; and 1, 2, 3 and 4 clients.
  assertEquals([concurrent!.ledger.sent, alone!.ledger.sent], [2 * 4, 10 * 4]);
  // Whole scenarios are not merged, so they need no histograms of epochs.
  const [split, whole] = [concurrent!, alone!].map((one) =>
    metricNamed(one, "latency", "distribution", { clients: 4 })
  );
  assert(split!.epochs[0]!.histogram !== undefined);
  assertEquals(whole!.epochs[0]!.histogram, undefined);
  assertEquals(metricNamed(concurrent!, "throughput", "scalar").merge, "sum");
});

Deno.test("shards: one without a share of a scenario still counts its turns", options, async () => {
  await using server = await startReference();
  const turnsOf = async (index: number) => {
    const turns: Turn[] = [];
    const startGate: StartGate = (turn) => {
      turns.push(turn);
      return Promise.resolve(null);
    };
    const { scenarios } = await runScenarios([
      [concurrentConnections, { ...LENGTH, connections: 2 }],
      [openLoop, { ...LENGTH, connections: 3, ratePerSecond: 300 }],
      [messageThroughput, LENGTH],
      // Its turns last as long as its calls take, also for the shard that makes none.
      [soak, { durationMs: 20, connections: 2 }],
    ], {
      url: server.url,
      epochs: 2,
      startGate,
      ...NO_FLOOR,
      settings: { shard: { index, count: 3 } },
    });
    return { turns, statuses: scenarios.map(({ status }) => status) };
  };
  const [first, third] = [await turnsOf(1), await turnsOf(3)];
  assertEquals(first.statuses, ["passed", "passed", "passed", "passed"]);
  assertEquals(third.statuses, ["skipped", "passed", "skipped", "skipped"]);
  // A warm-up and two epochs of three scenarios, in an order that differs between epochs. The soak
  // has no warm-up and ends in the first.
  assertEquals(first.turns.length, 7);
  assertEquals(third.turns.length, 3);
  assertEquals(
    first.turns.filter(({ order }) => third.turns.some((turn) => turn.order === order)),
    third.turns,
  );
});

Deno.test("shards: an epoch does not begin before it is due", options, async () => {
  await using server = await startReference();
  const startAtMs = Date.now() + 300;
  const startGate: StartGate = ({ order }) => Promise.resolve(startAtMs + 200 * order);
  const { scenarios: [scenario] } = await runScenarios([
    [concurrentConnections, { ...LENGTH, connections: 2 }],
  ], {
    url: server.url,
    epochs: 2,
    startGate,
    ...NO_FLOOR,
    settings: { shard: { index: 1, count: 2 } },
  });
  const { plannedStartMs, epochs } = scenario!.measured!;
  // The warm-up has the first turn.
  assertEquals(plannedStartMs, startAtMs + 200);
  epochs.forEach(({ startMs, endMs }, index) => {
    assert(startMs >= startAtMs + 200 * (index + 1) - 1, `epoch ${index + 1}`);
    assert(endMs > startMs);
  });
});
