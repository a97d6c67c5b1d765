import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { clockOffset } from "../../lib/run/preflight.ts";
import { planShard } from "../../lib/run/plan.ts";
import { defaultsOf } from "../../lib/run/scenario.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { readServerTime } from "../../lib/protocols/json.ts";
import { countWorkers } from "../../lib/split/worker_count.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { newIdPrefix } from "../../lib/client/call_encoder.ts";
import { targetAt } from "../support/targets.ts";

function planOf(...names: string[]) {
  return SCENARIOS.filter(({ name }) => names.includes(name))
    .map((scenario) => ({ scenario, parameters: defaultsOf(scenario, "quick") }));
}

Deno.test("shards number their calls without overlaps or gaps", () => {
  const numbers = [1, 2, 3].flatMap((index) => {
    const workload = createWorkload("t", {
      argsJson: '{"n":{seq}}',
      payloadBytes: 0,
      place: { index, count: 3 },
    });
    return Array.from({ length: 4 }, () => JSON.parse(workload().argsJson).n as number);
  });
  assertEquals(numbers.toSorted((a, b) => a - b), Array.from({ length: 12 }, (_, n) => n + 1));
});

Deno.test("session ids name their shard, so no other shard can have them", () => {
  using first = targetAt("ws://127.0.0.1:9", { shard: { index: 1, count: 20 } });
  using second = targetAt("ws://127.0.0.1:9", { shard: { index: 11, count: 20 } });
  using whole = targetAt("ws://127.0.0.1:9");
  assert(/^bench-[0-9a-f]{8}-s1-1$/.test(first.newCredentials().sessionId));
  assert(/^bench-[0-9a-f]{8}-s11-1$/.test(second.newCredentials().sessionId));
  assert(/^bench-[0-9a-f]{8}-1$/.test(whole.newCredentials().sessionId));
});

Deno.test("textual request ids name their shard", () => {
  assert(/^[0-9a-f]{8}-s2-\d+-$/.test(newIdPrefix("text", { index: 2, count: 3 })));
  assert(/^[0-9a-f]{8}-\d+-$/.test(newIdPrefix("text")));
});

Deno.test("numeric request ids have no prefix: their connection tells them apart", () => {
  assertEquals([newIdPrefix("number"), newIdPrefix("number", { index: 2, count: 3 })], ["", ""]);
});

Deno.test("a shard first runs its share of what can be split; the first shard runs the rest", () => {
  const planned = planOf("message-throughput", "open-loop", "saturation", "soak");
  const names = (index: number) =>
    planShard(planned, { index, count: 2 }).map(({ scenario, place, skip }) => [
      ...[scenario.name, place?.index ?? null, skip === undefined],
    ]);
  assertEquals(names(1), [
    ["open-loop", 1, true],
    ["soak", 1, true],
    ["message-throughput", null, true],
    ["saturation", null, true],
  ]);
  assertEquals(names(2), [
    ["open-loop", 2, true],
    ["soak", 2, true],
    ["message-throughput", null, false],
    ["saturation", null, false],
  ]);
  assertEquals(planShard(planned, { index: 1, count: 1 }), planned);
});

Deno.test("a shard without a connection skips the scenario and says why", () => {
  const [sixth] = planShard(planOf("open-loop"), { index: 6, count: 8 });
  assertEquals(sixth!.skip, "its 5 connections are on the first 5 shards");
  const one = { ...planOf("open-loop")[0]!, parameters: { connections: 1 } };
  assertEquals(
    planShard([one], { index: 2, count: 8 })[0]!.skip,
    "its only connection is on the first shard",
  );
  const [fifth] = planShard(planOf("open-loop"), { index: 5, count: 8 });
  assertEquals(fifth!.skip, undefined);
});

Deno.test("every scenario that can be split has a number of connections", () => {
  for (const { name, sharding, defaults } of SCENARIOS) {
    for (const parameters of Object.values(defaults)) {
      if (sharding === undefined) continue;
      assertEquals(typeof parameters.connections, "number", name);
      assertEquals("ratePerSecond" in parameters, sharding === "rate", name);
    }
  }
});

const cores = { cores: 8, embedded: false, shard: null };

Deno.test("workers: auto means the cores, less one for the bundled server, up to the connections", () => {
  const planned = planOf("open-loop").map((one) => ({
    ...one,
    parameters: { ...one.parameters, connections: 20 },
  }));
  assertEquals(countWorkers(null, { ...cores, planned }), 1);
  assertEquals(countWorkers("auto", { ...cores, planned }), 8);
  assertEquals(countWorkers("auto", { ...cores, embedded: true, planned }), 7);
  assertEquals(countWorkers("auto", { ...cores, cores: 1, embedded: true, planned }), 1);
  assertEquals(countWorkers("auto", { ...cores, planned: planOf("open-loop") }), 5);
  assertEquals(countWorkers("auto", { ...cores, planned, shard: { index: 4, count: 6 } }), 3);
  assertEquals(countWorkers("auto", { ...cores, planned: planOf("saturation") }), 1);
  assertEquals(countWorkers(12, { ...cores, planned }), 12);
});

Deno.test("workers: more than the connections, or with nothing to split, are refused", () => {
  const open = planOf("open-loop", "saturation");
  const { message } = assertThrows(() => countWorkers(6, { ...cores, planned: open }), RangeError);
  assertStringIncludes(message, "--workers 6 as open-loop has 5 connections");
  const single = planOf("saturation");
  assertStringIncludes(
    assertThrows(() => countWorkers(2, { ...cores, planned: single }), RangeError).message,
    "none of the scenarios can be split",
  );
});

Deno.test("the server's time is read from its frames in every format", () => {
  const at = Date.parse("2026-01-31T12:00:00.250Z");
  const frame = (timestamp: unknown) => JSON.stringify({ op: "list_tools_res", timestamp });
  assertEquals(readServerTime(frame("2026-01-31T12:00:00.250Z")), at);
  assertEquals(readServerTime(frame("2026-01-31T13:00:00.250+01:00")), at);
  assertEquals(readServerTime(frame("2026-01-31T12:00:00.250000")), at);
  assertEquals(readServerTime(frame(at / 1000)), at);
  assertEquals(readServerTime(frame(at)), at);
  for (const text of [frame("now"), frame(null), "{}", "[]", "no JSON"]) {
    assertEquals(readServerTime(text), null);
  }
});

Deno.test("a clock's offset is known within half a round trip", () => {
  const times = { sentMs: 1_000, receivedMs: 1_040 };
  assertEquals(clockOffset(1_520, times), { offsetMs: 500, errorMs: 21 });
  assertEquals(clockOffset(1_000, times), { offsetMs: -20, errorMs: 21 });
  assertEquals(clockOffset(null, times), null);
});
