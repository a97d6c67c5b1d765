import { assert, assertEquals, assertRejects } from "@std/assert";
import { openLedger } from "../../lib/client/ledger.ts";
import { type RateTrialOptions, runRateTrial } from "../../lib/load/rate_trial.ts";
import { createFakeClock, type FakeClock } from "../support/fake_clock.ts";
import { createFakeConnection } from "../support/fake_connection.ts";
import { createFakePacer } from "../support/fake_pacer.ts";
import { STATUS } from "../support/targets.ts";

function optionsOn(clock: FakeClock): Omit<RateTrialOptions, "ratePerSecond"> {
  return {
    message: () => STATUS,
    ...{ confirms: false, sloNs: 50e6, durationMs: 1_000, leadInMs: 100, seed: 1 },
    arrivals: "poisson",
    ...{ ledger: openLedger(), warmupLedger: openLedger() },
    ...{ clock, pacer: createFakePacer(clock), signal: new AbortController().signal },
  };
}

/** Tries a rate on a server with one worker and 5 ms per call: 200 calls/s. */
async function tryRate(ratePerSecond: number, options: Partial<RateTrialOptions> = {}) {
  const clock = createFakeClock();
  let freeMs = 0;
  const connection = createFakeConnection(clock, () => {
    const nowMs = clock.nowNs() / 1e6;
    freeMs = Math.max(freeMs, nowMs) + 5;
    return { status: "ok", afterMs: freeMs - nowMs };
  });
  const [ledger, warmupLedger] = [openLedger(), openLedger()];
  const running = runRateTrial([connection], {
    ...optionsOn(clock),
    ...{ ratePerSecond, arrivals: "constant", ledger, warmupLedger },
    ...options,
  });
  clock.advance(60_000);
  return { trial: await running, ledger, warmupLedger, sent: connection.sentNs.length };
}

Deno.test("a rate that the server sustains is met", async () => {
  const { trial, ledger, warmupLedger } = await tryRate(190);
  assertEquals([trial.verdict, trial.misses, trial.ratePerSecond], ["met", [], 190]);
  assertEquals([ledger.sent, warmupLedger.sent, trial.result.slots], [190, 19, 190]);
  assertEquals([trial.offeredPerSecond, trial.achievedPerSecond], [190, 190]);
});

Deno.test("a rate above its capacity is missed, and the run is cut short", async () => {
  const { trial, sent } = await tryRate(400);
  assertEquals(trial.verdict, "missed");
  assert(trial.misses.some(({ kind }) => kind === "cameBack"));
  assert(Math.abs(trial.achievedPerSecond - 200) < 12, `${trial.achievedPerSecond}`);
  assert(sent < 100, `${sent} of 440 sent`);
  const barely = await tryRate(206);
  assertEquals(barely.trial.misses.map(({ kind }) => kind), ["cameBack", "growth"]);
});

Deno.test("even a low rate gets 100 slots", async () => {
  const { trial } = await tryRate(20);
  assertEquals([trial.result.slots, trial.result.windowNs], [100, 5e9]);
});

Deno.test("random arrivals come from the seed", async () => {
  const sendTimesOf = async (seed: number) => {
    const clock = createFakeClock();
    const connection = createFakeConnection(clock);
    const running = runRateTrial([connection], { ...optionsOn(clock), ratePerSecond: 100, seed });
    clock.advance(60_000);
    await running;
    return connection.sentNs;
  };
  const [first, again, other] = [await sendTimesOf(1), await sendTimesOf(1), await sendTimesOf(2)];
  assertEquals(first, again);
  assert(first[1]! - first[0]! !== 10e6 && first[0] !== other[0]);
});

Deno.test("an abort rejects instead of judging the server", async () => {
  const signal = AbortSignal.abort(new Error("interrupted"));
  await assertRejects(() => tryRate(100, { signal }), Error, "interrupted");
});
