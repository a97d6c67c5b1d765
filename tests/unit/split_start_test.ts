import { assertEquals } from "@std/assert";
import { plannedStarts, startOffsetMs } from "../../lib/run/start_times.ts";
import { createStartBarrier } from "../../lib/split/workers.ts";

const BEGIN_MS = Date.parse("2026-01-31T12:00:00Z");

Deno.test("epochs of shards begin at planned times, with none planned after one of unknown length", async () => {
  const gate = plannedStarts(BEGIN_MS);
  assertEquals(await gate({ order: 0, offsetMs: 0 }), BEGIN_MS);
  assertEquals(await gate({ order: 3, offsetMs: 4_500 }), BEGIN_MS + 4_500);
  assertEquals(await gate({ order: 4, offsetMs: null }), null);
});

Deno.test("a shard that begins late says by how much", () => {
  const at = (startMs: number) => [{ startMs: BEGIN_MS + startMs }];
  assertEquals(startOffsetMs({ plannedStartMs: BEGIN_MS, epochs: at(57) }), 57);
  assertEquals(startOffsetMs({ plannedStartMs: null, epochs: at(57) }), null);
  assertEquals(startOffsetMs({ plannedStartMs: BEGIN_MS, epochs: [] }), null);
});

function barrier(workers: number[]) {
  const went: number[] = [];
  return { went, barrier: createStartBarrier(workers, (order) => void went.push(order)) };
}

Deno.test("workers start when the last one is ready", () => {
  const { went, barrier: gate } = barrier([1, 2, 3]);
  gate.ready(1, 0);
  gate.ready(3, 0);
  assertEquals(went, []);
  gate.ready(2, 0);
  assertEquals(went, [0]);
  for (const worker of [3, 2, 1]) gate.ready(worker, 1);
  assertEquals(went, [0, 1]);
});

Deno.test("nobody waits for a worker that has died or ended", () => {
  const { went, barrier: gate } = barrier([1, 2]);
  gate.ready(1, 0);
  gate.gone(2);
  assertEquals(went, [0]);
  gate.ready(1, 1);
  assertEquals(went, [0, 1]);
});

Deno.test("a worker that skips a turn waits for its next one and holds nobody up", () => {
  const { went, barrier: gate } = barrier([1, 2]);
  gate.ready(2, 1);
  gate.ready(1, 0);
  assertEquals(went, [0]);
  gate.ready(1, 1);
  assertEquals(went, [0, 1]);
});
