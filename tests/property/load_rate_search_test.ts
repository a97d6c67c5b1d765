import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { judgeRun, type Verdict } from "../../lib/load/objective.ts";
import {
  placeOf,
  rateAt,
  type RateTrial,
  searchRate,
  type Trial,
  wholeNumbers,
} from "../../lib/load/rate_search.ts";
import { repeats } from "../support/repeats.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated_queue.ts";

Deno.test("the series is E96, and placeOf is the inverse of rateAt", () => {
  const decade = Array.from({ length: 96 }, (_, index) => rateAt(192 + index));
  assertEquals(decade.slice(0, 8), [100, 102, 105, 107, 110, 113, 115, 118]);
  assertEquals(decade.at(-1), 976);
  for (let place = 96; place < 500; place++) {
    assertEquals(placeOf(rateAt(place)), place);
    assertEquals(placeOf(rateAt(place) * 1.0001), place);
    assert(rateAt(place + 1) / rateAt(place) < 1.031);
  }
});

/** A run that achieves its rate, but at most the capacity. */
function trialOf(
  ratePerSecond: number,
  { confirms, verdict, capacity = Infinity }: {
    confirms: boolean;
    verdict: Verdict;
    capacity?: number;
  },
): Promise<RateTrial> {
  const achievedPerSecond = Math.min(ratePerSecond, capacity);
  return Promise.resolve({
    ...{ ratePerSecond, confirms, verdict, achievedPerSecond, answered: 100 },
    offeredPerSecond: ratePerSecond,
    misses: achievedPerSecond < 0.99 * ratePerSecond
      ? [{ kind: "cameBack", inTime: achievedPerSecond, slots: ratePerSecond }]
      : [],
  });
}

Deno.test("a run that a pause ended after a few calls does not limit the search", async () => {
  let runs = 0;
  const { sustainedPerSecond, trials } = await searchRate({
    ...{ first: 700, lowest: 1, highest: 2_000 },
    async run(rate, { confirms }) {
      const trial = await trialOf(rate, {
        confirms,
        capacity: runs === 0 ? 0 : 1_001,
        verdict: runs++ > 0 && rate <= 1_000 ? "met" : "missed",
      });
      return { ...trial, answered: runs === 1 ? 19 : 100 };
    },
  });
  assertEquals(sustainedPerSecond, 1_000);
  assert(trials.every(({ ratePerSecond }) => ratePerSecond >= 350));
});

const anySearch = fc.record({
  lowest: fc.integer({ min: 96, max: 150 }),
  span: fc.integer({ min: 0, max: 300 }),
  first: fc.integer({ min: 60, max: 500 }),
  limit: fc.integer({ min: 80, max: 500 }),
  confirmed: fc.integer({ min: 0, max: 20 }),
  /** How many steps the capacity is above the highest rate that meets the objective. */
  reserve: fc.integer({ min: 0, max: 30 }),
});

Deno.test("the search finds the highest rate that long runs sustain, in few runs", async () => {
  await fc.assert(fc.asyncProperty(anySearch, async ({ lowest, span, first, limit, ...plan }) => {
    const highest = lowest + span;
    const result = await searchRate({
      ...{ first: rateAt(first), lowest: rateAt(lowest), highest: rateAt(highest) },
      run(rate, { confirms }) {
        assert(rate >= rateAt(lowest) && rate <= rateAt(highest), "out of bounds");
        const isMet = placeOf(rate) <= limit - (confirms ? plan.confirmed : 0);
        const capacity = rateAt(limit + plan.reserve) * 1.001;
        return trialOf(rate, { confirms, capacity, verdict: isMet ? "met" : "missed" });
      },
    });
    const { sustainedPerSecond, metShare, trials } = result;
    const best = Math.min(highest, limit - plan.confirmed);
    if (sustainedPerSecond === null) {
      assert(best < lowest && metShare === null);
      assertEquals(result.limit.kind, "server");
    } else {
      assertEquals(placeOf(sustainedPerSecond), best);
      assert(metShare! > 0);
      assertEquals(result.limit.kind, limit - plan.confirmed >= highest ? "highest" : "server");
    }
    assert(trials.length <= 2 * (2 + span / 29 + 6 + 12), `${trials.length} runs`);
  }));
});

Deno.test("the result is never above the achieved rate, even after a lucky run", async () => {
  const { sustainedPerSecond, trials } = await searchRate({
    ...{ first: 200, lowest: 1, highest: 10_000 },
    // By luck, runs up to 5 % above the capacity meet the objective.
    run: (rate, { confirms }) =>
      trialOf(rate, { confirms, capacity: 1_000, verdict: rate < 1_050 ? "met" : "missed" }),
  });
  assertEquals(sustainedPerSecond, 1_000);
  assert(trials.every(({ confirms, ratePerSecond }) => !confirms || ratePerSecond <= 1_000));
});

Deno.test("a miss counts if it is clear or repeated, otherwise it is tried again", async () => {
  const search = async (missAt200: number, capacity = Infinity) => {
    let misses = 0;
    const { limit, trials } = await searchRate({
      ...{ first: 200, lowest: 100, highest: 200 },
      run(rate, { confirms }) {
        const isMissed = rate === 200 && misses++ < missAt200;
        return trialOf(rate, { confirms, capacity, verdict: isMissed ? "missed" : "met" });
      },
    });
    return {
      limit,
      atFirst: trials.filter((trial) => trial.ratePerSecond === 200 && !trial.confirms).length,
    };
  };
  assertEquals(await search(1), { limit: { kind: "highest" }, atFirst: 2 });
  assertEquals((await search(99)).atFirst, 2);
  assertEquals((await search(99, 150)).atFirst, 1);
});

Deno.test("late runs of the client are repeated, then the client is the limit", async () => {
  let runs = 0;
  const search = (late: (rate: number) => boolean) =>
    searchRate({
      ...{ first: 200, lowest: 10, highest: 1_000 },
      run(rate, { confirms }) {
        runs++;
        return trialOf(rate, { confirms, verdict: late(rate) ? "noVerdict" : "met" });
      },
    });
  const { sustainedPerSecond, limit, trials } = await search((rate) => rate > 500);
  assertEquals([sustainedPerSecond, limit], [499, { kind: "client", latePerSecond: 511 }]);
  assertEquals(trials.filter(({ ratePerSecond }) => ratePerSecond > 511).length % 3, 0);
  runs = 0;
  const never = await search(() => true);
  assertEquals([never.sustainedPerSecond, never.limit.kind], [null, "client"]);
  assert(runs <= 15, `${runs} runs`);
});

Deno.test("a server that goes away ends the search with what was confirmed before", async () => {
  const { sustainedPerSecond, limit, trials } = await searchRate({
    ...{ first: 200, lowest: 1, highest: 10_000 },
    run: async (rate, { confirms }) => ({
      ...await trialOf(rate, { confirms, verdict: rate < 1_000 ? "met" : "missed" }),
      ...(rate < 1_000 ? {} : { misses: [{ kind: "gone", end: "silent" }] }),
    }),
  });
  assertEquals([sustainedPerSecond, limit], [null, {
    kind: "gone",
    ratePerSecond: trials.at(-1)!.ratePerSecond,
  }]);
});

Deno.test("a search that runs out of time returns what was confirmed before", async () => {
  const searchWith = async (most: number) => {
    let runs = 0;
    const result = await searchRate({
      ...{ first: 200, lowest: 1, highest: 10_000 },
      mayGoOn: () => runs < most,
      run: (rate, { confirms }) => {
        runs++;
        return trialOf(rate, { confirms, verdict: rate < 1_000 ? "met" : "missed" });
      },
    });
    return { ...result, runs };
  };
  const whole = await searchWith(Infinity);
  for (let most = 0; most < whole.runs; most++) {
    const { sustainedPerSecond, runs, trials } = await searchWith(most);
    assertEquals([runs, trials], [most, whole.trials.slice(0, most)]);
    const confirmed = trials.filter(({ confirms, verdict }) => confirms && verdict === "met");
    assertEquals(sustainedPerSecond === null, confirmed.length === 0);
  }
});

const SEEDS = repeats(2, 10);

/** Searches the rate of a simulated server with a client that sometimes pauses for milliseconds. */
function searchSimulated(
  { seed, sloMs, ...run }: Pick<SimulatedRun, "capacityPerSecond" | "arrivals" | "seed"> & {
    sloMs: number;
  },
) {
  let runs = 0;
  return searchRate({
    ...{ first: 200, lowest: 1, highest: 100_000 },
    run(ratePerSecond, { confirms }) {
      const result = simulateRun({
        ...run,
        ...{ ratePerSecond, seed: 1_000 * seed + runs++, leadInMs: 200 },
        durationMs: confirms ? 10_000 : 1_000,
        absences: { perSecond: 1, meanMs: 8 },
      });
      const { offeredPerSecond, achievedPerSecond, ok: answered } = result;
      return Promise.resolve({
        ...judgeRun(result, { sloNs: sloMs * 1e6 }),
        ...{ ratePerSecond, confirms, offeredPerSecond, achievedPerSecond, answered },
      });
    },
  });
}

/**
 * With random arrivals the objective must leave room for the queue: at 95 % of the capacity, 1 % of
 * the calls wait for over 44 service times (M/D/1), so 50 ms would limit 300/s to 86 % of it.
 */
for (const arrivals of ["poisson", "constant"] as const) {
  for (const capacityPerSecond of [300, 1_000, 3_000]) {
    Deno.test(`${arrivals} arrivals: a capacity of ${capacityPerSecond}/s is found within 5 %, never above`, async () => {
      const sloMs = arrivals === "constant" ? 50 : 300_000 / capacityPerSecond;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const found = await searchSimulated({ capacityPerSecond, arrivals, seed, sloMs });
        const share = found.sustainedPerSecond! / capacityPerSecond;
        assert(share > 0.95 && share <= 1, `seed ${seed}: ${share}`);
      }
    });
  }
}

Deno.test("an objective that random arrivals miss below the capacity limits the rate", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const server = { capacityPerSecond: 300, arrivals: "poisson", sloMs: 50 } as const;
    const found = await searchSimulated({ ...server, seed });
    assert(found.sustainedPerSecond! > 0.8 * 300 && found.sustainedPerSecond! < 0.95 * 300);
    assert(found.limit.kind === "server" || found.limit.kind === "client");
  }
});

Deno.test("whole numbers up to 41 are found exactly, larger ones to the step below", async () => {
  const series = wholeNumbers(1_000);
  for (const capacity of [1, 2, 7, 25, 40, 41, 100, 333, 1_000]) {
    const { sustainedPerSecond, trials } = await searchRate<Trial>({
      ...{ series, first: 5, lowest: 1, highest: 1_000 },
      run: (level, { confirms }) =>
        Promise.resolve({
          ...{ ratePerSecond: level, confirms, offeredPerSecond: level, achievedPerSecond: level },
          answered: 1_000,
          verdict: level <= capacity ? "met" : "missed",
          misses: level <= capacity ? [] : [{ kind: "latency" }],
        }),
    });
    assertEquals(sustainedPerSecond, series.at(series.placeOf(capacity)), `${capacity}`);
    assert(capacity > 41 || sustainedPerSecond === capacity, `${sustainedPerSecond}`);
    assert(trials.length < 40 && trials.every(({ ratePerSecond }) => ratePerSecond <= 1_000));
  }
});

Deno.test("the search stays below a refused level and returns what was admitted", async () => {
  const tried: number[] = [];
  const { sustainedPerSecond } = await searchRate<Trial>({
    ...{ series: wholeNumbers(500), first: 20, lowest: 1, highest: 500 },
    run(level, { confirms }) {
      tried.push(level);
      const isCapped = level > 30;
      return Promise.resolve({
        ...{ ratePerSecond: level, confirms, offeredPerSecond: level, answered: 5, isCapped },
        achievedPerSecond: Math.min(level, 30),
        isClear: isCapped,
        verdict: isCapped ? "missed" : "met",
        misses: isCapped ? [{ kind: "refused" }] : [],
      });
    },
  });
  assertEquals([sustainedPerSecond, tried.filter((level) => level > 30).length], [30, 1]);
});
