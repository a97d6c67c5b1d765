import { counted } from "../lib/run/describe_end.ts";
import { fillServer } from "../lib/run/fill_server.ts";
import type { CaseScenario, Derivation, MetricSpec, ScenarioContext } from "../lib/run/scenario.ts";
import { lengths, ONE_CLIENT, ratios, THROUGHPUT, TIMES } from "../lib/run/scenario.ts";
import { throughputAt } from "../lib/stats/scaling.ts";
import { judgeScaling } from "../lib/stats/scaling_verdict.ts";

const COMMON = {
  /** Maximum clients, unless the server refuses one earlier. */
  connections: 64,
  payloadBytes: 0,
};
const COST: MetricSpec = { kind: "scalar", unit: "", better: "lower" };
const LAW = "scaling law";

export const scaling: CaseScenario<typeof COMMON> = {
  kind: "cases",
  name: "scaling",
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
  defaults: lengths(COMMON, { quick: 50, standard: 100, thorough: 100, phase2: 10 }),

  async begin(context) {
    const most = await findLimit(context);
    const cases = stepsUpTo(most).map((clients) => ({ ...ONE_CLIENT, clients }));
    context.setHeadline({ metric: "throughput", at: { clients: most } });
    return {
      cases,
      floors: [cases.at(-1)!],
      derive(derivation) {
        const sweep = cases.map((one) => {
          const { clients } = one;
          return { clients, rates: derivation.calls(one, { clients })?.rates ?? [] };
        });
        const alone = sweep[0]!.rates;
        for (const { clients, rates } of sweep.slice(1)) {
          derivation.estimate("efficiency", ratios(rates, alone, clients), { at: { clients } });
        }
        recordLaw(derivation, sweep, context.maxRatePerSecond);
      },
    };
  },
};

/**
 * The numbers of clients in a sweep: powers of two, the midpoints between them, and the maximum. 10
 * gives 1, 2, 3, 4, 6, 8, 10.
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
 * Finds how many connections the server holds, up to the number asked for. If another scenario's
 * calls take the relay, their connection is open as well.
 *
 * @throws {ConnectError} if the first connection is refused or a later one fails without a refusal
 */
async function findLimit(context: ScenarioContext<typeof COMMON>): Promise<number> {
  const { warmupLedger: ledger, parameters: { connections: bound } } = context;
  await using stack = new AsyncDisposableStack();
  if (context.sharesWithRelayed) stack.use(await context.target.connect(ledger, { relayed: true }));
  const { held, refusal } = await fillServer(context, { bound, ledger, stack });
  if (refusal === null) return bound;
  if (!refusal.isRefusal) throw refusal;
  const clients = held.length;
  const message = `the sweep ends at ${counted(clients, "client")}: ${refusal.message}`;
  context.note({ kind: "connectionLimit", message, clients });
  return clients;
}

/** Fits the law to the complete epochs and records only what they support. */
function recordLaw(
  derivation: Derivation,
  sweep: readonly { clients: number; rates: readonly (number | null)[] }[],
  maxRatePerSecond: number | null,
): void {
  if (maxRatePerSecond !== null) {
    return derivation.notMeasured(
      LAW,
      `each client is limited to ${maxRatePerSecond} calls/s, which determines the throughput`,
    );
  }
  const epochs = sweep[0]!.rates.map((_, epoch) =>
    sweep.flatMap(({ clients, rates }) => {
      const ratePerSecond = rates[epoch] ?? null;
      return ratePerSecond === null ? [] : [{ clients, ratePerSecond }];
    })
  );
  const verdict = judgeScaling(epochs.filter(({ length }) => length === sweep.length));
  if (verdict.status === "flat") return derivation.note(verdict.fact);
  if (verdict.rSquared !== null) derivation.scalar("rSquared", verdict.rSquared, { ci95: null });
  if (verdict.status === "refused") return derivation.notMeasured(LAW, verdict.why);
  const { law, ci95, peak } = verdict;
  derivation.scalar("singleRate", law.singleRatePerSecond, { ci95: ci95.singleRatePerSecond });
  derivation.scalar("contention", law.contention, { ci95: ci95.contention });
  derivation.scalar("coherency", law.coherency, { ci95: ci95.coherency });
  for (const { clients } of sweep) {
    derivation.scalar("fitted", throughputAt(law, clients), { at: { clients }, ci95: null });
  }
  if (peak.status === "beyond") return derivation.notMeasured("peak concurrency", peak.why);
  derivation.scalar("peakConcurrency", peak.clients, { ci95: peak.ci95 });
  derivation.scalar("peakThroughput", peak.ratePerSecond, { ci95: null });
}
