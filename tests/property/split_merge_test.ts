/**
 * Merged results of shards equal those of a single client.
 *
 * @module
 */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Distribution, Ledger, Scalar } from "../../lib/schema.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { mergeLedgers } from "../../lib/split/merge_scenario.ts";
import { mergeDistributions, mergeMetrics } from "../../lib/split/merge_metrics.ts";
import { DistributionRecorder, summariseScalar } from "../../lib/stats/summary.ts";
import { randomStream } from "../../lib/stats/random.ts";
import { ledgerWith } from "../support/targets.ts";
import { repeats } from "../support/repeats.ts";

interface Sample {
  epoch: number;
  /** When it ended. */
  atMs: number;
  ns: number;
}

const EPOCHS = 5;
const OPTIONS = { name: "latency", better: "lower", role: "headline", seed: 7 } as const;
/** Samples this long have no answer; all others are much shorter. */
const TIMEOUT_NS = 1e13;
const SERIES = { intervalMs: 10, startNs: 0 };

/** Records the samples as a client does. */
function record(samples: readonly Sample[], { mergeable }: { mergeable: boolean }): Distribution {
  using recorder = new DistributionRecorder({ series: SERIES, mergeable });
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    recorder.startEpoch();
    for (const { ns, atMs } of samples.filter((sample) => sample.epoch === epoch)) {
      if (ns < TIMEOUT_NS) recorder.record(ns, atMs * 1e6);
      else recorder.censor(1, TIMEOUT_NS);
    }
    recorder.endEpoch();
  }
  return recorder.distribution(OPTIONS)!;
}

/** Removes the histograms that only shards keep. */
function plain(distribution: Distribution): Distribution {
  return {
    ...distribution,
    epochs: distribution.epochs.map(({ histogram: _, ...epoch }) => epoch),
    series: distribution.series.map(({ histogram: _, ...point }) => point),
  };
}

/** Lengths with a long tail, over epochs of 20 ms. */
function drawSamples(next: () => number, { unanswered = 0 } = {}): Sample[] {
  const count = 1_000 + Math.floor(next() * 500);
  return Array.from({ length: count }, (_, index) => {
    const epoch = Math.floor(index * EPOCHS / count);
    const atMs = 100 * index / count;
    if (next() < unanswered) return { epoch, atMs, ns: TIMEOUT_NS };
    return { epoch, atMs, ns: Math.exp(8 + 6 * next() * next()) * (next() < 0.01 ? 300 : 1) };
  });
}

function split(samples: readonly Sample[], shards: number, next: () => number): Sample[][] {
  const parts = Array.from({ length: shards }, () => [] as Sample[]);
  for (const sample of samples) parts[Math.floor(next() * shards)]!.push(sample);
  return parts.filter((part) => part.length > 0);
}

/** Records the samples outside of epochs, like measurements made once per run. */
function pool(samples: readonly Sample[]): Distribution {
  using recorder = new DistributionRecorder({ mergeable: true });
  for (const { ns } of samples) recorder.record(ns);
  return recorder.distribution(OPTIONS)!;
}

Deno.test("random splits: merged figures equal those of one histogram exactly", () => {
  const next = randomStream(1, "splits");
  for (let nth = 0; nth < repeats(30, 150); nth++) {
    const samples = drawSamples(next);
    const parts = split(samples, 1 + Math.floor(next() * 6), next).map(pool);
    const merged = mergeDistributions(parts, OPTIONS.seed);
    const { p50, p99, min, max, count } = pool(samples);
    assertEquals(
      [merged.p50, merged.p99, merged.min, merged.max, merged.count],
      [p50, p99, min, max, count],
    );
  }
});

Deno.test("random splits: epochs, series, mean and intervals equal one client's", () => {
  const next = randomStream(2, "splits");
  for (let nth = 0; nth < repeats(4, 15); nth++) {
    const samples = drawSamples(next);
    const parts = split(samples, 1 + Math.floor(next() * 8), next)
      .map((part) => record(part, { mergeable: true }));
    const merged = mergeDistributions(parts, OPTIONS.seed);
    assertEquals(plain(merged), record(samples, { mergeable: false }));
  }
});

Deno.test("random splits: calls without an answer count like one client's", () => {
  const next = randomStream(3, "splits");
  for (let nth = 0; nth < repeats(4, 15); nth++) {
    const samples = drawSamples(next, { unanswered: 0.02 });
    const parts = split(samples, 1 + Math.floor(next() * 8), next)
      .map((part) => record(part, { mergeable: true }));
    const merged = mergeDistributions(parts, OPTIONS.seed);
    const whole = record(samples, { mergeable: false });
    const counts = ({ count, censored, p50, p95, p99, max }: Distribution) => (
      { count, censored, p50, p95, p99, max }
    );
    assertEquals(counts(merged), counts(whole));
    assertEquals(whole.max, TIMEOUT_NS);
    assertEquals(plain(merged).epochs, whole.epochs);
  }
});

Deno.test("merging recovers the sum of all times from mean and count to the nanosecond", () => {
  // 15 / 11 x 11 is not 15 as a double, and three such sums change the mean.
  const samples = Array.from({ length: 11 }, (_, nth) => (
    { epoch: 0, atMs: 0, ns: nth === 0 ? 15 : 0 }
  ));
  const parts = [samples, samples, samples].map(pool);
  assertEquals(mergeDistributions(parts, OPTIONS.seed).mean, 45 / 33);
});

const sample: fc.Arbitrary<Sample> = fc.record({
  epoch: fc.integer({ min: 0, max: EPOCHS - 1 }),
  atMs: fc.constant(0),
  ns: fc.integer({ min: 0, max: 1e12 }),
});
const part = fc.array(sample, { minLength: 1, maxLength: 40 })
  .map((samples) => record(samples, { mergeable: true }));

Deno.test("merging distributions is associative and commutative", () => {
  fc.assert(
    fc.property(part, part, part, (a, b, c) => {
      const merge = (...parts: Distribution[]) => mergeDistributions(parts, OPTIONS.seed);
      const all = merge(a, b, c);
      assertEquals(merge(merge(a, b), c), all);
      assertEquals(merge(a, merge(b, c)), all);
      assertEquals(merge(c, a, b), all);
      assertEquals(merge(b, a, c), all);
    }),
    { numRuns: repeats(3, 20) },
  );
});

const counts = fc.nat(1_000);
const ledger: fc.Arbitrary<Ledger> = fc.record({
  ok: counts,
  toolError: counts,
  timeout: counts,
  progress: counts,
  codes: fc.dictionary(fc.constantFrom("A", "B", "1008"), fc.integer({ min: 1, max: 9 })),
}).map(({ ok, toolError, timeout, progress, codes }) =>
  ledgerWith({
    ...{ sent: ok + toolError + timeout, ok, toolError, timeout, errorCodes: codes },
    frames: { received: ok + toolError + progress, final: ok + toolError, progress },
  })
);

Deno.test("merged ledgers add up and reconcile, in any order", () => {
  fc.assert(fc.property(ledger, ledger, ledger, (a, b, c) => {
    const all = mergeLedgers([a, b, c]);
    assertEquals(all.sent, a.sent + b.sent + c.sent);
    assertEquals(all.frames.progress, a.frames.progress + b.frames.progress + c.frames.progress);
    for (const code of ["A", "B", "1008"]) {
      const sum = [a, b, c].reduce((total, { errorCodes }) => total + (errorCodes[code] ?? 0), 0);
      assertEquals(all.errorCodes[code] ?? 0, sum);
    }
    assertEquals(brokenEquations(all), []);
    assertEquals(mergeLedgers([mergeLedgers([a, b]), c]), mergeLedgers([a, mergeLedgers([b, c])]));
    assertEquals(mergeLedgers([c, b, a]), mergeLedgers([a, b, c]));
  }));
});

Deno.test("merged ledgers keep the first text of each name", () => {
  const texts = (errorMessages: Record<string, string>, malformed?: string) => ({
    ...ledgerWith({ errorMessages }),
    ...malformed === undefined ? {} : { firstStrays: { malformed } },
  });
  const merged = mergeLedgers([texts({ A: "one" }), texts({ A: "two", B: "three" }, "odd")]);
  assertEquals([merged.errorMessages, merged.firstStrays], [
    { A: "one", B: "three" },
    { malformed: "odd" },
  ]);
});

/** Fractions, because the last digit of their sum depends on its order. */
const rate = fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(3, 7, 11))
  .map(([numerator, denominator]) => numerator / denominator);
const rates = fc.array(rate, { minLength: EPOCHS, maxLength: EPOCHS });

Deno.test("throughputs add up epoch by epoch, in any order", () => {
  const scalar = (epochs: number[], merge: "sum" | "max" = "sum"): Scalar =>
    summariseScalar({
      ...{ name: "throughput", unit: "msg/s", better: "higher", role: "headline", merge },
      epochs,
    });
  fc.assert(
    fc.property(rates, rates, rates, (a, b, c) => {
      const merge = (...parts: number[][]) => {
        const { metrics } = mergeMetrics(parts.map((epochs) => [scalar(epochs)]), 7);
        return (metrics[0] as Scalar).epochs;
      };
      const all = merge(a, b, c);
      assertEquals(merge(c, a, b), all);
      const { metrics: [most] } = mergeMetrics([a, b].map((one) => [scalar(one, "max")]), 7);
      assertEquals((most as Scalar).epochs, a.map((rate, epoch) => Math.max(rate, b[epoch]!)));
      all.forEach((rate, epoch) => {
        assertAlmostEquals(rate, a[epoch]! + b[epoch]! + c[epoch]!, 1e-6);
        assertAlmostEquals(merge(merge(a, b), c)[epoch]!, rate, 1e-6);
      });
    }),
    { numRuns: repeats(3, 15) },
  );
});
