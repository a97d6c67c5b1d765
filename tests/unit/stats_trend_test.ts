import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { drawNormal, randomStream } from "../../lib/stats/random.ts";
import { driftOf, mannKendall, slowdownOf } from "../../lib/stats/trend.ts";
import { repeats } from "../support/repeats.ts";

/** All orders of 0 to `count - 1`. */
function ordersOf(count: number): number[][] {
  if (count === 0) return [[]];
  return ordersOf(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, place) => order.toSpliced(place, 0, count - 1))
  );
}

Deno.test("Mann-Kendall's p is the share of all orders that are as uneven", () => {
  for (const count of [1, 2, 3, 4, 5, 6]) {
    const all = ordersOf(count).map((order) => ({ order, ...mannKendall(order) }));
    for (const { s, p } of all) {
      const extreme = all.filter((other) => Math.abs(other.s) >= Math.abs(s)).length;
      assertAlmostEquals(p, extreme / all.length, 1e-12);
    }
  }
  assertEquals(mannKendall([1, 3, 2]).s, 1);
});

Deno.test("with ties, p is close to the share over all orders of the same values", () => {
  const values = [1, 1, 2, 3, 3, 3, 5];
  const all = ordersOf(7).map((order) => mannKendall(order.map((index) => values[index]!)));
  for (const s of [7, 11, 13]) {
    const extreme = all.filter((one) => Math.abs(one.s) >= s);
    const exactly = all.find((one) => Math.abs(one.s) === s)!;
    assertAlmostEquals(exactly.p, extreme.length / all.length, 0.02);
  }
  assertEquals(mannKendall([4, 4, 4, 4, 4, 4]), { s: 0, p: 1 });
});

Deno.test("beyond 50 values, p by the normal approximation is as rarely small as it claims", () => {
  const random = randomStream(1, "many");
  const ps = Array.from({ length: 2_000 }, () => mannKendall(Array.from({ length: 60 }, random)).p);
  for (const level of [0.01, 0.05, 0.5]) {
    const share = ps.filter((p) => p <= level).length / ps.length;
    assertAlmostEquals(share, level, 4 * Math.sqrt(level * (1 - level) / ps.length));
  }
});

Deno.test("a rate that falls from 99/s to 41/s is a drift, with its ends", () => {
  const random = randomStream(1, "falling");
  const falling = Array.from(
    { length: 10 },
    (_, index) => 99 * (41 / 99) ** (index / 9) * (1 + 0.02 * drawNormal(random)),
  );
  const drift = driftOf(falling)!;
  assert(drift.first > 80 && drift.last < 50 && drift.p < 1e-4, JSON.stringify(drift));
  assert(driftOf(falling.toReversed())!.last > 80, "a rise is a drift too");
  assertEquals(driftOf([1, 2, 3, 4, 5]), null, "5 epochs: no order is that unlikely");
  assert(driftOf([1, 2, 3, 4, 5, 6]) !== null);
  assertEquals(driftOf([100, 101, 102, 103, 104, 105, 106, 107]), null, "by less than 10 %");
  assertEquals([driftOf([]), driftOf([0, 0, 0, 0, 0, 0])], [null, null]);
});

Deno.test("noise is rarely called a drift, even if neighbouring epochs correlate", () => {
  const series = repeats(200, 20_000);
  const random = randomStream(1, "noise");
  for (const [correlation, most] of [[0, 0.02], [0.3, 0.05]]) {
    for (const deviation of [0.05, 0.3]) {
      let found = 0;
      for (let run = 0; run < series; run++) {
        let state = drawNormal(random);
        const epochs = Array.from({ length: 10 }, () => {
          state = correlation! * state + Math.sqrt(1 - correlation! ** 2) * drawNormal(random);
          return Math.exp(deviation * state);
        });
        if (driftOf(epochs) !== null) found++;
      }
      assert(found / series <= most!, `${correlation} ${deviation}: ${found} of ${series}`);
    }
  }
});

Deno.test("a loss common to all scenarios is a slowdown after only 5 epochs", () => {
  const times = { epochs: [10, 12, 11.8, 14, 16], better: "lower" } as const;
  const rates = { epochs: [99, 85, 80, 70, 62], better: "higher" } as const;
  assertEquals(slowdownOf([times]), null, "not in order on its own");
  const { ratio, p } = slowdownOf([times, rates])!;
  assert(ratio > 1.5 && ratio < 1.7 && p < 0.01, `${ratio}, ${p}`);
  const faster = { ...rates, epochs: rates.epochs.toReversed() };
  assertEquals(slowdownOf([faster]), null, "getting faster is warming up");
  assertEquals(slowdownOf([{ ...rates, epochs: [99, 80] }]), null);
  assertEquals(slowdownOf([{ ...rates, epochs: [99, 98, 97, 96, 95] }]), null, "by less than 10 %");
  assertEquals(slowdownOf([]), null);
});
