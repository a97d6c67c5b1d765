import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  fitScalingLaw,
  peakClients,
  type ScalingLaw,
  type ScalingSample,
  throughputAt,
} from "../../lib/stats/scaling.ts";
import { judgeScaling } from "../../lib/stats/scaling_verdict.ts";
import { syntheticRounds } from "../support/synthetic_scaling.ts";

const LAW = { singleRatePerSecond: 1000, contention: 0.04, coherency: 0.015 };
const TEN = [1, 2, 3, 4, 6, 8, 10];

/** Rounds of a sweep, with normal noise of a relative size. */
function roundsOf(
  law: ScalingLaw,
  { sweep = TEN, rounds = 10, noise = 0, seed = 1 } = {},
): ScalingSample[][] {
  return syntheticRounds(law, { sweep, rounds, noise, seed });
}

function fitted(verdict: ReturnType<typeof judgeScaling>) {
  assert(verdict.status === "fitted", JSON.stringify(verdict));
  return verdict;
}

Deno.test("the law by hand: 4 clients, contention 0.04 and coherency 0.015", () => {
  // 4000 / (1 + 0.04 x 3 + 0.015 x 4 x 3) = 4000 / 1.3; and the peak is at sqrt(0.96 / 0.015) = 8.
  assertAlmostEquals(throughputAt(LAW, 4), 4000 / 1.3, 1e-9);
  assertEquals(throughputAt(LAW, 1), 1000);
  assertAlmostEquals(peakClients(LAW), 8, 1e-9);
});

Deno.test("without coherency there is no peak; with a contention of 1 one client is the peak", () => {
  assertEquals(peakClients({ ...LAW, coherency: 0 }), Infinity);
  assertEquals(peakClients({ ...LAW, contention: 1.2, coherency: 0 }), 1);
  assertEquals(peakClients({ ...LAW, contention: 0.5, coherency: 2 }), 1);
});

Deno.test("the peak is told where it was measured, with what is reached there", () => {
  const { peak, law, rSquared } = fitted(judgeScaling(roundsOf(LAW), { seed: 1 }));
  assert(peak.status === "measured");
  assertAlmostEquals(peak.clients, 8, 1e-3);
  // By hand: 8000 / (1 + 0.04 x 7 + 0.015 x 8 x 7) = 8000 / 2.12.
  assertAlmostEquals(peak.ratePerSecond, 8000 / 2.12, 0.01);
  assertAlmostEquals(law.contention, 0.04, 1e-4);
  assert(rSquared > 0.99999);
});

Deno.test("a peak beyond what was measured is not told as a number", () => {
  const rounds = roundsOf(LAW, { sweep: [1, 2, 3, 4, 6, 7] });
  const { peak } = fitted(judgeScaling(rounds, { seed: 1 }));
  assertEquals(peak, { status: "beyond", reason: "beyond what was measured, up to 7 at once" });
});

Deno.test("a peak that was clearly exceeded where it was measured is not told as one", () => {
  const law = { singleRatePerSecond: 100, contention: 0.02, coherency: 0.0006 };
  const sweep = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
  const rounds = roundsOf(law, { sweep, rounds: 5 }).map((round, index) =>
    round.map((sample) =>
      sample.clients === 64 ? { ...sample, ratePerSecond: index < 2 ? 900 : 2200 } : sample
    )
  );
  const { peak, rSquared } = fitted(judgeScaling(rounds, { seed: 1 }));
  assert(rSquared > 0.98, "the fit as a whole is good");
  assertEquals(peak, {
    status: "beyond",
    reason:
      "not settled: the law's most, 1529 calls/s, is less than the 2200 that 64 at once were " +
      "seen to get",
  });
});

Deno.test("where throughput only levels off there is no peak", () => {
  const straight = { ...LAW, contention: 0, coherency: 0 };
  // Slightly more than proportional: the best contention and coherency lie at their bounds.
  const rounds = roundsOf(straight).map((round) =>
    round.map(({ clients, ratePerSecond }) => ({
      clients,
      ratePerSecond: ratePerSecond * clients ** 0.05,
    }))
  );
  const { peak, law } = fitted(judgeScaling(rounds, { seed: 1 }));
  assertEquals([law.contention, law.coherency], [0, 0]);
  assertEquals(peak, {
    status: "beyond",
    reason: "none: up to 10 at once nothing shows that more would cost throughput",
  });
});

Deno.test("a peak that the rounds do not settle has no interval", () => {
  const late = { singleRatePerSecond: 1000, contention: 0.3, coherency: 0.0086 }; // Peak at 9.0.
  const peaks = [1, 2, 3, 4, 5, 6].map((seed) =>
    fitted(judgeScaling(roundsOf(late, { noise: 0.04, seed }), { seed: 1 })).peak
  );
  const measured = peaks.filter((peak) => peak.status === "measured");
  assert(measured.some(({ ci95 }) => ci95 === null), JSON.stringify(peaks));
  for (const { clients, ci95 } of measured) assert(clients <= 10 && (ci95?.[1] ?? 0) <= 10);
});

Deno.test("three numbers of clients, and a throughput of 0, are refused", () => {
  const refusal = (rounds: ScalingSample[][]) => {
    const verdict = judgeScaling(rounds, { seed: 1 });
    return verdict.status === "refused" ? [verdict.reason, verdict.rSquared] : null;
  };
  assertEquals(refusal(roundsOf(LAW, { sweep: [1, 2, 3] })), [
    "3 numbers of clients are too few for a fit: 4 are needed",
    null,
  ]);
  assertEquals(refusal([]), ["no round is whole", null]);
  const idle = roundsOf(LAW);
  idle[3]![4]!.ratePerSecond = 0;
  assertEquals(refusal(idle), ["a round of 6 at once had no success", null]);
  assertThrows(() => fitScalingLaw(idle.flat()), RangeError, "6 clients got 0");
  assertThrows(() => fitScalingLaw(idle[0]!.slice(0, 3)), RangeError, "there are 3");
});

Deno.test("what does not follow the law is refused, with the R² that says so", () => {
  const jagged = roundsOf(LAW).map((round) =>
    round.map((one, index) => ({ ...one, ratePerSecond: index % 2 === 0 ? 1000 : 3000 }))
  );
  const verdict = judgeScaling(jagged, { seed: 1 });
  assert(verdict.status === "refused" && verdict.rSquared !== null && verdict.rSquared < 0.9);
  assertEquals(
    verdict.reason,
    "the throughput does not follow the Universal Scalability Law: R² is " +
      `${verdict.rSquared.toFixed(2)}, 0.9 is needed`,
  );
});

Deno.test("R² is that of the definition, over the mean throughputs", () => {
  const rounds = roundsOf(LAW, { noise: 0.1, seed: 5 });
  const { law, rSquared } = fitScalingLaw(rounds.flat());
  const means = TEN.map((_, step) =>
    rounds.reduce((sum, round) => sum + round[step]!.ratePerSecond, 0) / rounds.length
  );
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  const left = means.reduce((sum, y, i) => sum + (y - throughputAt(law, TEN[i]!)) ** 2, 0);
  const all = means.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  assertAlmostEquals(rSquared, 1 - left / all, 1e-9);
  assert(rSquared > 0.9 && rSquared < 1);
});

Deno.test("a throughput that never changes leaves nothing to explain: refused", () => {
  const serial = roundsOf({ singleRatePerSecond: 1000, contention: 1, coherency: 0 });
  assertEquals(judgeScaling(serial, { seed: 1 }).status, "refused");
});

Deno.test("a round that was cut short does not count", () => {
  const whole = roundsOf(LAW, { noise: 0.05 });
  const cut = [...whole, [{ clients: 1, ratePerSecond: 1e9 }]];
  assertEquals(judgeScaling(cut, { seed: 1 }), judgeScaling(whole, { seed: 1 }));
});

Deno.test("under five rounds there are parameters and no intervals", () => {
  const { ci95, law } = fitted(judgeScaling(roundsOf(LAW, { rounds: 4 }), { seed: 1 }));
  assertEquals(ci95, { singleRatePerSecond: null, contention: null, coherency: null });
  assertAlmostEquals(law.coherency, 0.015, 1e-4);
});

/** The spread of an estimate over many runs, found by repeating the run, is what its interval says. */
Deno.test("the intervals are as wide as the estimates of repeated runs are spread", () => {
  const sweep = [1, 2, 4, 8, 16, 32];
  const law = { singleRatePerSecond: 1000, contention: 0.1, coherency: 0.01 };
  const run = (seed: number) => roundsOf(law, { sweep, rounds: 20, noise: 0.05, seed });
  for (const key of ["singleRatePerSecond", "contention", "coherency"] as const) {
    const all = Array.from({ length: 300 }, (_, seed) => fitScalingLaw(run(seed).flat()).law[key]);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, one) => sum + (one - mean) ** 2, 0) / all.length);
    const [low, high] = fitted(judgeScaling(run(1000), { seed: 1 })).ci95[key]!;
    const ratio = (high - low) / (2 * 1.96 * deviation);
    assert(ratio > 0.65 && ratio < 1.4, `${key}: ${ratio}`);
  }
});
