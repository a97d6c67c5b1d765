import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { renderCalibration, runCalibration } from "../../lib/calibrate/calibrate.ts";
import { lacks } from "../support/permissions.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli } from "../support/run_cli.ts";

const ignore = lacks("net", "read", "sys");

/** One batch is enough to see that a step works. */
async function sampleOnce(fn: () => unknown) {
  const startMs = performance.now();
  for (let count = 0; count < 1_000; count++) await fn();
  return { p50: (performance.now() - startMs) * 1e3 };
}

Deno.test({ name: "calibrate: every step and every turn has figures", ignore }, async () => {
  const calibration = await runCalibration({ sample: sampleOnce, rounds: 2, roundMs: 30 });
  const { parts, turns } = calibration;
  assertEquals(parts.map(({ name, timesACall }) => [name, timesACall]), [
    ["encode a call", 1],
    ["recognise a stream_complete", 1],
    ["recognise a result", 1],
    ["account for a call and its two frames", 1],
    ["read the clock", 2],
    ["schedule a slot (open loops)", 0],
  ]);
  assert(parts.every(({ medianNs }) => medianNs > 0 && Number.isFinite(medianNs)));
  const shapes = turns.map(({ connections, inFlight }) => [connections, inFlight]);
  assertEquals(shapes, [[1, 1], [10, 8]]);
  for (const { suite, bare } of turns) {
    assertEquals([suite.length, bare.length], [2, 2]);
    assert([...suite, ...bare].every((rate) => rate > 0 && Number.isFinite(rate)));
  }
  assert(renderCalibration(calibration).includes("| encode a call |"));
});

Deno.test({
  name: "calibrate: --help measures nothing, and unknown options are refused",
  ignore: NEEDS_PROCESSES,
}, async () => {
  await using folder = await makeUserFolder();
  const run = (...args: string[]) => runCli(args, { folder: folder.path, via: "calibrate" });
  const [help, option, stray] = await Promise.all([run("-h"), run("--epochs", "1"), run("x")]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assert(help.stdout.startsWith("Usage: deno task calibrate\n"), help.stdout);
  for (const { code, stdout } of [option, stray]) assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(option.stderr, "error: Unknown option --epochs");
  assertStringIncludes(stray.stderr, 'error: Cannot use the argument "x"');
});
