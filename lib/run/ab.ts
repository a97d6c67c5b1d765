import type { Ab, Comparison, Metric, Reason, Report } from "../schema.ts";
import type { NoDelay } from "../client/relay.ts";
import { redactUrl } from "../client/redact_url.ts";
import { comparePaired } from "../stats/compare_paired.ts";
import { orderEffect } from "../stats/paired.ts";
import type { Entry } from "./entry.ts";
import { judgeReport } from "./judge_report.ts";
import { createRun, type Run, type RunHooks } from "./run.ts";
import { NOT_FINISHED, prepare, RunReport } from "./run_report.ts";
import type { RunSettings } from "./settings.ts";
import { Suite } from "./suite.ts";
import { EXIT } from "./verdict.ts";

/** Significance level of an order effect. */
const ORDER_P = 0.01;

/**
 * Measures both servers in every block, so noise of the machine affects both, and returns the
 * report of B with its comparison with A. Server failures are reported, not thrown.
 *
 * @param hooks.restart restarts both before each epoch; `null`: they keep running
 */
export async function runAb(
  settings: { a: RunSettings; b: RunSettings },
  { restart, ...hooks }: RunHooks & { restart: (() => Promise<void>) | null },
): Promise<Report> {
  const noDelay = sharedNoDelay(settings);
  await using a = createRun({ ...settings.a, noDelay }, hooks);
  await using b = createRun({ ...settings.b, noDelay }, hooks);
  const [ofA, ofB] = [new RunReport(a, "A"), new RunReport(b, "B")];
  const collect = () => {
    for (const { found, run } of [ofA, ofB]) Object.assign(found, suite.resultOf(run));
  };
  const entriesOf = (side: Run) => suite.entries.filter(({ run }) => run === side);
  const compare = (): Comparison =>
    comparePaired(ofA.assemble(), ofB.assemble(), {
      bandPercent: b.settings.bandPercent,
      floorOf: (scenario, metric) => floorOf(entriesOf(b), scenario, metric),
    });
  const report = (...unfinished: Reason[]): Report => {
    const comparison = compare();
    const reasonsOfA = ofA.found.reasons.filter(({ code }) => code !== EXIT.interrupted)
      .map((reason) => ({ ...reason, message: `A: ${reason.message}` }));
    return {
      ...judgeReport(ofB.assemble(...reasonsOfA, ...unfinished), b.settings, comparison),
      comparison,
      ab: {
        a: { url: redactUrl(a.settings.url) },
        b: { url: redactUrl(b.settings.url) },
        restarted: restart !== null,
        orderEffects: orderEffects(entriesOf(a), entriesOf(b)),
      },
    };
  };
  using suite = new Suite([a, b], {
    ...(restart === null ? {} : { beforeEpoch: restart }),
    onEpoch: () => {
      collect();
      return b.onPartialReport(report(NOT_FINISHED));
    },
    needsAnother: () => needsAnother(compare(), b.settings.precisionPercent!),
  });
  try {
    await prepare([ofA, ofB]);
    await suite.run();
    collect();
  } catch (error) {
    ofB.endWith(error);
  }
  return report();
}

/** Sends both sides through the relay where `auto` would do so for only one, because of its TLS. */
export function sharedNoDelay(
  { a, b }: Record<"a" | "b", Pick<RunSettings, "url" | "noDelay">>,
): NoDelay {
  const { noDelay = "off" } = a;
  const isMixed = /^wss:/i.test(a.url) !== /^wss:/i.test(b.url);
  return noDelay === "auto" && isMixed ? "on" : noDelay;
}

/**
 * True if some metric is not yet known to within this percentage. The narrowest interval of a
 * metric counts, usually that of the fast path: a tail would need many more epochs. Only widths
 * matter, never a verdict.
 */
export function needsAnother({ rows }: Pick<Comparison, "rows">, percent: number): boolean {
  const gating = rows.filter(({ gating }) => gating);
  const places = Map.groupBy(
    gating,
    ({ scenario, metric, at }) => JSON.stringify([scenario, metric, at ?? {}]),
  );
  return places.values().some((rows) =>
    rows.every(({ ci }) => ci === null || 100 * (Math.sqrt(ci[1] / ci[0]) - 1) > percent)
  );
}

/** Medians on the null server by epoch, if this metric has a floor. */
function floorOf(
  entries: readonly Entry[],
  scenario: string,
  metric: Metric,
): readonly (number | null)[] | null {
  const { own, floor } = entries.find(({ name }) => name === scenario)!.held;
  if (own === null || floor === null || metric.kind !== "distribution") return null;
  const { medians } = own;
  // Equal medians show that the metric was made from the case that has the floor.
  const isSameCase = metric.epochs.length === medians.length &&
    metric.epochs.every(({ p50 }, epoch) => p50 === medians[epoch]);
  return isSameCase ? floor.medians : null;
}

/** Scenarios whose result depends on which server was measured first. */
function orderEffects(a: readonly Entry[], b: readonly Entry[]): Ab["orderEffects"] {
  return a.flatMap(({ first: ofA, name: scenario }, index) => {
    const ofB = b[index]!.first;
    if (ofA === null || ofB === null) return [];
    const effect = orderEffect(ofA.within.map((rates, epoch) => {
      const blocks = rates.map((rate, block) => ({
        ratio: (ofB.within[epoch]?.[block] ?? NaN) / rate,
        isAFirst: ofA.positions[epoch]![block]! < (ofB.positions[epoch]?.[block] ?? NaN),
      })).filter(({ ratio }) => ratio > 0);
      const ratiosIf = (isFirst: boolean) =>
        blocks.filter(({ isAFirst }) => isAFirst === isFirst).map(({ ratio }) => ratio);
      return { aFirst: ratiosIf(true), bFirst: ratiosIf(false) };
    }));
    return effect === null || effect.p > ORDER_P ? [] : [{ scenario, ...effect }];
  });
}
