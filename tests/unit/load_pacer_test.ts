// Runs alone: paces calls.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { systemClock } from "../../lib/client/clock.ts";
import { type Pacer, startPacer } from "../../lib/load/pacer.ts";
import { createSchedule } from "../../lib/load/schedule.ts";
// Loading the worker's module needs read permission.
import { NO_READ as ignore } from "../support/files.ts";

interface Seen {
  dueNs: number;
  atNs: number;
}

/** Paces callbacks at offsets from now, in milliseconds; `during` is called in each. */
function paceAt(
  pacer: Pacer,
  offsetsMs: Iterable<number>,
  during: (nth: number) => void = () => {},
): Promise<Seen[]> {
  const startNs = systemClock.nowNs();
  const offsets = Iterator.from(offsetsMs);
  const seen: Seen[] = [];
  return new Promise((resolve) => {
    pacer.pace({
      next() {
        const { done, value } = offsets.next();
        return done ? null : startNs + value * 1e6;
      },
      onDue(dueNs) {
        seen.push({ dueNs, atNs: systemClock.nowNs() });
        during(seen.length);
      },
      onEnd: () => resolve(seen),
    });
  });
}

function* steps(count: number, stepMs: number): Iterable<number> {
  for (let nth = 0; nth < count; nth++) yield nth * stepMs;
}

function spin(milliseconds: number): void {
  const untilMs = performance.now() + milliseconds;
  while (performance.now() < untilMs);
}

function assertEachOnceAndNoneEarly(seen: readonly Seen[], count: number): void {
  assertEquals(seen.length, count);
  seen.forEach(({ dueNs, atNs }, nth) => {
    assert(atNs >= dueNs, `callback ${nth} was ${dueNs - atNs} ns early`);
    assert(nth === 0 || dueNs >= seen[nth - 1]!.dueNs, "in order");
  });
}

Deno.test("each callback comes once, never early", { ignore }, async () => {
  using pacer = await startPacer();
  assertEachOnceAndNoneEarly(await paceAt(pacer, steps(200, 0.5)), 200);
  const rate = { ratePerSecond: 20_000, arrivals: "poisson" } as const;
  const { next } = createSchedule({ ...rate, slots: 2_000, durationMs: null, seed: 3 });
  const offsets = Array.from({ length: 2_000 }, () => next()! / 1e6);
  assertEachOnceAndNoneEarly(await paceAt(pacer, offsets), 2_000);
  assertEquals(await paceAt(pacer, []), []);
  assertEachOnceAndNoneEarly(await paceAt(pacer, [30, 30, 30]), 3);
});

Deno.test("overdue callbacks come together", { ignore }, async () => {
  using pacer = await startPacer();
  assertEachOnceAndNoneEarly(await paceAt(pacer, Array(500).fill(-1)), 500);
  // The thread is repeatedly blocked for longer than the times the worker has been given.
  const seen = await paceAt(pacer, steps(3_000, 0.05), (nth) => nth % 400 === 0 && spin(20));
  assertEachOnceAndNoneEarly(seen, 3_000);
});

Deno.test("the pacer learns its wake-up lead, and spins little", { ignore }, async () => {
  using pacer = await startPacer();
  const firstNs = pacer.leadNs;
  const startNs = systemClock.nowNs();
  await paceAt(pacer, steps(300, 1));
  assert(pacer.leadNs !== firstNs, "the lead did not change");
  assert(pacer.spunNs > 0 && pacer.spunNs < 0.5 * (systemClock.nowNs() - startNs));
});

Deno.test("one series runs at a time, and ends immediately", { ignore }, async () => {
  const pacer = await startPacer();
  const never = () => {
    throw new Error("called after the series ended");
  };
  const far = () => systemClock.nowNs() + 20e6;
  const times = { next: far, onDue: never, onEnd: never };
  const end = pacer.pace(times);
  assertThrows(() => pacer.pace(times), Error, "is not over");
  end();
  end();
  assertEachOnceAndNoneEarly(await paceAt(pacer, [5, 40]), 2);
  // From within a callback too.
  const within = Promise.withResolvers<void>();
  let calls = 0;
  const stop = pacer.pace({
    next: () => systemClock.nowNs() + 1e6,
    onDue() {
      calls++;
      stop();
      within.resolve();
    },
    onEnd: never,
  });
  await within.promise;
  assertEachOnceAndNoneEarly(await paceAt(pacer, [5]), 1);
  assertEquals(calls, 1);
  pacer[Symbol.dispose]();
  pacer[Symbol.dispose]();
});

Deno.test("nothing keeps the process alive after disposal", { ignore }, async () => {
  const { execPath, Command } = Deno;
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return;
  const module = new URL("../../lib/load/pacer.ts", import.meta.url).href;
  const code = `import { startPacer } from "${module}";
    const pacer = await startPacer();
    pacer.pace({ next: () => performance.now() * 1e6 + 1e13, onDue() {}, onEnd() {} });
    pacer[Symbol.dispose]();`;
  const folder = new URL("../../", import.meta.url);
  const { success, stderr } = await new Command(execPath(), {
    args: ["eval", "-q", code],
    cwd: folder,
    signal: AbortSignal.timeout(20_000),
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
