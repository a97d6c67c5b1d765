import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { factWords } from "../../lib/report/quantities.ts";
import {
  courseFact,
  type HeadlineCourse,
  overFloor,
  slowdownOfServer,
} from "../../lib/run/drift.ts";
import { type Procedure, TIMES } from "../../lib/run/scenario.ts";
import { runScenario } from "../support/run_scenarios.ts";

/** A value over ten epochs that changes by the factor `change`, with some noise. */
function course(change: number, from = 1): number[] {
  const noise = [0, 1, -1, 2, 0, -2, 1, -1, 2, 0];
  return noise.map((part, epoch) => from * change ** (epoch / 9) * (1 + 0.01 * part));
}

/** Latencies that change by `change`, over a floor that changes by `floorChange`. */
function latency(change: number, floorChange: number | null): HeadlineCourse {
  const epochs = course(change, 2e5);
  const floor = floorChange === null ? [] : course(floorChange, 1e5);
  return { epochs, better: "lower", overFloor: overFloor(epochs, floor) };
}

Deno.test("a slowdown is the server's only if the floor does not slow down as much", () => {
  const cases = [
    [2, 1, true],
    [2, 1.2, true],
    [2, 0.7, true],
    // Not the server: both slow down, only the floor speeds up, or there is no floor.
    [2, 2, false],
    [1.5, 1.4, false],
    [3, 1.9, false],
    [1, 0.5, false],
    [0.5, 1, false],
    [2, null, false],
  ] as const;
  for (const [change, floorChange, isServers] of cases) {
    const found = slowdownOfServer([latency(change, floorChange)]);
    assertEquals(found !== null, isServers, `${change} on a floor of ${floorChange}`);
  }
  assertEquals(slowdownOfServer([]), null);
});

Deno.test("an epoch with a slow floor does not hide a server that slows down", () => {
  const epochs = [2e6, 6e6, 10e6, 14e6, 18e6];
  const floor = [1e5, 1e5, 1e5, 1e5, 5e5];
  const held = { epochs, better: "lower" as const, overFloor: overFloor(epochs, floor) };
  assert(slowdownOfServer([held]) !== null);
  assertEquals(overFloor([1, null, 6], [1, 1, null]), [1, 6]);
  assertEquals(overFloor([1, 2], [null, null]), null);
});

Deno.test("a slowdown without a floor is the server's only if a scenario with a floor agrees", () => {
  const alone = latency(2, null);
  const agreed = slowdownOfServer([latency(2, 1), alone]);
  assert(agreed !== null);
  assertEquals(courseFact(alone, null)!.kind, "changed");
  assertEquals(courseFact(alone, agreed)!.kind, "drift");
  assertEquals(courseFact(latency(0.5, null), agreed)!.kind, "changed", "it became faster");
  assertEquals(courseFact(latency(2, 2), null)!.kind, "changed", "the floor slowed down too");
  assertEquals(courseFact(latency(2, 1), null)!.kind, "drift");
  assertEquals(courseFact(latency(1, 2), agreed), null);
  assertEquals(courseFact(latency(1.4, null), null), null, "within the interval");
  assertEquals(courseFact(latency(1.4, 1), null)!.kind, "drift");
});

Deno.test("epochs that become faster are reported without advice to restart", async () => {
  const times = course(0.5, 827_000);
  const faster: Procedure = {
    kind: "procedure",
    name: "sample",
    title: "Sample",
    question: "?",
    profiles: [],
    metrics: { connect: TIMES },
    headline: { metric: "connect" },
    gates: [],
    defaults: { standard: {} },
    begin: ({ distribution }) => ({
      epoch: () => {
        const { length } = times;
        const recorder = distribution("connect");
        for (let call = 0; call < 20; call++) recorder.record(times[next % length]!);
        next++;
        return Promise.resolve();
      },
    }),
  };
  let next = 0;
  const report = await runScenario(faster, {}, { url: "ws://x/", epochs: 10, cold: true });
  const [warning, ...others] = report.validity.warnings;
  assertEquals([warning!.kind, others.length], ["changed", 0]);
  const words = factWords(report, warning!);
  assertStringIncludes(words, "connect went from 7");
  assertStringIncludes(words, "the machine or the server changed");
  assert(!/restart/.test(warning!.message + words), words);
});
