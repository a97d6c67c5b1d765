import { assert, assertEquals, assertRejects } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { MITATA_VERSION, sampleBatched, sampleSequential } from "../../lib/stats/sampling.ts";

/** An operation that resolves with the next figure on each call. */
function operationOf(figures: readonly number[]): { calls: number; run: () => Promise<number> } {
  const operation = { calls: 0, run: () => Promise.resolve(figures[operation.calls++] ?? 1) };
  return operation;
}

const UNMEASURED = 999_999;

Deno.test("sampleSequential makes one unmeasured call, then exactly maxSamples", async () => {
  const operation = operationOf([UNMEASURED, 5, 4, 3]);
  assertEquals(await sampleSequential(operation.run, { maxSamples: 3 }), [3, 4, 5]);
  assertEquals(operation.calls, 1 + 3);
});

Deno.test("sampleSequential keeps every sample, however quick: no batches, no means", async () => {
  const figures = Array.from({ length: 5_000 }, (_, index) => index % 200 === 0 ? 5e6 : 20);
  const operation = operationOf([UNMEASURED, ...figures]);
  const samples = await sampleSequential(operation.run, { maxSamples: figures.length });
  assertEquals(operation.calls, 1 + figures.length);
  assertEquals(samples, figures.toSorted((a, b) => a - b));
});

Deno.test("sampleSequential keeps the two fastest and the two slowest", async () => {
  const figures = Array.from({ length: 20 }, (_, index) => index);
  const { run } = operationOf([UNMEASURED, ...figures]);
  assertEquals(await sampleSequential(run, { maxSamples: 20 }), figures);
});

Deno.test("sampleSequential does not limit the total time of its samples", async () => {
  const { run } = operationOf([UNMEASURED, 1e10, 1e10, 1e10, 1e10]);
  assertEquals(await sampleSequential(run, { maxSamples: 4 }), Array(4).fill(1e10));
});

Deno.test("sampleSequential drops failed calls", async () => {
  const { run } = operationOf([UNMEASURED, -1, 7, -1, 0, -1]);
  assertEquals(await sampleSequential(run, { maxSamples: 5 }), [0, 7]);
});

Deno.test("sampleSequential stops at Infinity, which is not a sample", async () => {
  const operation = operationOf([UNMEASURED, 7, -1, Infinity, 8]);
  assertEquals(await sampleSequential(operation.run, { maxSamples: Infinity }), [7]);
  assertEquals(operation.calls, 4);
});

Deno.test("sampleSequential makes one call at a time", async () => {
  let running = 0;
  let most = 0;
  await sampleSequential(async () => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return 1;
  }, { maxSamples: 50 });
  assertEquals(most, 1);
});

Deno.test("sampleSequential of no samples makes only the unmeasured call", async () => {
  const operation = operationOf([]);
  assertEquals(await sampleSequential(operation.run, { maxSamples: 0 }), []);
  assertEquals(operation.calls, 1);
});

Deno.test("sampleSequential rejects with the error of the operation", async () => {
  const failing = () => Promise.reject(new Error("the socket is gone"));
  await assertRejects(
    () => sampleSequential(failing, { maxSamples: 3 }),
    Error,
    "the socket is gone",
  );
});

Deno.test("sampleBatched calls 4,096 times for each sample of nanosecond work", async () => {
  let calls = 0;
  const { samples, p50 } = await sampleBatched(() => ++calls);
  // mitata drops two samples at either end; two calls come before the batches.
  assertEquals(calls, 2 + 4_096 * (samples.length + 4));
  assert(samples[0]! <= p50 && p50 <= samples.at(-1)!);
});

Deno.test("sampleBatched keeps all of a few small batches", async () => {
  let calls = 0;
  const { samples } = await sampleBatched(() => ++calls, { callsPerBatch: 64, batches: 12 });
  assertEquals([samples.length, calls], [12, 2 + 64 * 12]);
});

Deno.test("MITATA_VERSION is the version that deno.json pins", () => {
  assertEquals(config.imports.mitata, `npm:mitata@${MITATA_VERSION}`);
});
