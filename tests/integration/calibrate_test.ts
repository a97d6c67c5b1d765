import { assert, assertEquals } from "@std/assert";
import { runCalibration } from "../../lib/calibrate/calibrate.ts";
import { costOfCallNs, renderCalibration } from "../../lib/calibrate/render.ts";

const ignore = ["net", "read", "sys"].some((name) =>
  Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state !== "granted"
);

/** One batch is enough to see that a step works. */
async function sampleOnce(fn: () => unknown) {
  const startMs = performance.now();
  for (let count = 0; count < 1_000; count++) await fn();
  const ns = (performance.now() - startMs) * 1e3;
  return { p50: ns, min: ns, p99: ns };
}

Deno.test({ name: "calibrate: every step and every turn has figures", ignore }, async () => {
  const steps: string[] = [];
  const calibration = await runCalibration({
    sample: sampleOnce,
    rounds: 2,
    roundMs: 30,
    onStep: (what) => steps.push(what),
  });
  const { parts, turns } = calibration;
  assertEquals(parts.map(({ name, timesACall }) => [name, timesACall]), [
    ["encode a call", 1],
    ["recognise a stream_complete", 1],
    ["recognise a result", 1],
    ["account for a call and its two frames", 1],
    ["record a time", 1],
    ["tell the time", 3],
    ["schedule a slot (open loops)", 0],
  ]);
  const figures = parts.flatMap(({ medianNs, fastestNs, p99Ns }) => [medianNs, fastestNs, p99Ns]);
  assert([...figures, costOfCallNs(parts)].every((ns) => ns > 0 && Number.isFinite(ns)));
  assertEquals(turns.map(({ connections, inFlight }) => [connections, inFlight]), [[1, 1], [
    10,
    8,
  ]]);
  for (const { suite, bare } of turns) {
    assertEquals([suite.length, bare.length], [2, 2]);
    assert([...suite, ...bare].every((rate) => rate > 0 && Number.isFinite(rate)));
  }
  assertEquals(steps.length, 1 + turns.length);
  assert(renderCalibration(calibration).includes("| encode a call |"));
});
