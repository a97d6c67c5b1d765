import { redactUrl } from "../client/redact_url.ts";
import type { Check, ClockOffset, Reason, Report, Shard, ShardPlace } from "../schema.ts";
import { estimate } from "../stats/estimate.ts";
import { useUniqueArguments } from "./cache_probe.ts";
import { readCpuPressureNs, readEnvironment } from "./environment.ts";
import { keepToLimits } from "./limit_probe.ts";
import { runPreflight } from "./preflight.ts";
import type { Run } from "./run.ts";
import { TargetUnusableError } from "./scenario.ts";
import { LATE_START_MS, startOffsetMs } from "./start_times.ts";
import type { SuiteResult } from "./suite.ts";
import { EXIT, INTERRUPTED, verdictOf } from "./verdict.ts";

/** What the report is assembled from. */
export interface Findings extends SuiteResult {
  preflight: Check[];
  clockOffset: ClockOffset | null;
  transcript?: Report["transcript"];
}

/** Marks a partial report. */
export const NOT_FINISHED: Reason = { ...INTERRUPTED, message: "not finished" };

/** Collects the findings of a run, and assembles its report. Create it when the run begins. */
export class RunReport {
  readonly run: Run;
  readonly #side: "A" | "B" | undefined;
  readonly #prefix: string;
  readonly #startedAt: string;
  readonly #startNs: number;
  readonly #pressureNs = readCpuPressureNs();
  readonly found: Findings = {
    preflight: [],
    clockOffset: null,
    scenarios: [],
    reasons: [],
    rateLimit: null,
    unitEpochs: [],
    epochs: 0,
  };

  /** @param side the server, if there are two */
  constructor(run: Run, side?: "A" | "B") {
    this.run = run;
    this.#side = side;
    this.#prefix = side === undefined ? "" : `${side}: `;
    this.#startedAt = run.clock.date().toISOString();
    this.#startNs = run.clock.nowNs();
  }

  /** Runs the preflight, and throws what it throws. */
  async look(): Promise<void> {
    const { target, workload, onWarning } = this.run;
    try {
      const looked = await runPreflight(target, workload, this.#side);
      const { warnings, checks: preflight, ...rest } = looked;
      Object.assign(this.found, { preflight, ...rest });
      for (const warning of warnings) onWarning(this.#prefix + warning);
    } catch (error) {
      if (error instanceof TargetUnusableError) error.message = this.#prefix + error.message;
      throw error;
    }
  }

  /** Records why the run ended before its scenarios. Rethrows unexpected errors. */
  endWith(error: unknown): void {
    const { reasons } = this.found;
    if (error instanceof TargetUnusableError) {
      const { message } = error;
      const code = EXIT.targetUnusable;
      reasons.push({ code, kind: "targetUnusable", scenario: null, message });
    } else if (this.run.signal.aborted) reasons.push(INTERRUPTED);
    else throw error;
  }

  /** The report so far, before thresholds and baselines are applied. */
  assemble(...more: Reason[]): Report {
    const { target, settings, tool, bundled, clock } = this.run;
    const { suite, seed, command, profile, shard } = settings;
    const { proxy, insecure, uniqueArguments, uniqueSeed, toolArgsJson } = settings;
    const { epochs, preflight, rateLimit, drift, transcript, scenarios } = this.found;
    return {
      schemaVersion: 2,
      suite,
      startedAt: this.#startedAt,
      finishedAt: clock.date().toISOString(),
      seed,
      command,
      environment: {
        ...readEnvironment(),
        cpuPressure: this.#pressure(),
        ...(toolArgsJson.includes("{unique}") ? { uniqueSeed } : {}),
      },
      target: {
        url: redactUrl(target.options.url),
        kind: bundled === null ? "external" : "embedded",
        protocol: target.options.protocol.name,
        tool,
        noDelay: target.hasRelay && target.relays(),
        ...(proxy ? { proxy } : {}),
        ...(insecure ? { insecure } : {}),
        ...(uniqueArguments === undefined ? {} : { uniqueArguments }),
      },
      profile,
      epochs,
      verdict: verdictOf([...this.found.reasons, ...more]),
      preflight,
      rateLimit,
      ...(drift === undefined ? {} : { drift }),
      unitBaseline: unitBaseline(this.run, this.found),
      ...(transcript === undefined ? {} : { transcript }),
      ...(shard === null ? {} : { shard: describeShard(shard, this.run, this.found) }),
      scenarios,
    };
  }

  /** Share of the run in which something waited for a core. */
  #pressure(): number | null {
    const pressureNs = readCpuPressureNs();
    const elapsedNs = this.run.clock.nowNs() - this.#startNs;
    if (pressureNs === null || this.#pressureNs === null || elapsedNs <= 0) return null;
    return Math.min(1, (pressureNs - this.#pressureNs) / elapsedNs);
  }
}

/** Runs the preflights, then sets the arguments and the rate of all runs. */
export async function prepare(reports: readonly RunReport[]): Promise<void> {
  for (const report of reports) await report.look();
  const runs = reports.map(({ run }) => run);
  await useUniqueArguments(runs);
  await keepToLimits(runs);
}

/** Throughput of unit tests: the figure given by the user, or the measured dispatch. */
function unitBaseline(
  { settings: { unitBaselinePerSecond: given } }: Run,
  { unitEpochs }: Findings,
): Report["unitBaseline"] {
  if (given !== null) return { source: "given", throughput: given, ci95: null, epochs: [] };
  if (unitEpochs.length === 0) return null;
  const epochs = unitEpochs.map((ns) => 1e9 / ns);
  const { value, ci95 } = estimate(epochs);
  return { source: "measured", throughput: value, ci95, epochs };
}

/** The shard, and when its first split scenario began. */
function describeShard(
  place: ShardPlace,
  { settings: { startAtMs } }: Run,
  { scenarios, clockOffset: clock }: Findings,
): Shard {
  const offsets = scenarios.flatMap(({ measured }) => (measured && startOffsetMs(measured)) ?? []);
  const late = offsets.some((offsetMs) => offsetMs > LATE_START_MS);
  return { ...place, startAtMs, startOffsetMs: offsets[0] ?? null, late, clock };
}
