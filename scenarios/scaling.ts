import { ConnectError } from "../lib/client/connect_error.ts";
import { counted } from "../lib/run/describe_end.ts";
import {
  type Case,
  type CaseLength,
  type CaseScenario,
  type Derivation,
  type MetricSpec,
  ONE_CLIENT,
  type ScenarioContext,
  THROUGHPUT,
  TIMES,
} from "../lib/run/scenario.ts";
import { type ScalingSample, throughputAt } from "../lib/stats/scaling.ts";
import { judgeScaling } from "../lib/stats/scaling_verdict.ts";

/** The length is that of one number of clients in one epoch. */
interface ScalingParameters extends CaseLength {
  /** The most clients at once, if the server does not refuse one before. */
  connections: number;
  payloadBytes: number;
}

const COMMON = { connections: 64, payloadBytes: 0 };
const COST: MetricSpec = { kind: "scalar", unit: "", better: "lower" };
const LAW = "scaling law";

export const scaling: CaseScenario<ScalingParameters> = {
  kind: "cases",
  name: "scaling",
  title: "Scaling",
  question: "How does throughput grow with the number of clients, and what holds it back?",
  metrics: {
    throughput: THROUGHPUT,
    latency: TIMES,
    efficiency: { kind: "scalar", unit: "", better: "higher" },
    fitted: { ...THROUGHPUT, better: null },
    singleRate: THROUGHPUT,
    contention: COST,
    coherency: COST,
    rSquared: { kind: "scalar", unit: "", better: null },
    peakConcurrency: { kind: "scalar", unit: "connections", better: "higher" },
    peakThroughput: THROUGHPUT,
  },
  headline: ({ connections }) => ({ metric: "throughput", at: { clients: connections } }),
  gates: [{ metric: "throughput" }],
  profiles: ["thorough"],
  takes: ({ connections }) => ({ slices: Math.min(5, stepsUpTo(connections).length) }),
  fillsServer: true,
  defaults: {
    quick: { ...COMMON, messages: null, durationMs: 50 },
    standard: { ...COMMON, messages: null, durationMs: 100 },
    thorough: { ...COMMON, messages: null, durationMs: 100 },
    phase2: { ...COMMON, messages: 10, durationMs: null },
  },

  async begin(context) {
    const most = await findLimit(context);
    const steps = stepsUpTo(most);
    const cases = steps.map((clients): Case => ({ ...ONE_CLIENT, clients }));
    context.setHeadline({ metric: "throughput", at: { clients: most } });
    return {
      cases,
      floors: [cases.at(-1)!],
      derive(derivation) {
        const alone = derivation.of(ONE_CLIENT)?.rates ?? [];
        for (const [index, clients] of steps.entries()) {
          const at = { clients };
          const rates = derivation.calls(cases[index]!, at)?.rates ?? [];
          if (clients === 1) continue;
          derivation.estimate(
            "efficiency",
            rates.map((rate, epoch) =>
              rate === null || !alone[epoch] ? null : rate / (clients * alone[epoch]!)
            ),
            { at },
          );
        }
        recordLaw(derivation, steps);
      },
    };
  },
};

/**
 * The numbers of clients of a sweep: powers of two, the numbers in the middle between them, and the most
 * there are. 10 gives 1, 2, 3, 4, 6, 8, 10.
 */
export function stepsUpTo(most: number): number[] {
  const steps = new Set([1]);
  for (let power = 2; power <= most; power *= 2) {
    steps.add(power);
    if (power * 1.5 <= most) steps.add(power * 1.5);
  }
  return [...steps.add(most)];
}

/**
 * How many connections the server holds, up to as many as are asked for: opened one after the other, and
 * closed again.
 *
 * @throws {ConnectError} if a connection fails for another reason than a limit, or already the first is refused
 */
async function findLimit(context: ScenarioContext<ScalingParameters>): Promise<number> {
  const { target, warmupLedger, parameters: { connections: bound }, signal } = context;
  await using stack = new AsyncDisposableStack();
  for (let held = 0; held < bound; held++) {
    try {
      stack.use(await target.connect(warmupLedger));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConnectError) || !error.isRefusal || held === 0) throw error;
      const message = `the sweep ends at ${counted(held, "client")} at once: ${error.message}`;
      context.note({ kind: "connectionLimit", message, clients: held });
      return held;
    }
  }
  return bound;
}

/** Fits the law, and records no more than the epochs support. */
function recordLaw(derivation: Derivation, steps: readonly number[]): void {
  const { maxRatePerSecond } = derivation;
  if (maxRatePerSecond !== null) {
    return derivation.notMeasured(
      LAW,
      `the rate that is kept to, ${maxRatePerSecond} calls/s, sets what each client sends`,
    );
  }
  const verdict = judgeScaling(samplesByEpoch(derivation, steps));
  if (verdict.status === "flat") return derivation.note(verdict.fact);
  if (verdict.rSquared !== null) {
    derivation.single("rSquared", verdict.rSquared, { ci95: null });
  }
  if (verdict.status === "refused") return derivation.notMeasured(LAW, verdict.fact.message);
  const { law, ci95, peak } = verdict;
  derivation.single("singleRate", law.singleRatePerSecond, { ci95: ci95.singleRatePerSecond });
  derivation.single("contention", law.contention, { ci95: ci95.contention });
  derivation.single("coherency", law.coherency, { ci95: ci95.coherency });
  for (const clients of steps) {
    derivation.single("fitted", throughputAt(law, clients), { at: { clients }, ci95: null });
  }
  if (peak.status === "beyond") {
    return derivation.notMeasured("peak concurrency", peak.fact.message);
  }
  derivation.single("peakConcurrency", peak.clients, { ci95: peak.ci95 });
  derivation.single("peakThroughput", peak.ratePerSecond, { ci95: null });
}

/** The epochs in which every number of clients was measured. */
function samplesByEpoch(derivation: Derivation, steps: readonly number[]): ScalingSample[][] {
  const rates = steps.map((clients) => derivation.of({ ...ONE_CLIENT, clients })?.rates ?? []);
  const epochs = Math.min(...rates.map(({ length }) => length));
  return Array.from({ length: epochs }, (_, epoch) =>
    steps.flatMap((clients, index) => {
      const ratePerSecond = rates[index]![epoch];
      return ratePerSecond == null ? [] : [{ clients, ratePerSecond }];
    })).filter((samples) => samples.length === steps.length);
}
