/**
 * Two servers in one run: both in every block and every epoch, so that whatever the machine does it does to both.
 *
 * @module
 */

import type { Ab, Comparison, Metric, Reason, Report } from "../schema.ts";
import type { NoDelay } from "../client/relay.ts";
import { redactUrl } from "../client/redact_url.ts";
import { comparePaired } from "../stats/compare_paired.ts";
import { orderEffect } from "../stats/paired.ts";
import { assemble, beginReport, type Begun, type Findings, NOTHING, reasonOf } from "./assemble.ts";
import type { Entry } from "./entry.ts";
import { judgeReport } from "./judge_report.ts";
import { useUniqueArguments } from "./cache_probe.ts";
import { keepToLimits } from "./limit_probe.ts";
import { runPreflight } from "./preflight.ts";
import { createRun, type Run, type RunHooks } from "./run.ts";
import { type Scenario, TargetUnusableError } from "./scenario.ts";
import type { RunSettings } from "./settings.ts";
import { Suite } from "./suite.ts";
import { EXIT, INTERRUPTED, verdictOf } from "./verdict.ts";

/** How two servers are compared. */
export interface AbOptions extends RunHooks {
  scenarios: readonly Scenario[];
  /** Restarts both, before each epoch; `null`: they go on. */
  restart: (() => Promise<void>) | null;
}

/** An order effect is one where chance would give it once in so many cases. */
const ORDER_P = 0.01;

/**
 * Measures both, and gives the report of B with its comparison with A. Whatever the servers do, there is a report.
 */
export async function runAb(
  settings: { a: RunSettings; b: RunSettings },
  { restart, ...options }: AbOptions,
): Promise<Report> {
  const noDelay = sharedNoDelay(settings);
  await using a = createRun({ ...settings.a, noDelay }, options);
  await using b = createRun({ ...settings.b, noDelay }, options);
  using pair = new Pair({ a, b, restart });
  return await pair.measure();
}

/** Both sides go the same way, although `auto` would take one of them, for its TLS, through the relay. */
export function sharedNoDelay({ a, b }: { a: Reached; b: Reached }): NoDelay {
  const { noDelay = "off" } = a;
  const isMixed = /^wss:/i.test(a.url) !== /^wss:/i.test(b.url);
  return noDelay === "auto" && isMixed ? "on" : noDelay;
}

type Reached = Pick<RunSettings, "url" | "noDelay">;

/** Both runs, and what has been found of each. */
class Pair implements Disposable {
  readonly #a: Run;
  readonly #b: Run;
  readonly #isRestarted: boolean;
  readonly #begun: Begun;
  readonly #suite: Suite;
  readonly #found = { a: structuredClone(NOTHING), b: structuredClone(NOTHING) };

  constructor({ a, b, restart }: { a: Run; b: Run; restart: AbOptions["restart"] }) {
    this.#a = a;
    this.#b = b;
    this.#isRestarted = restart !== null;
    this.#begun = beginReport(b);
    this.#suite = new Suite([a, b], {
      ...(restart === null ? {} : { beforeEpoch: restart }),
      onEpoch: () => b.onPartialReport(this.#report({ isFinished: false })),
      needsAnother: () => needsAnother(this.#compare(), b.settings.precisionPercent!),
    });
  }

  async measure(): Promise<Report> {
    try {
      await this.#look("A", this.#a, this.#found.a);
      await this.#look("B", this.#b, this.#found.b);
      await useUniqueArguments([this.#a, this.#b]);
      await keepToLimits([this.#a, this.#b]);
      await this.#suite.run();
      this.#collect();
    } catch (error) {
      this.#found.b.reasons.push(reasonOf(error, this.#b.signal));
    }
    return this.#report({ isFinished: true });
  }

  [Symbol.dispose](): void {
    this.#suite[Symbol.dispose]();
  }

  async #look(name: string, run: Run, found: Findings): Promise<void> {
    try {
      const { warnings, checks, ...preflight } = await runPreflight(run.target, run.workload);
      Object.assign(found, { ...preflight, preflight: checks });
      for (const warning of warnings) run.onWarning(`${name}: ${warning}`);
    } catch (error) {
      if (error instanceof TargetUnusableError) error.message = `${name}: ${error.message}`;
      throw error;
    }
  }

  #collect(): void {
    Object.assign(this.#found.a, this.#suite.resultOf(this.#a));
    Object.assign(this.#found.b, this.#suite.resultOf(this.#b));
  }

  #compare(): Comparison {
    this.#collect();
    return this.#compareFound();
  }

  #compareFound(): Comparison {
    const [a, b] = [
      assemble(this.#a, this.#begun, this.#found.a),
      assemble(this.#b, this.#begun, this.#found.b),
    ];
    return comparePaired(a, b, {
      bandPercent: this.#b.settings.bandPercent,
      floorOf: (scenario, metric) => floorOf(this.#suite.entries, this.#b, { scenario, metric }),
    });
  }

  #report({ isFinished }: { isFinished: boolean }): Report {
    const comparison = isFinished ? this.#compareFound() : this.#compare();
    const { settings, signal } = this.#b;
    const report = judgeReport(assemble(this.#b, this.#begun, this.#found.b), {
      ...settings,
      baselines: [],
    });
    const regressions = signal.aborted ? [] : comparison.regressions.map((message) => ({
      code: EXIT.regression,
      kind: "regression",
      scenario: null,
      message,
    }));
    const reasons: Reason[] = [
      ...report.verdict.reasons,
      ...this.#found.a.reasons.filter(({ code }) => code !== EXIT.interrupted)
        .map((reason) => ({ ...reason, message: `A: ${reason.message}` })),
      ...regressions,
      ...(isFinished ? [] : [{ ...INTERRUPTED, message: "not finished" }]),
    ];
    return {
      ...report,
      comparison,
      ab: {
        a: { url: redactUrl(this.#a.settings.url) },
        b: { url: redactUrl(this.#b.settings.url) },
        restarted: this.#isRestarted,
        orderEffects: orderEffects(this.#suite.entries, { a: this.#a, b: this.#b }),
      },
      verdict: verdictOf(reasons),
    };
  }
}

/**
 * Whether the figures are not known to so many per cent yet. Of each metric the narrowest interval counts, as a rule
 * that of the fast path: a tail would need many times the epochs. It looks at widths only, never at a verdict.
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

/** The medians on a server that does nothing, of the calls that a scenario holds against it. */
function floorOf(
  entries: readonly Entry[],
  run: Run,
  { scenario, metric }: { scenario: string; metric: Metric },
): readonly (number | null)[] | null {
  const entry = entries.find((one) => one.run === run && one.name === scenario);
  const held = entry?.casePlan?.floors?.[0];
  if (entry?.group == null || held === undefined || metric.kind !== "distribution") return null;
  const medians = entry.group.resultOf(held, entry.record)?.medians ?? [];
  // The metric is that of the case if it has its medians.
  const isThat = metric.epochs.length === medians.length &&
    metric.epochs.every(({ p50 }, epoch) => p50 === medians[epoch]);
  return isThat ? entry.group.floorOf(held)?.medians ?? null : null;
}

/** Scenarios in which it mattered which server was measured first. */
function orderEffects(
  entries: readonly Entry[],
  { a, b }: { a: Run; b: Run },
): Ab["orderEffects"] {
  return entries.filter(({ run, casePlan }) => run === a && casePlan !== null).flatMap((entry) => {
    const other = entries.find((one) => one.run === b && one.name === entry.name);
    const [one] = entry.casePlan!.cases;
    const before = one === undefined ? null : entry.group?.resultOf(one, entry.record) ?? null;
    const after = one === undefined || other === undefined
      ? null
      : other.group?.resultOf(one, other.record) ?? null;
    if (before === null || after === null) return [];
    const effect = orderEffect(before.within.map((rates, epoch) => {
      const ratios = rates.map((rate, block) => ({
        ratio: (after.within[epoch]?.[block] ?? NaN) / rate,
        isAFirst: before.positions[epoch]![block]! < (after.positions[epoch]?.[block] ?? NaN),
      })).filter(({ ratio }) => ratio > 0);
      return {
        aFirst: ratios.filter(({ isAFirst }) => isAFirst).map(({ ratio }) => ratio),
        bFirst: ratios.filter(({ isAFirst }) => !isAFirst).map(({ ratio }) => ratio),
      };
    }));
    return effect === null || effect.p > ORDER_P ? [] : [{ scenario: entry.name, ...effect }];
  });
}
