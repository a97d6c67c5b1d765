import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  fitScalingLaw,
  peakClients,
  rSquaredOf,
  type ScalingLaw,
  type ScalingSample,
  throughputAt,
} from "../../lib/stats/scaling.ts";
import { judgeScaling } from "../../lib/stats/scaling_verdict.ts";
import { syntheticEpochs } from "../support/synthetic_scaling.ts";

const LAW = { singleRatePerSecond: 1000, contention: 0.04, coherency: 0.015 };
const TEN = [1, 2, 3, 4, 6, 8, 10];

/** Epochs of a sweep, with relative normal noise. */
function epochsOf(
  law: ScalingLaw,
  { sweep = TEN, epochs = 10, noise = 0, seed = 1 } = {},
): ScalingSample[][] {
  return syntheticEpochs(law, { sweep, epochs, noise, seed });
}

function fitted(verdict: ReturnType<typeof judgeScaling>) {
  assert(verdict.status === "fitted", JSON.stringify(verdict));
  return verdict;
}

Deno.test("the law gives rate and peak for contention 0.04 and coherency 0.015", () => {
  // 4000 / (1 + 0.04 x 3 + 0.015 x 4 x 3) = 4000 / 1.3; the peak is at sqrt(0.96 / 0.015) = 8.
  assertAlmostEquals(throughputAt(LAW, 4), 4000 / 1.3, 1e-9);
  assertEquals(throughputAt(LAW, 1), 1000);
  assertAlmostEquals(peakClients(LAW), 8, 1e-9);
});

Deno.test("without coherency there is no peak; with a contention of 1 one client is the peak", () => {
  assertEquals(peakClients({ ...LAW, coherency: 0 }), Infinity);
  assertEquals(peakClients({ ...LAW, contention: 1.2, coherency: 0 }), 1);
  assertEquals(peakClients({ ...LAW, contention: 0.5, coherency: 2 }), 1);
});

Deno.test("a measured peak is reported with the rate that is reached there", () => {
  const { peak, law, rSquared } = fitted(judgeScaling(epochsOf(LAW)));
  assert(peak.status === "measured");
  assertAlmostEquals(peak.clients, 8, 1e-3);
  // 8000 / (1 + 0.04 x 7 + 0.015 x 8 x 7) = 8000 / 2.12.
  assertAlmostEquals(peak.ratePerSecond, 8000 / 2.12, 0.01);
  assertAlmostEquals(law.contention, 0.04, 1e-4);
  assert(rSquared > 0.99999);
});

Deno.test("a peak beyond what was measured is not reported as a number", () => {
  const epochs = epochsOf(LAW, { sweep: [1, 2, 3, 4, 6, 7] });
  const { peak } = fitted(judgeScaling(epochs));
  assert(peak.status === "beyond");
  assertEquals(peak.why, "beyond what was measured, up to 7 clients");
});

Deno.test("a peak that a measured rate clearly exceeds is not reported as one", () => {
  const law = { singleRatePerSecond: 100, contention: 0.02, coherency: 0.0006 };
  const sweep = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
  const epochs = epochsOf(law, { sweep, epochs: 5 }).map((epoch) =>
    epoch.map((one) => one.clients === 32 ? { ...one, ratePerSecond: 2_000 } : one)
  );
  const { peak, rSquared } = fitted(judgeScaling(epochs));
  assert(rSquared > 0.9, "the fit as a whole is good");
  assert(peak.status === "beyond");
  assert(/^not settled: .* that 32 clients reached$/.test(peak.why), peak.why);
});

Deno.test("throughput that only levels off has no peak, and coherency only an upper limit", () => {
  const level = { singleRatePerSecond: 1000, contention: 0.1, coherency: 0 };
  let atBound = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { peak, law, ci95 } = fitted(judgeScaling(epochsOf(level, { noise: 0.05, seed })));
    if (law.coherency > 0) continue;
    atBound++;
    assertEquals(ci95.coherency![0], 0);
    assert(ci95.coherency![1] < 0.02);
    assertEquals(peak, {
      status: "beyond",
      why: "none: nothing up to 10 clients shows that more would cost throughput",
    });
  }
  assert(atBound > 3, `${atBound}`);
});

Deno.test("more than proportional throughput is refused: a lone client lets the server sleep", () => {
  const straight = { ...LAW, contention: 0, coherency: 0 };
  const asleep = (seed: number) =>
    epochsOf(straight, { noise: 0.03, seed }).map((epoch) =>
      epoch.map(({ clients, ratePerSecond }) => ({
        clients,
        ratePerSecond: ratePerSecond * (clients === 1 ? 0.7 : clients === 2 ? 0.9 : 1),
      }))
    );
  for (let seed = 1; seed <= 20; seed++) {
    const verdict = judgeScaling(asleep(seed));
    assert(verdict.status === "refused");
    const [, contention] = /awake: contention is (-[\d.]+),/.exec(verdict.why) ?? [];
    assert(Number(contention) < -0.01, verdict.why);
  }
  // Proportional growth with the same noise rarely is: this side of the test is at 0.5 %.
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);
  for (const epochs of [3, 5, 10]) {
    const refused = seeds.filter((seed) =>
      judgeScaling(epochsOf(straight, { epochs, noise: 0.03, seed })).status === "refused"
    );
    assert(refused.length <= 5, `${refused.length} of ${epochs} epochs`);
  }
});

Deno.test("throughput that does not change with the clients is flat, and no law is fitted", () => {
  const serial = epochsOf({ singleRatePerSecond: 1000, contention: 1, coherency: 0 }, {
    noise: 0.05,
  });
  const verdict = judgeScaling(serial);
  assert(verdict.status === "flat");
  assertEquals([verdict.fact.kind, verdict.fact.clients], ["flat", 10]);
  assert(verdict.fact.message.startsWith("more clients gain nothing: up to 10 get 0.9"));
  const retrograde = { singleRatePerSecond: 1000, contention: 1, coherency: 0.02 };
  assertEquals(judgeScaling(epochsOf(retrograde)).status, "fitted", "a loss is not flat");
});

Deno.test("a peak that the epochs do not pin down has no interval", () => {
  const late = { singleRatePerSecond: 1000, contention: 0.3, coherency: 0.0086 }; // Peak at 9.0.
  const peaks = [1, 2, 3, 4, 5, 6].map((seed) =>
    fitted(judgeScaling(epochsOf(late, { noise: 0.04, seed }))).peak
  );
  const measured = peaks.filter((peak) => peak.status === "measured");
  assert(measured.some(({ ci95 }) => ci95 === null), JSON.stringify(peaks));
  for (const { clients, ci95 } of measured) assert(clients <= 10 && (ci95?.[1] ?? 0) <= 10);
});

Deno.test("three client counts, no epoch, and a throughput of 0 are refused", () => {
  const refusal = (epochs: ScalingSample[][]) => {
    const verdict = judgeScaling(epochs);
    return verdict.status === "refused" ? verdict.why : null;
  };
  const three = refusal(epochsOf(LAW, { sweep: [1, 2, 3] }));
  assertEquals(three, "3 client counts are too few for a fit: 4 are needed");
  assertEquals(refusal([]), "no epoch is complete");
  const idle = epochsOf(LAW);
  idle[3]![4]!.ratePerSecond = 0;
  assertEquals(refusal(idle), "an epoch with 6 clients had no successful call");
});

Deno.test("if no law fits, throughput that hardly changes is flat, never a negative R²", () => {
  const rates = [134, 165, 140, 162, 138, 160, 141, 159, 145, 162];
  const noisy = epochsOf(LAW).map((epoch) =>
    epoch.map((one, index) => ({ ...one, ratePerSecond: rates[index]! }))
  );
  const verdict = judgeScaling(noisy);
  assertEquals(verdict.status, "flat");
  assert(verdict.status === "flat" && verdict.fact.message.startsWith("more clients gain nothing"));
  const falling = noisy.map((epoch) =>
    epoch.map((one, index) => ({ ...one, ratePerSecond: [100, 20][index % 2]! }))
  );
  const refused = judgeScaling(falling);
  assert(refused.status === "refused" && !/R² is -/.test(refused.why));
});

Deno.test("throughput that does not follow the law is refused, with its R²", () => {
  const jagged = epochsOf(LAW).map((epoch) =>
    epoch.map((one, index) => ({ ...one, ratePerSecond: index % 2 === 0 ? 1000 : 3000 }))
  );
  const verdict = judgeScaling(jagged);
  assert(verdict.status === "refused" && verdict.rSquared !== null && verdict.rSquared < 0.9);
  assertEquals(
    verdict.why,
    "the throughput does not follow the Universal Scalability Law: R² is " +
      `${verdict.rSquared.toFixed(2)}, 0.9 is needed`,
  );
});

Deno.test("R² follows its definition, over the mean throughputs", () => {
  const samples = epochsOf(LAW, { noise: 0.1, seed: 5 }).flat();
  const { law } = fitScalingLaw(samples);
  const means = TEN.map((clients) => {
    const own = samples.filter((one) => one.clients === clients);
    return Math.exp(own.reduce((sum, one) => sum + Math.log(one.ratePerSecond), 0) / own.length);
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  const left = means.reduce((sum, y, i) => sum + (y - throughputAt(law, TEN[i]!)) ** 2, 0);
  const all = means.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  const rSquared = rSquaredOf(law, samples);
  assertAlmostEquals(rSquared, 1 - left / all, 1e-9);
  assert(rSquared > 0.9 && rSquared < 1);
});

Deno.test("fewer than five epochs give parameters but no intervals", () => {
  const { ci95, law } = fitted(judgeScaling(epochsOf(LAW, { epochs: 4 })));
  assertEquals(ci95, { singleRatePerSecond: null, contention: null, coherency: null });
  assertAlmostEquals(law.coherency, 0.015, 1e-4);
});

Deno.test("the intervals are as wide as the spread of estimates over repeated runs", () => {
  const sweep = [1, 2, 4, 8, 16, 32];
  const law = { singleRatePerSecond: 1000, contention: 0.1, coherency: 0.01 };
  const run = (seed: number) => epochsOf(law, { sweep, epochs: 20, noise: 0.05, seed });
  for (const key of ["singleRatePerSecond", "contention", "coherency"] as const) {
    const all = Array.from({ length: 300 }, (_, seed) => fitScalingLaw(run(seed).flat()).law[key]);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, one) => sum + (one - mean) ** 2, 0) / all.length);
    const [low, high] = fitted(judgeScaling(run(1000))).ci95[key]!;
    const ratio = (high - low) / (2 * 1.96 * deviation);
    assert(ratio > 0.65 && ratio < 1.4, `${key}: ${ratio}`);
  }
});
